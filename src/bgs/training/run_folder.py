"""The folder of a run: resolved configuration, metrics, checkpoint, adapter, embeddings, evaluation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bgs._errors import BgsError, ConfigError
from bgs._files import (
    append_text,
    is_empty,
    legible,
    read_text,
    remove_scraps,
    require_output,
    write_json,
    write_text,
)
from bgs._yaml import read_mapping
from bgs.training.config import TrainingConfig


class RunFolder:
    """Where a run keeps what it makes; every file is written whole.

    ``config.yaml``, ``provenance.json``, ``metrics.jsonl``, ``checkpoint.safetensors``, ``adapter/``,
    ``base.safetensors``, ``tuned.safetensors``, ``evaluation.json``; ``refit/`` with metrics and checkpoint of the second
    training, where there is one.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = self.path / "config.yaml"
        self.provenance = self.path / "provenance.json"
        self.metrics = self.path / "metrics.jsonl"
        self.checkpoint = self.path / "checkpoint.safetensors"
        self.adapter = self.path / "adapter"
        self.evaluation = self.path / "evaluation.json"

    def embeddings(self, which: str) -> Path:
        """File of the ``base`` or ``tuned`` embeddings."""
        return self.path / f"{which}.safetensors"

    @property
    def refit(self) -> RunFolder:
        """Where the training on all training clips keeps its metrics and checkpoint."""
        return RunFolder(self.path / "refit")

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

    def start_metrics(self, keep_before: int) -> None:
        """Drop what was recorded at or after epoch ``keep_before``: it will be done again."""
        kept = [record for record in self.read_metrics() if record["epoch"] < keep_before]
        write_text(self.metrics, "".join(json.dumps(record) + "\n" for record in kept))

    def append_metrics(self, record: dict[str, Any]) -> None:
        """Add one line."""
        append_text(self.metrics, json.dumps(record, allow_nan=False) + "\n")

    def read_metrics(self) -> list[dict[str, Any]]:
        """All whole lines; a last line cut off by a kill has no newline and is dropped.

        Raises:
            DataError: a line is damaged.
        """
        if not self.metrics.is_file():
            return []
        lines = read_text(self.metrics).splitlines(keepends=True)
        return [self._record(k, line) for k, line in enumerate(lines, 1) if line.endswith("\n")]

    def _record(self, number: int, line: str) -> dict[str, Any]:
        with legible(f"{self.metrics}, line {number}", "start again in a new folder"):
            record: dict[str, Any] = json.loads(line)
            if not isinstance(record["epoch"], int):
                raise TypeError("epoch is not a whole number")
        return record

    def add_provenance(self, **more: Any) -> None:
        """Record what became known on the way."""
        self.write_provenance(json.loads(self.provenance.read_text(encoding="utf-8")) | more)

    def write_provenance(self, provenance: Mapping[str, Any]) -> None:
        """Record data hashes, versions and the like."""
        write_json(self.provenance, dict(provenance))


def require_same(before: Mapping[str, Any], now: Mapping[str, Any], what: str, where: Path) -> None:
    """Refuse to go on with ``what`` (run, experiment) under other settings.

    Raises:
        ConfigError: a value differs; the first differing key is named.
    """
    flat_before, flat_now = _flat(dict(before)), _flat(dict(now))
    for key in sorted(flat_before.keys() | flat_now.keys()):
        if flat_before.get(key) != flat_now.get(key):
            raise ConfigError(
                f"this {what} was started with other settings: {key}", where=where,
                expected=flat_before.get(key), got=flat_now.get(key), hint="resume with the same configuration",
            )  # fmt: skip


def require_same_origin(before: Mapping[str, str], now: Mapping[str, str], what: str, where: Path) -> None:
    """Refuse to go on with ``what`` (run, experiment) from other data, code or weights.

    Args:
        before: name in the plural (``trials``, ``sources of bgs``) -> SHA-256, as it was recorded.
        now: the same, as it is.
        what: what was begun.
        where: file that has the record.

    Raises:
        ConfigError: one differs, or was not recorded; it is named.
    """
    for name, value in now.items():
        if before.get(name) != value:
            raise ConfigError(
                f"the {name} are not those that this {what} was begun with", where=where,
                expected=before.get(name, "nothing recorded")[:16], got=value[:16], hint="take a new folder",
            )  # fmt: skip


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        flat |= _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    return flat
