"""What failed in an experiment, on stderr."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import typer


def print_failures(failed: Mapping[str, str], out: Path) -> None:
    """Say what failed, each in one line, on stderr."""
    typer.echo(f"{len(failed)} failed; the rest is done. Call it again to try them again:", err=True)
    for name, message in failed.items():
        typer.echo(f"  {name}: {message}", err=True)
    typer.echo(f"Tracebacks: {out}/cells/…/error.json", err=True)
