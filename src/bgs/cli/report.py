"""`bgs report`: the results of an experiment as one page."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bgs.cli._options import Mirror, OpenReport
from bgs.cli._output import Output

EXAMPLE = "Example: bgs report experiments/minilm --out minilm.html"


class Format(StrEnum):
    """Formats of a report."""

    HTML = "html"
    MD = "md"


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of an experiment, see `bgs experiment`.")],
    out: Annotated[
        Path | None, typer.Option(help="File to write; by default report.html or report.md in the folder.")
    ] = None,
    format_: Annotated[
        Format | None,
        typer.Option(
            "--format",
            help="HTML or Markdown. Default: by the suffix of --out, or html.",
            show_default=False,
        ),
    ] = None,
    mirror: Mirror = None,
    open_: OpenReport = False,
) -> None:
    """Write the report of an experiment from its stored results, without computing anything again.

    html: one file; figures (SVG, PNG) and tables (CSV, LaTeX) for a paper are in a folder of its name beside it.
    md: a Markdown page with its figures in figures/NAME/ beside it. In an existing file only the part between the
    comments <!-- report --> and <!-- /report --> is replaced. Clips are shown and named only if they are simulated.
    """
    from bgs.api.experiments import report as written

    path = written(folder, out, format=None if format_ is None else format_.value, mirror=mirror)
    markdown = path.suffix == ".md"
    beside = path.parent / "figures" / path.stem if markdown else path.with_suffix("")
    Output().say(f"Report: {path}. Figures{'' if markdown else ' and tables'}: {beside}")
    if open_:
        typer.launch(str(path))
