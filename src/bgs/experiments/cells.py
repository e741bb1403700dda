"""Cells of the grid: what each trains, where it is stored, and whether it is finished."""

from __future__ import annotations

import json
import shutil
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bgs._errors import ConfigError, message_of
from bgs._files import LOCK, damage_as_error, make_folder, read_json, sha256_of, write_json
from bgs._lock import locked
from bgs._progress import note
from bgs.evaluation import Result
from bgs.experiments.conditions import Condition
from bgs.experiments.config import ExperimentConfig
from bgs.runs.run_folder import RunFolder
from bgs.training import TrainingConfig


@dataclass(frozen=True)
class Cell:
    """One model under one condition with one seed, in its own run folder.

    Attributes:
        model: its name in the experiment.
        condition: its training target and objective.
        seed: of all its random numbers.
        config: of its training run; for ``base``, where nothing is trained, of the runs compared with it.
        folder: its run folder.
    """

    model: str
    condition: Condition
    seed: int
    config: TrainingConfig
    folder: RunFolder

    @property
    def name(self) -> str:
        """``model/condition/seed-k``, the path of its folder."""
        return f"{self.model}/{self.condition}/seed-{self.seed}"

    @property
    def marker(self) -> Path:
        """File that is written last: a cell that has it is complete."""
        return self.folder.path / "done.json"

    @property
    def error(self) -> Path:
        """File with the reason why the cell failed, if it did."""
        return self.folder.path / "error.json"

    def key(self) -> str:
        """SHA-256 over everything that determines its result except the data, whose hashes the experiment records."""
        settings = self.config.model_dump(mode="json", exclude={"data"})
        return sha256_of(self.condition, json.dumps(settings, sort_keys=True))

    def is_done(self) -> bool:
        """Whether the cell is finished.

        Raises:
            ConfigError: it was made under another configuration.
        """
        if not self.marker.is_file():
            return False
        if (
            read_json(self.marker, f"delete {self.folder.path}: the cell is then run again").get("key")
            != self.key()
        ):
            raise ConfigError(
                "this cell was made under another configuration", where=self.marker, hint="take a new folder"
            )
        return True

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the cell as the only process that works on it, after waiting for another one that does."""
        path = make_folder(self.folder.path.parent) / f"{LOCK}-{self.folder.path.name}"
        with locked(path, on_wait=lambda holder: note(f"{self.name}: waiting for {holder}")):
            try:
                yield
            finally:
                path.unlink(missing_ok=True)  # while it is held, so that one that waits notices

    def begin(self) -> None:
        """Clear a recorded failure, and a folder in which no run was begun: an interruption can leave partial files in it."""
        self.error.unlink(missing_ok=True)
        if not self.folder.config.is_file():
            shutil.rmtree(self.folder.path, ignore_errors=True)

    def mark_done(self, seconds: float) -> None:
        """Record that all files are written; ``seconds``: duration of this attempt."""
        write_json(self.marker, {"key": self.key(), "seconds": round(seconds, 2)})

    def seconds(self) -> float:
        """What :meth:`mark_done` recorded."""
        with damage_as_error(self.marker, f"delete {self.folder.path}: the cell is then run again"):
            return float(read_json(self.marker)["seconds"])

    def mark_failed(self, error: BaseException) -> None:
        """Record the reason for a failure."""
        lines = traceback.format_exception(error)
        write_json(
            self.error,
            {"message": message_of(error), "kind": type(error).__name__, "traceback": "".join(lines)},
        )

    def failure(self) -> str | None:
        """Why the cell failed, in one line; None if it did not."""
        if not self.error.is_file():
            return None
        return str(read_json(self.error).get("message"))

    def write_results(self, results: list[Result]) -> None:
        """Store its evaluation, one result per protocol."""
        write_json(self.folder.evaluation, {result.protocol: result.to_json() for result in results})

    def results(self) -> dict[str, Result]:
        """Protocol -> evaluation, for a finished cell."""
        path = self.folder.evaluation
        with damage_as_error(path, f"delete {self.folder.path}: `bgs experiment` runs the cell again"):
            found = read_json(path)
            return {name: Result.from_json(found[name]) for name in self.config.evaluation.protocols}


def cells_of(config: ExperimentConfig, folder: Path, data: str) -> list[Cell]:
    """All cells in the order in which they are run: model by model, the base model first, then seed by seed.

    Raises:
        ConfigError: see :meth:`ExperimentConfig.training_config`.
    """

    def cell(model: str, condition: Condition, seed: int) -> Cell:
        settings = config.training_config(model, condition, seed, data)
        return Cell(model, condition, seed, settings, RunFolder(folder / model / condition / f"seed-{seed}"))

    cells = []
    for model in config.models:
        cells += [cell(model, Condition.BASE, seed) for seed in config.base_seeds(model)]
        cells += [cell(model, condition, seed) for seed in config.seeds for condition in config.trained]
    return cells
