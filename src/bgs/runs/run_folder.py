"""The folder of a run: resolved configuration, metrics, checkpoint, adapter, embeddings, evaluation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bgs._errors import BgsError
from bgs._files import (
    is_empty,
    remove_scraps,
    require_output,
    write_json,
    write_text,
)
from bgs._yaml import read_mapping
from bgs.runs.resuming import require_same, require_same_origin
from bgs.training import TrainingConfig, TrainingLog


class RunFolder(TrainingLog):
    """Where a run keeps what it makes; every file is written whole.

    ``config.yaml``, ``provenance.json``, ``metrics.jsonl``, ``checkpoint.safetensors``, ``adapter/``,
    ``base.safetensors``, ``tuned.safetensors``, ``evaluation.json``; ``refit/`` with metrics and checkpoint of the second
    training, where there is one.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self.config = self.path / "config.yaml"
        self.provenance = self.path / "provenance.json"
        self.adapter = self.path / "adapter"
        self.evaluation = self.path / "evaluation.json"

    def embeddings(self, which: str) -> Path:
        """File of the ``base`` or ``tuned`` embeddings."""
        return self.path / f"{which}.safetensors"

    @property
    def refit(self) -> TrainingLog:
        """Of the training on all training clips."""
        return TrainingLog(self.path / "refit")

    def check(self, config: TrainingConfig, resume: bool) -> None:
        """See, before anything is loaded, that a run can begin in the folder or go on in it; nothing is written.

        Raises:
            BgsError: the folder holds something and ``resume`` is off, holds no run to resume, or cannot be made.
            ConfigError: the run was started with another configuration (the first differing key is named).
        """
        require_output(self.config)
        if not resume:
            if not is_empty(self.path):
                raise BgsError(
                    "output folder is not empty",
                    where=self.path,
                    expected="a new folder",
                    hint="or go on with --resume",
                )
            return
        if not self.config.is_file():
            raise BgsError("no run to resume here", where=self.path, expected="a folder with config.yaml")
        require_same(read_mapping(self.config), config.model_dump(mode="json"), "run", self.config)

    def open(self, config: TrainingConfig, resume: bool) -> None:
        """Begin a run in an empty folder, or go on with one of the same configuration; only one process at a time.

        Raises:
            BgsError: see :meth:`check`.
        """
        self.check(config, resume)
        remove_scraps(self.path)
        if not resume:
            write_text(self.config, config.to_yaml())

    def require_origin(self, origin: Mapping[str, str]) -> None:
        """See that a run that goes on finds what it was begun with: data, code, weights. Nothing is written.

        Args:
            origin: see :func:`require_same_origin`.

        Raises:
            ConfigError: one differs, or there is no record of it.
        """
        if self.provenance.is_file():
            known = json.loads(self.provenance.read_text(encoding="utf-8")).get("origin", {})
            require_same_origin(known, origin, "run", self.provenance)
        elif self.checkpoint.is_file():
            require_same_origin({}, origin, "run", self.provenance)

    def add_provenance(self, **more: Any) -> None:
        """Record what became known on the way."""
        self.write_provenance(json.loads(self.provenance.read_text(encoding="utf-8")) | more)

    def write_provenance(self, provenance: Mapping[str, Any]) -> None:
        """Record data hashes, versions and the like."""
        write_json(self.provenance, dict(provenance))
