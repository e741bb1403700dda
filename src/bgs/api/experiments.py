"""Experiments and their reports, from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgs._config import read_settings
from bgs._optional import require_all
from bgs.views.displayable import Displayable
from bgs.views.experiment import table_view

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bgs.experiments.results import ResultsTable


@dataclass(frozen=True, repr=False)
class Experiment(Displayable):
    """The results of an experiment; displays as tables.

    Attributes:
        path: its folder.
        table: results of every model and condition, beside the noise ceilings.
        failed: cell or analysis -> error message.
        report: the HTML file, or None if none was requested.
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
    launcher: str | None = None,
    jobs: int | None = None,
    slurm: Mapping[str, Any] | None = None,
) -> Experiment:
    """Train models under every condition and seed, compare them, and write a report.

    Calling it again resumes the experiment: finished cells are kept and failed ones retried.

    Args:
        config: a YAML file, or a mapping of its keys.
        out: folder of the experiment.
        overrides: ``key.sub=value``; these replace values in the file.
        report: whether to write ``report.html`` at the end.
        mirror: folder with a mirror of the authors' repositories.
        launcher: runs cells side by side, each in a process of its own: ``local``, or ``submitit`` for jobs of Slurm;
            None: in turn in this process. The results are the same.
        jobs: how many at once; None: two processes, or all jobs.
        slurm: parameters of the jobs: ``{"partition": "gpu", "timeout_min": 240, "mem_gb": 32}``.

    Raises:
        BgsError: invalid settings, data or folder. Cells that fail are listed in :attr:`Experiment.failed`.
    """
    if report:
        require_all("report", "plot", "analysis", "report")
    from bgs.experiments.config import validated_experiment
    from bgs.experiments.grid import run_experiment
    from bgs.experiments.launching import new_launcher
    from bgs.experiments.page import write_report

    starts = new_launcher(launcher, jobs, slurm)
    given = config if isinstance(config, Mapping) else read_settings(config, overrides)
    where = "settings" if isinstance(config, Mapping) else config
    outcome = run_experiment(validated_experiment(given, where), out, mirror=mirror, launcher=starts)
    page = write_report(outcome.experiment, outcome.table, outcome.failed) if report else None
    return Experiment(
        Path(out), outcome.table, outcome.failed, page, outcome.experiment.config.evaluation.center
    )


def report(
    folder: str | Path,
    out: str | Path | None = None,
    *,
    format: str | None = None,
    mirror: str | Path | None = None,
) -> Path:
    """Write the report of a finished experiment from its stored results: HTML with figures and tables, or Markdown.

    Args:
        folder: of the experiment.
        out: file to write; by default ``report.html`` or ``report.md`` in the folder.
        format: ``html``: one file, with figures and tables for a paper in a folder of its name beside it; ``md``: Markdown
            with figures in ``figures/<name>/`` beside it, which shows and names clips only if the data are simulated.
            None: by the suffix of ``out``, or HTML.
        mirror: folder with a mirror of the authors' repositories.

    Returns:
        The file.

    Raises:
        BgsError: no experiment in the folder, or an unfinished one; an existing Markdown file without a place for a report.
    """
    require_all("report", "plot", "analysis", "report")
    from bgs.experiments.page import report_experiment

    return report_experiment(folder, out, form=format, mirror=mirror)
