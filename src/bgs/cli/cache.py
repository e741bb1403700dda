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
    """Show where decoded frames are kept, of how many clips, how much disk they take, and whether any are damaged.

    The folder is `frames` in the folder that the environment variable BGS_CACHE names, by default the user's cache folder.
    All frames are read and compared with their checksums, about a gigabyte a second.
    """
    from bgs.stimuli import FrameCache
    from bgs.views.console import bytes_text, table

    output, cache = Output(json), FrameCache()
    entries = cache.entries()
    rows = [
        (entry.key, entry.clips, entry.damaged, bytes_text(entry.size)) for entry in entries if entry.current
    ]
    if rows:
        header = ("frames × pixels, how, decoder", "clips", "damaged", "size")
        output.show(table("Decoded frames", header, rows, numbers=(1, 2, 3)))
    else:
        output.say("No frames are cached.")
    if any(entry.damaged for entry in entries):
        output.say("Damaged clips are decoded again when they are next needed.")
    if unused := sum(entry.size for entry in entries if not entry.current):
        output.say(
            f"{bytes_text(unused)} were stored by another version of bgs; `bgs cache clear` removes them."
        )
    output.say(f"Folder: {cache.folder}")
    output.write({"folder": str(cache.folder), "entries": [asdict(entry) for entry in entries]})


@app.command("clear", epilog="Example: bgs cache clear", short_help="Remove all decoded frames.")
def clear() -> None:
    """Remove all decoded frames; they are decoded again when they are needed. Downloads and clips stay."""
    from bgs.stimuli import FrameCache
    from bgs.views.console import bytes_text

    cache = FrameCache()
    Output().say(f"{bytes_text(cache.clear())} freed in {cache.folder}")
