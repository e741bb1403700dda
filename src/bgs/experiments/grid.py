"""Runs the grid: trains, evaluates and stores every cell once, and resumes an interrupted experiment."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from rich.progress import Progress, TaskID

from bgs._errors import BgsError, message_of
from bgs._files import write_json
from bgs._lock import locked_folder
from bgs._progress import progress_bar
from bgs.backbones.processes import require_alone
from bgs.embeddings import Embeddings
from bgs.evaluation import Result, evaluate
from bgs.experiments.cells import Cell, cells_of
from bgs.experiments.chapters import run_chapters, wanted_chapters
from bgs.experiments.conditions import Condition
from bgs.experiments.config import ExperimentConfig
from bgs.experiments.experiment import Experiment
from bgs.experiments.folder import ExperimentFolder
from bgs.experiments.results import ResultsTable
from bgs.experiments.tabulate import results_table
from bgs.runs.fitting import embed_tuned, fit
from bgs.training import EpochRecord


@dataclass(frozen=True)
class Outcome:
    """The outcome of an experiment.

    Attributes:
        table: results of all finished cells.
        failed: name of a cell or analysis -> why it failed, in one line.
        experiment: source of all that chapters and reports need.
    """

    table: ResultsTable
    failed: dict[str, str]
    experiment: Experiment


def run_experiment(config: ExperimentConfig, out: str | Path, *, mirror: str | Path | None = None) -> Outcome:
    """Run every unfinished cell, then compare the cells and run the analyses.

    A failed cell is recorded and the others still run. A second call keeps finished cells and retries failed ones.

    Raises:
        BgsError: the folder, the data or the caption encoder cannot be used, or an analysis is unknown.
    """
    require_alone("the cells of an experiment are trained", "start `bgs experiment` without a launcher")
    wanted_chapters(config)
    folder = ExperimentFolder(out)
    folder.check(config)
    with locked_folder(folder.path):
        return _run(config, folder, mirror)


def _run(config: ExperimentConfig, folder: ExperimentFolder, mirror: str | Path | None) -> Outcome:
    study = folder.open(config, mirror)
    planned = cells_of(config, folder.cells, folder.data_reference(config))
    experiment = Experiment(config, folder, study, tuple(planned), mirror)
    left = [cell for cell in planned if not cell.is_done()]
    failed: dict[str, str] = {}
    with progress_bar() as bar:
        _ = experiment.captions  # made first: a caption encoder that cannot be loaded stops everything
        task, before = bar.add_task("experiment", total=sum(map(_steps, left))), 0
        for number, cell in enumerate(left, start=1):
            bar.update(task, completed=before, description=f"cell {number}/{len(left)}", note=cell.name)
            _attempt(experiment, cell, failed, _Report(bar, task, before))
            before += _steps(cell)
        bar.update(task, completed=before, description="comparing", note="")
        table = results_table(experiment)
        failed |= run_chapters(experiment)
    write_json(folder.results, {**table.to_json(), "failed": failed})
    return Outcome(table, failed, experiment)


@dataclass(frozen=True)
class _Report:
    """Advances the progress bar of the experiment epoch by epoch."""

    bar: Progress
    task: TaskID
    before: int

    def __call__(self, record: EpochRecord) -> None:
        self.bar.update(self.task, completed=self.before + record.epoch + 1)


def _steps(cell: Cell) -> int:
    """Steps of a cell on the progress bar: its epochs, and one for embedding and evaluation."""
    return 1 if cell.condition is Condition.BASE else cell.config.epochs + 1


def _attempt(
    experiment: Experiment, cell: Cell, failed: dict[str, str], report: Callable[[EpochRecord], None]
) -> None:
    """Run a cell and record its failure, if any. Cells whose base model failed are not tried."""
    base = f"{cell.model}/{Condition.BASE}/seed-{experiment.config.base_seed(cell.model, cell.seed)}"
    try:
        if base in failed:
            raise BgsError(f"its base model failed: {failed[base]}")
        _do(experiment, cell, report)
    except Exception as error:  # the other cells still run
        cell.mark_failed(error)
        failed[cell.name] = message_of(error)


def _do(experiment: Experiment, cell: Cell, report: Callable[[EpochRecord], None]) -> None:
    """Train, embed and evaluate, reusing what is on disk."""
    start = time.perf_counter()
    cell.begin()
    base = experiment.base_of(cell)
    if cell.condition is Condition.BASE:
        cell.write_results(_evaluate(experiment, cell, base, None))
    else:
        cell.write_results(_evaluate(experiment, cell, _tuned(experiment, cell, report, base), base))
    cell.mark_done(time.perf_counter() - start)


def _tuned(
    experiment: Experiment, cell: Cell, report: Callable[[EpochRecord], None], base: Embeddings
) -> Embeddings:
    distills = cell.condition is Condition.LANGUAGE_DISTILLATION
    captions = experiment.caption_distances() if distills else None
    study = replace(experiment.study, source=cell.condition.source(cell.seed, captions))
    if not (cell.folder.adapter / "bgs.json").is_file():  # written last
        fit(cell.config, study, cell.folder, report, base)
    return embed_tuned(cell.config, study, cell.folder, base)


def _evaluate(
    experiment: Experiment, cell: Cell, embeddings: Embeddings, against: Embeddings | None
) -> list[Result]:
    """One result per protocol, with the same resamples in all cells so that they are comparable."""
    settings, study = experiment.config.evaluation, experiment.study
    about = study.about(cell.config) | {"condition": cell.condition.value}
    return [
        evaluate(
            embeddings, study.stimuli, study.trials, protocol=protocol, distance=settings.distance,
            center=settings.center, against=against,
            permutations=settings.permutations, seed=experiment.config.seeds[0], provenance=about,
        )
        for protocol in settings.protocols
    ]  # fmt: skip
