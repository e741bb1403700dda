"""The folder of a run: resolved configuration, metrics, checkpoint, adapter, embeddings, evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bgs._errors import BgsError, DataError
from bgs._files import (
    damage_as_error,
    is_empty,
    read_json,
    remove_scraps,
    require_output,
    write_json,
    write_text,
)
from bgs._scale import mean_of_rows
from bgs._typing import Float64
from bgs._yaml import read_mapping
from bgs.backbones.shared_reference import MANIFEST
from bgs.embeddings import Embeddings
from bgs.runs.resuming import require_same, require_same_origin
from bgs.training import TrainingConfig, TrainingLog, load_config
from bgs.training.training_log import AGAIN


class RunFolder(TrainingLog):
    """The output folder of a run; all files are written atomically.

    ``config.yaml``, ``provenance.json``, ``metrics.jsonl``, ``checkpoint.safetensors``, ``adapter/``,
    ``base.safetensors``, ``tuned.safetensors``, ``center.safetensors``, ``evaluation.json``; ``refit/`` with metrics and
    checkpoint of the second training, if there is one; ``readout/``, and ``folds/`` while it is being fitted on these.
    """

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self.config = self.path / "config.yaml"
        self.provenance = self.path / "provenance.json"
        self.adapter = self.path / "adapter"
        self.evaluation = self.path / "evaluation.json"
        self.center = self.path / "center.safetensors"
        self.readout = self.path / "readout"
        self.folds = self.path / "folds"

    def embeddings(self, which: str) -> Path:
        """Path of the ``base`` or ``tuned`` embeddings."""
        return self.path / f"{which}.safetensors"

    @property
    def refit(self) -> TrainingLog:
        """The training log of the second training, on all training clips."""
        return TrainingLog(self.path / "refit")

    def check(self, config: TrainingConfig) -> None:
        """Check, before anything is loaded, that a run can start or resume in the folder; nothing is written.

        Raises:
            BgsError: the folder contains other files, or cannot be created.
            ConfigError: it contains a run with another configuration (the first differing key is named).
        """
        require_output(self.config)
        if is_empty(self.path):
            return
        if not self.config.is_file():
            raise BgsError(
                "this folder contains other files",
                where=self.path,
                expected="a new folder, or the folder of this run",
            )
        usual = TrainingConfig(model=config.model, data=config.data).model_dump(mode="json")
        before = usual | read_mapping(self.config)  # an older version did not know every key
        now = config.model_dump(mode="json")
        if config.micro_batch == "auto":
            now["micro_batch"] = before["micro_batch"]
        require_same(before, now, "run", self.config)

    def open(self, config: TrainingConfig) -> None:
        """Start a run in an empty folder, or resume an interrupted one; only one process at a time.

        Raises:
            BgsError: see :meth:`check`.
        """
        self.check(config)
        remove_scraps(self.path)
        if not self.config.is_file():
            write_text(self.config, config.to_yaml())

    def micro_batch(self) -> int | None:
        """The micro-batch of the run, on record; None if it was not begun.

        Raises:
            DataError: the record has none.
        """
        if not self.config.is_file():
            return None
        found = load_config(self.config).micro_batch
        if found == "auto":
            raise DataError(
                "changed by hand", where=f"{self.config}, micro_batch",
                expected="the number that the run was begun with", got=found, hint=AGAIN,
            )  # fmt: skip
        return found

    def require_origin(self, origin: Mapping[str, str]) -> None:
        """Check that data, code and weights of a resumed run are unchanged; nothing is written.

        Args:
            origin: see :func:`require_same_origin`.

        Raises:
            ConfigError: a value differs, or there is no record of it.
        """
        if self.provenance.is_file():
            known = read_json(self.provenance, AGAIN).get("origin", {})
            with damage_as_error(self.provenance, AGAIN):
                known = {str(name): str(value) for name, value in dict(known).items()}
            require_same_origin(known, origin, "run", self.provenance)
        elif self.checkpoints():
            require_same_origin({}, origin, "run", self.provenance)

    @property
    def is_shared(self) -> bool:
        """Whether this is no run, but a model that was shared from one."""
        return (self.path / MANIFEST).is_file()

    def unfinished(self) -> BgsError:
        """The error where a finished run is needed and this folder holds none."""
        if not self.path.is_dir():
            return BgsError("no such folder", where=self.path)
        hint = "bgs train with this folder resumes an interrupted run"
        if self.is_shared:
            hint = "this is a shared model, which is not changed: give the run that it was shared from"
        return BgsError("no finished run here", where=self.path, hint=hint)

    def write_center(self, tuned: Embeddings, training_ids: Sequence[str]) -> None:
        """Save the mean of the training stimuli, on which embeddings are centred."""
        values = mean_of_rows(tuned.select(training_ids).values)[None]
        Embeddings(values, ("mean of the training stimuli",), tuned.source).save(self.center)

    def read_center(self) -> Float64[np.ndarray, " d"] | None:
        """Read that mean; None if the run was evaluated without centring.

        Raises:
            DataError: it was evaluated with centring, and the file is missing or damaged.
        """
        path = self.center_file()
        return None if path is None else read_center(path)

    def center_file(self) -> Path | None:
        """The file with that mean; see :meth:`read_center`."""
        if self.center.is_file():
            return self.center
        if self.config.is_file() and load_config(self.config).evaluation.center:
            raise DataError(
                "the centre of this model is missing: without it, distances are other ones", where=self.center,
                hint="get the file back, or train or share the model again in a new folder",
            )  # fmt: skip
        return None

    def chosen_pull(self) -> float | None:
        """The pull of a transform that this run was begun with, on record; None if it was not begun, or has no transform."""
        if not self.provenance.is_file():
            return None
        pull = read_json(self.provenance, AGAIN).get("pull")
        with damage_as_error(self.provenance, AGAIN):
            return None if pull is None else float(pull)

    def add_provenance(self, **more: Any) -> None:
        """Add entries to the provenance."""
        self.write_provenance(read_json(self.provenance, AGAIN) | more)

    def write_provenance(self, provenance: Mapping[str, Any]) -> None:
        """Write the provenance: data hashes, versions etc."""
        write_json(self.provenance, dict(provenance))


def read_center(path: Path) -> Float64[np.ndarray, " d"]:
    """Read the mean of the training stimuli that :meth:`RunFolder.write_center` wrote.

    Raises:
        DataError: not such a file, or it was changed.
    """
    found = Embeddings.load(path).values
    if len(found) != 1:
        raise DataError("not a centre", where=path, expected="one vector", got=len(found))
    center: Float64[np.ndarray, " d"] = found[0].astype(np.float64)
    return center
