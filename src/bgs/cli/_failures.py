"""Reports failed cells and analyses of an experiment on stderr."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import typer


def print_failures(failed: Mapping[str, str], out: Path) -> None:
    """Print each failure on one line, on stderr."""
    typer.echo(
        f"{len(failed)} failed; the rest is finished. Run the same command again to retry these:", err=True
    )
    for name, message in failed.items():
        typer.echo(f"  {name}: {message}", err=True)
    typer.echo(f"Tracebacks: {out}/cells/…/error.json", err=True)
