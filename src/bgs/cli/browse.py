"""`bgs browse`: look at the clips of an index on a map."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bgs.cli._options import Json
from bgs.cli._output import Output

EXAMPLE = "Example: bgs browse my-index"


def browse(
    index: Annotated[str, typer.Argument(help="Index that `bgs index` wrote.")],
    beside: Annotated[
        str | None,
        typer.Option(help="Index of the same clips under another model: shows what moved."),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8100,
    redraw: Annotated[
        bool, typer.Option("--redraw", help="Draw the map anew, for all clips that the index has now.")
    ] = False,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    json: Json = None,
) -> None:
    """Browse an index: a map of its clips, what is near a clip, a file or a sentence, and lists to export.

    Served on this machine only, until interrupted, at an address that holds a token. The map is kept in the index: clips
    stay where they are when others are added.
    """
    from bgs.library.browsing.serving import BrowseServer

    output = Output(json)
    server = BrowseServer(index, beside, port, redraw)
    output.say(f"{server.clips:,} clips at {server.address}")
    # at once, also into a pipe: nothing more is written while it serves
    output.write({"address": server.address, "clips": server.clips})
    sys.stdout.flush()
    if open_page:
        import webbrowser

        webbrowser.open(server.address)
    server.run()
