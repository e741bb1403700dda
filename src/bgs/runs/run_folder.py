"""The folder of a run: resolved configuration, metrics, checkpoint, adapter, embeddings, evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bgs._errors import BgsError
from bgs._files import is_empty, legible, read_json, remove_scraps, require_output, write_json, write_text
from bgs._scale import mean_of_rows
from bgs._typing import Float64
from bgs._yaml import read_mapping
from bgs.embeddings import Embeddings
from bgs.runs.resuming import require_same, require_same_origin
from bgs.training import TrainingConfig, TrainingLog
from bgs.training.training_log import AGAIN


class RunFolder(TrainingLog):
    """Where a run keeps what it makes; every file is written whole.

    ``config.yaml``, ``provenance.json``, ``metrics.jsonl``, ``checkpoint.safetensors``, ``adapter/``,
    ``base.safetensors``, ``tuned.safetensors``, ``center.safetensors``, ``evaluation.json``; ``refit/`` with metrics and
    checkpoint of the second training, where there is one.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self.config = self.path / "config.yaml"
        self.provenance = self.path / "provenance.json"
        self.adapter = self.path / "adapter"
        self.evaluation = self.path / "evaluation.json"
        self.center = self.path / "center.safetensors"

    def embeddings(self, which: str) -> Path:
        """File of the ``base`` or ``tuned`` embeddings."""
        return self.path / f"{which}.safetensors"

    @property
    def refit(self) -> TrainingLog:
        """Of the training on all training clips."""
        return TrainingLog(self.path / "refit")

    def check(self, config: TrainingConfig) -> None:
        """See, before anything is loaded, that a run can begin in the folder or go on in it; nothing is written.

        Raises:
            BgsError: the folder holds something else, or cannot be made.
            ConfigError: it holds a run of another configuration (the first differing key is named).
        """
        require_output(self.config)
        if is_empty(self.path):
            return
        if not self.config.is_file():
            raise BgsError(
                "there is something else in this folder",
                where=self.path,
                expected="a new folder, or that of this run",
            )
        require_same(read_mapping(self.config), config.model_dump(mode="json"), "run", self.config)

    def open(self, config: TrainingConfig) -> None:
        """Begin a run in an empty folder, or go on with the one that was interrupted in it; only one process at a time.

        Raises:
            BgsError: see :meth:`check`.
        """
        self.check(config)
        remove_scraps(self.path)
        if not self.config.is_file():
            write_text(self.config, config.to_yaml())

    def require_origin(self, origin: Mapping[str, str]) -> None:
        """See that a run that goes on finds what it was begun with: data, code, weights. Nothing is written.

        Args:
            origin: see :func:`require_same_origin`.

        Raises:
            ConfigError: one differs, or there is no record of it.
        """
        if self.provenance.is_file():
            known = read_json(self.provenance, AGAIN).get("origin", {})
            with legible(self.provenance, AGAIN):
                known = {str(name): str(value) for name, value in dict(known).items()}
            require_same_origin(known, origin, "run", self.provenance)
        elif self.checkpoint.is_file():
            require_same_origin({}, origin, "run", self.provenance)

    def write_center(self, tuned: Embeddings, training_ids: Sequence[str]) -> None:
        """Keep the mean of the training stimuli, from which distances were measured."""
        values = mean_of_rows(tuned.select(training_ids).values)[None]
        Embeddings(values, ("mean of the training stimuli",), tuned.source).save(self.center)

    def read_center(self) -> Float64[np.ndarray, " d"] | None:
        """That mean; None where the run was measured without."""
        if not self.center.is_file():
            return None
        center: Float64[np.ndarray, " d"] = Embeddings.load(self.center).values[0].astype(np.float64)
        return center

    def add_provenance(self, **more: Any) -> None:
        """Record what became known on the way."""
        self.write_provenance(read_json(self.provenance, AGAIN) | more)

    def write_provenance(self, provenance: Mapping[str, Any]) -> None:
        """Record data hashes, versions and the like."""
        write_json(self.provenance, dict(provenance))
