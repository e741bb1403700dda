"""`bgs cache`: what is kept of decoded clips, and how to be rid of it."""

from __future__ import annotations

from dataclasses import asdict

import typer

from bgs.cli._options import Json
from bgs.cli._output import Output

app = typer.Typer(
    help="Show or clear the cache of decoded frames.",
    epilog="Example: bgs cache info",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(
    "info", epilog="Example: bgs cache info", short_help="Show what the frame cache holds, and where."
)
def info(json: Json = None) -> None:
    """Show where decoded frames are kept, of how many clips, and how much disk they take."""
    from bgs.stimuli import FrameCache
    from bgs.views.console import bytes_text, table

    output, cache = Output(json), FrameCache()
    entries = cache.entries()
    rows = [(entry.key, entry.sets, entry.clips, bytes_text(entry.size)) for entry in entries]
    if rows:
        header = ("frames × pixels, how, decoder", "sets", "clips", "size")
        output.show(table("Decoded frames", header, rows, numbers=(1, 2, 3)))
    else:
        output.say("No frames are cached.")
    if damaged := sum(entry.damaged for entry in entries):
        output.say(f"{damaged} sets are damaged; their clips are decoded anew when they are next needed.")
    output.say(f"Folder: {cache.folder}")
    output.write({"folder": str(cache.folder), "entries": [asdict(entry) for entry in entries]})


@app.command("clear", epilog="Example: bgs cache clear", short_help="Remove all decoded frames.")
def clear() -> None:
    """Remove all decoded frames; they are decoded again when they are needed. Downloads and clips stay."""
    from bgs.stimuli import FrameCache
    from bgs.views.console import bytes_text

    cache = FrameCache()
    Output().say(f"{bytes_text(cache.clear())} freed in {cache.folder}")
