"""`bgs report`: the results of an experiment on one page, with figures and tables."""

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
    """Write the report of an experiment from its saved results: one HTML file, with figures and tables.

    Figures (SVG, PNG) and tables (CSV, LaTeX) are written to a folder of the same name beside the file.
    """
    from bgs.api.experiments import report as written

    path = written(folder, out, mirror=mirror)
    Output().say(f"Report: {path}. Figures and tables: {path.with_suffix('')}")
    if open_:
        typer.launch(str(path))
