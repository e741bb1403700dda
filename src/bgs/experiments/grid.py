"""Runs the grid: trains, evaluates and stores every cell once, and resumes an interrupted experiment."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.progress import Progress, TaskID

from bgs._errors import BgsError, listed, message_of
from bgs._files import write_json
from bgs._lock import locked_folder
from bgs._progress import note, progress_bar
from bgs.backbones.processes import require_alone
from bgs.embeddings import Embeddings
from bgs.evaluation import Result, evaluate
from bgs.experiments.cells import Cell, cells_of
from bgs.experiments.chapters import run_chapters, wanted_chapters
from bgs.experiments.conditions import Condition
from bgs.experiments.config import ExperimentConfig, load_experiment
from bgs.experiments.experiment import Experiment
from bgs.experiments.folder import ExperimentFolder, load_experiment_study
from bgs.experiments.launching.launcher import CellWork, Launcher
from bgs.experiments.launching.scheduling import run_side_by_side
from bgs.experiments.results import ResultsTable
from bgs.experiments.tabulate import results_table
from bgs.runs.fitting import embed_tuned, fit
from bgs.runs.study import Study
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


def run_experiment(
    config: ExperimentConfig,
    out: str | Path,
    *,
    mirror: str | Path | None = None,
    launcher: Launcher | None = None,
) -> Outcome:
    """Run every unfinished cell, then compare the cells and run the analyses.

    A failed cell is recorded and the others still run. A second call keeps finished cells and retries failed ones.

    Args:
        config: of the experiment.
        out: its folder.
        mirror: of published data.
        launcher: runs cells side by side in other processes; None: in turn in this one, to the same results.

    Raises:
        BgsError: the folder, the data or the caption encoder cannot be used, or an analysis is unknown.
    """
    require_alone("the cells of an experiment are trained", "start `bgs experiment` without a launcher")
    wanted_chapters(config)
    folder = ExperimentFolder(out)
    folder.check(config)
    with locked_folder(folder.path):
        experiment = _experiment(config, folder, folder.open(config, mirror), mirror)
        return _run(experiment, launcher)


def run_cell(out: str | Path, name: str, *, mirror: str | Path | None = None) -> None:
    """Run one cell of an experiment that :func:`run_experiment` has begun, and that it waits for.

    A failure is recorded in the cell's folder.

    Raises:
        BgsError: no experiment was begun there, its data are others now, or it has no such cell.
    """
    folder = ExperimentFolder(out)
    config = load_experiment(folder.config)
    study = load_experiment_study(config, folder.data_reference(config), mirror)
    folder.require_same_data(study)
    experiment = _experiment(config, folder, study, mirror)
    cell = next((cell for cell in experiment.planned if cell.name == name), None)
    if cell is None:
        raise BgsError(
            "no such cell", where=out, expected=listed(c.name for c in experiment.planned), got=name
        )
    _attempt(experiment, cell, {}, lambda record: None)


def _experiment(
    config: ExperimentConfig, folder: ExperimentFolder, study: Study, mirror: str | Path | None
) -> Experiment:
    planned = cells_of(config, folder.cells, folder.data_reference(config))
    return Experiment(config, folder, study, tuple(planned), mirror)


def _run(experiment: Experiment, launcher: Launcher | None) -> Outcome:
    folder = experiment.folder
    left = [cell for cell in experiment.planned if not cell.is_done()]
    with progress_bar() as bar:
        _ = experiment.captions  # made first: a caption encoder that cannot be loaded stops everything
        task = bar.add_task("experiment", total=sum(map(_steps, left)))
        if launcher is None:
            failed = _in_turn(experiment, left, bar, task)
        else:
            failed = _side_by_side(experiment, left, bar, task, launcher)
        bar.update(task, completed=sum(map(_steps, left)), description="comparing", note="")
        table = results_table(experiment)
        failed |= run_chapters(experiment)
    write_json(folder.results, {**table.to_json(), "failed": failed})
    return Outcome(table, failed, experiment)


def _in_turn(experiment: Experiment, left: Sequence[Cell], bar: Progress, task: TaskID) -> dict[str, str]:
    """Run cells one after the other in this process; why some failed."""
    failed: dict[str, str] = {}
    before = 0
    for number, cell in enumerate(left, start=1):
        bar.update(task, completed=before, description=f"cell {number}/{len(left)}", note=cell.name)
        _attempt(experiment, cell, failed, _Report(bar, task, before))
        before += _steps(cell)
    return failed


def _side_by_side(
    experiment: Experiment, left: Sequence[Cell], bar: Progress, task: TaskID, launcher: Launcher
) -> dict[str, str]:
    """Run cells in processes of their own; why some failed."""
    out, mirror = str(experiment.folder.path), experiment.mirror
    ended: list[str] = []

    def tell(cell: Cell, problem: str | None) -> None:
        ended.append(cell.name)
        count = f"cell {len(ended)}/{len(left)}"
        bar.advance(task, _steps(cell))
        bar.update(task, description=count, note=cell.name)
        note(
            f"{count}: {cell.name} "
            + (f"done in {cell.seconds():.0f} s" if problem is None else f"failed: {problem}")
        )

    return run_side_by_side(
        left,
        lambda cell: _base_of(experiment, cell),
        lambda cell: CellWork(out, cell.name, None if mirror is None else str(mirror)),
        launcher,
        tell,
    )


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


def _base_of(experiment: Experiment, cell: Cell) -> str:
    """Name of the cell of its base model, which is its own name for a base model."""
    return f"{cell.model}/{Condition.BASE}/seed-{experiment.config.base_seed(cell.model, cell.seed)}"


def _attempt(
    experiment: Experiment, cell: Cell, failed: dict[str, str], report: Callable[[EpochRecord], None]
) -> None:
    """Run a cell and record its failure, if any. Cells whose base model failed are not tried."""
    base = _base_of(experiment, cell)
    try:
        if base in failed:
            raise BgsError(f"its base model failed: {failed[base]}")
        with cell.held():
            if not cell.is_done():  # a process that an earlier call has left may just have finished it
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
