"""Experiments and their reports, from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgs._config import read_settings
from bgs._optional import require_all
from bgs.views.experiment import table_view
from bgs.views.shown import Shown

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bgs.experiments.results import ResultsTable


@dataclass(frozen=True, repr=False)
class Experiment(Shown):
    """What an experiment found; prints as the table of its cells.

    Attributes:
        path: its folder.
        table: every condition of every model, beside the noise ceilings.
        failed: cell or analysis -> why it failed.
        report: the page, or None where none was asked for.
        centred: whether embeddings were centred on the training clips.
    """

    path: Path
    table: ResultsTable
    failed: Mapping[str, str]
    report: Path | None
    centred: bool

    def _views(self) -> Sequence[RenderableType]:
        return (table_view(self.table, self.centred),)


def experiment(
    config: str | Path | Mapping[str, Any],
    *,
    out: str | Path,
    overrides: Sequence[str] = (),
    report: bool = True,
    mirror: str | Path | None = None,
) -> Experiment:
    """Train models under every condition and seed, compare what became of them, and write a report.

    Finished cells are kept; called again, it goes on where it was and tries failed cells again.

    Args:
        config: a YAML file, or its keys.
        out: folder of the experiment.
        overrides: ``key.sub=value``, over what a file has.
        report: write ``report.html`` in the end.
        mirror: folder with a mirror of the authors' repositories.

    Raises:
        BgsError: bad settings, data or folder. A cell that fails is in :attr:`Experiment.failed`.
    """
    if report:
        require_all("report", "plot", "analysis", "report")
    from bgs.experiments.config import validated_experiment
    from bgs.experiments.grid import run_experiment
    from bgs.experiments.page import write_report

    given = config if isinstance(config, Mapping) else read_settings(config, overrides)
    where = "settings" if isinstance(config, Mapping) else config
    outcome = run_experiment(validated_experiment(given, where), out, mirror=mirror)
    page = write_report(outcome.experiment, outcome.table, outcome.failed) if report else None
    return Experiment(
        Path(out), outcome.table, outcome.failed, page, outcome.experiment.config.evaluation.center
    )


def report(
    folder: str | Path,
    out: str | Path | None = None,
    *,
    format: str = "html",
    mirror: str | Path | None = None,
) -> Path:
    """Write the report of a finished experiment from its stored results: HTML with figures and tables, or Markdown.

    Args:
        folder: of the experiment.
        out: file to write; by default ``report.html`` or ``report.md`` in the folder.
        format: ``html``: one file, with figures and tables for a paper in a folder of its name beside it; ``md``: Markdown
            with figures in ``figures/<name>/`` beside it, which shows and names clips only if the data are simulated.
        mirror: folder with a mirror of the authors' repositories.

    Returns:
        The file.

    Raises:
        BgsError: no experiment in the folder, or an unfinished one; an existing Markdown file without a place for a report.
    """
    require_all("report", "plot", "analysis", "report")
    from bgs.experiments.page import report_experiment

    return report_experiment(folder, out, form=format, mirror=mirror)
