"""`bgs report`: what an experiment found, as one page with its figures and tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: bgs report experiments/minilm --out minilm.html"


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of an experiment, see `bgs experiment`.")],
    out: Annotated[Path | None, typer.Option(help="HTML file; by default report.html in the folder.")] = None,
    mirror: Annotated[
        Path | None, typer.Option(help="Folder with a mirror of the authors' repositories.")
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the report in a browser.")] = False,
) -> None:
    """Write the report of an experiment anew, from what it left on disk: one HTML file, figures and tables.

    Figures (SVG, PNG) and tables (CSV, LaTeX) lie in a folder beside the file, called like it.
    """
    from bgs._optional import require_all

    require_all("report", "plot", "analysis", "report")
    from bgs.experiment.page import report_experiment

    path = report_experiment(folder, out, mirror=mirror)
    typer.echo(f"Report: {path}. Figures and tables: {path.with_suffix('')}")
    if open_:
        typer.launch(str(path))
