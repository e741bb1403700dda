"""`bgs simulate`: worlds whose truth is known."""

from __future__ import annotations

import typer

from bgs.cli._clip_folder import CLIPS_EXAMPLE, clips

app = typer.Typer(help="Simulate social clips and observers whose truth is known.", rich_markup_mode=None)
app.command("clips", epilog=CLIPS_EXAMPLE)(clips)


@app.callback()
def _group() -> None:
    """A group of commands, also while there is one."""
