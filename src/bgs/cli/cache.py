"""`bgs cache`: show or clear the cache of decoded frames."""

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
    "info", epilog="Example: bgs cache info", short_help="Show the location and contents of the frame cache."
)
def info(json: Json = None) -> None:
    """Show where decoded frames are cached, for how many clips, and the disk space they use."""
    from bgs.stimuli import FrameCache
    from bgs.views.console import bytes_text, table

    output, cache = Output(json), FrameCache()
    entries = cache.entries()
    rows = [(entry.key, entry.sets, entry.clips, bytes_text(entry.size)) for entry in entries]
    if rows:
        header = ("frames × pixels, sampling, decoder", "sets", "clips", "size")
        output.show(table("Decoded frames", header, rows, numbers=(1, 2, 3)))
    else:
        output.say("No frames are cached.")
    if damaged := sum(entry.damaged for entry in entries):
        output.say(f"{damaged} sets are damaged; their clips will be decoded again when next needed.")
    output.say(f"Folder: {cache.folder}")
    output.write({"folder": str(cache.folder), "entries": [asdict(entry) for entry in entries]})


@app.command("clear", epilog="Example: bgs cache clear", short_help="Remove all decoded frames.")
def clear() -> None:
    """Remove all cached frames; clips are decoded again when needed. Downloads and clips are kept."""
    from bgs.stimuli import FrameCache
    from bgs.views.console import bytes_text

    cache = FrameCache()
    Output().say(f"{bytes_text(cache.clear())} freed in {cache.folder}")
