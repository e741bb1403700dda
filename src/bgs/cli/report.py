"""`bgs report`: what an experiment found, as one page with its figures and tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bgs.cli._options import Mirror, OpenReport
from bgs.cli._output import Output

EXAMPLE = "Example: bgs report experiments/minilm --out minilm.html"


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of an experiment, see `bgs experiment`.")],
    out: Annotated[Path | None, typer.Option(help="HTML file; by default report.html in the folder.")] = None,
    mirror: Mirror = None,
    open_: OpenReport = False,
) -> None:
    """Write the report of an experiment anew, from what it left on disk: one HTML file, figures and tables.

    Figures (SVG, PNG) and tables (CSV, LaTeX) lie in a folder beside the file, called like it.
    """
    from bgs.api.experiments import report as written

    path = written(folder, out, mirror=mirror)
    Output().say(f"Report: {path}. Figures and tables: {path.with_suffix('')}")
    if open_:
        typer.launch(str(path))
