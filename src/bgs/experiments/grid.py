"""The grid at work: every cell trained and evaluated once, kept, and gone on with after an interruption."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from rich.progress import Progress, TaskID

from bgs._errors import BgsError
from bgs._files import write_json
from bgs._lock import locked_folder
from bgs._progress import progress_bar
from bgs.embeddings import Embeddings
from bgs.evaluation import Result, evaluate
from bgs.experiments.analyses import run_analyses, wanted_analyses
from bgs.experiments.cells import Cell, cells_of, message_of
from bgs.experiments.conditions import Condition
from bgs.experiments.config import ExperimentConfig
from bgs.experiments.experiment_data import ExperimentData
from bgs.experiments.folder import ExperimentFolder
from bgs.experiments.results import ResultsTable
from bgs.experiments.shared import Shared
from bgs.experiments.tabulate import results_table
from bgs.runs.run import embed_tuned, fit
from bgs.runs.study import Study
from bgs.training import EpochRecord


@dataclass(frozen=True)
class Outcome:
    """What an experiment gives back.

    Attributes:
        table: results of all finished cells.
        failed: name of a cell or analysis -> why it failed, in one line.
        data: what analyses and reports ask.
    """

    table: ResultsTable
    failed: dict[str, str]
    data: ExperimentData


def run_experiment(config: ExperimentConfig, out: str | Path, *, mirror: str | Path | None = None) -> Outcome:
    """Do every cell that is not done, then compare them and run the analyses.

    A failed cell is recorded and the rest goes on; called again, finished cells are kept and failed ones are
    tried again.

    Raises:
        BgsError: the folder, the data or the caption encoder cannot be used, or an analysis is not known.
    """
    wanted_analyses(config)
    folder = ExperimentFolder(out)
    folder.check(config)
    with locked_folder(folder.path):
        return _run(config, folder, mirror)


def _run(config: ExperimentConfig, folder: ExperimentFolder, mirror: str | Path | None) -> Outcome:
    study = folder.open(config, mirror)
    cells = cells_of(config, folder.cells, folder.data_reference(config))
    left = [cell for cell in cells if not cell.is_done()]
    work = _Work(config, study, Shared(config, folder, study))
    failed: dict[str, str] = {}
    with progress_bar() as bar:
        work.shared.captions()
        task, before = bar.add_task("experiment", total=sum(map(_steps, left))), 0
        for number, cell in enumerate(left, start=1):
            bar.update(task, completed=before, description=f"cell {number}/{len(left)}", note=cell.name)
            _attempt(work, cell, failed, _Report(bar, task, before))
            before += _steps(cell)
        bar.update(task, completed=before, description="comparing", note="")
        finished = tuple(cell for cell in cells if cell.marker.is_file())
        data = ExperimentData(config, folder, study, finished, mirror)
        table = results_table(data)
        failed |= run_analyses(data)
    write_json(folder.results, {**table.to_json(), "failed": failed})
    return Outcome(table, failed, data)


@dataclass(frozen=True)
class _Report:
    """Moves the bar of the whole experiment epoch by epoch."""

    bar: Progress
    task: TaskID
    before: int

    def __call__(self, record: EpochRecord) -> None:
        self.bar.update(self.task, completed=self.before + record.epoch + 1)


def _steps(cell: Cell) -> int:
    """Share of a cell in the whole: its epochs, and one for embedding and evaluating."""
    return 1 if cell.condition is Condition.BASE else cell.config.epochs + 1


def _attempt(work: _Work, cell: Cell, failed: dict[str, str], report: Callable[[EpochRecord], None]) -> None:
    """Do a cell; a failure is kept beside it. What rests on a base model that failed is not tried."""
    base = f"{cell.model}/{Condition.BASE}/seed-{work.config.base_seed(cell.model, cell.seed)}"
    try:
        if base in failed:
            raise BgsError(f"its base model failed: {failed[base]}")
        work.do(cell, report)
    except Exception as error:  # one cell must not take the others with it
        cell.mark_failed(error)
        failed[cell.name] = message_of(error)


@dataclass(frozen=True)
class _Work:
    config: ExperimentConfig
    study: Study
    shared: Shared

    def do(self, cell: Cell, report: Callable[[EpochRecord], None]) -> None:
        """Train, embed, evaluate; what is on disk already is taken from there."""
        start = time.perf_counter()
        cell.begin()
        base = self.shared.base(cell)
        if cell.condition is Condition.BASE:
            cell.write_results(self._evaluate(cell, base, None))
        else:
            cell.write_results(self._evaluate(cell, self._tuned(cell, report), base))
        cell.mark_done(time.perf_counter() - start)

    def _tuned(self, cell: Cell, report: Callable[[EpochRecord], None]) -> Embeddings:
        captions = (
            self.shared.caption_distances() if cell.condition is Condition.LANGUAGE_DISTILLATION else None
        )
        study = replace(self.study, source=cell.condition.source(cell.seed, captions))
        if not (cell.folder.adapter / "bgs.json").is_file():  # written last
            fit(cell.config, study, cell.folder, report)
        return embed_tuned(cell.config, study, cell.folder)

    def _evaluate(self, cell: Cell, embeddings: Embeddings, against: Embeddings | None) -> list[Result]:
        """One result a protocol; the same resamples in all cells, so that all are comparable."""
        settings, study = self.config.evaluation, self.study
        about = study.about(cell.config) | {"condition": cell.condition.value}
        return [
            evaluate(
                embeddings, study.stimuli, study.trials, protocol=protocol, distance=settings.distance,
                center=settings.center, against=against,
                permutations=settings.permutations, seed=self.config.seeds[0], provenance=about,
            )
            for protocol in settings.protocols
        ]  # fmt: skip
