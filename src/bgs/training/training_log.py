"""The log of a training run on disk: one line per epoch, and a checkpoint to resume from."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from bgs._errors import DataError
from bgs._files import append_text, damage_as_error, read_text, write_text

#: The hint for a damaged run.
AGAIN = "start again in a new folder"
_CHECKPOINT = re.compile(r"checkpoint(?:-([1-9][0-9]*))?\.safetensors")


class TrainingLog:
    """``metrics.jsonl`` and ``checkpoint.safetensors`` of a folder; ``checkpoint-1.safetensors`` is the one before, and so on."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.metrics = self.path / "metrics.jsonl"
        self.checkpoint = self.path / "checkpoint.safetensors"

    def checkpoints(self) -> list[Path]:
        """All checkpoints, the newest first; a process killed while they grew older can have left out a number."""
        found = {
            int(match[1] or 0): path
            for path in self.path.glob("checkpoint*.safetensors")
            if (match := _CHECKPOINT.fullmatch(path.name))
        }
        return [found[age] for age in sorted(found)]

    def age_checkpoints(self, keep: int) -> None:
        """Make room for a new checkpoint: the others grow older by one, and keep − 1 of them stay.

        The newest is moved last, so that there is a whole one at any time.
        """
        aged = [self.checkpoint, *(self.path / f"checkpoint-{age}.safetensors" for age in range(1, keep))]
        for age in reversed(range(keep - 1)):
            if aged[age].is_file():
                os.replace(aged[age], aged[age + 1])

    def start_metrics(self, keep_before: int) -> None:
        """Drop records of epochs from ``keep_before`` on, which will be repeated.

        Raises:
            DataError: an earlier epoch is missing.
        """
        kept = [record for record in self.read_metrics() if record["epoch"] < keep_before]
        if [record["epoch"] for record in kept] != list(range(keep_before)):
            raise DataError(
                "damaged: epochs are missing", where=self.metrics, expected=f"{keep_before}, as in the checkpoint",
                got=len(kept), hint=AGAIN,
            )  # fmt: skip
        write_text(self.metrics, "".join(json.dumps(record) + "\n" for record in kept))

    def append_metrics(self, record: dict[str, Any]) -> None:
        """Append one line."""
        append_text(self.metrics, json.dumps(record, allow_nan=False) + "\n")

    def read_metrics(self) -> list[dict[str, Any]]:
        """All complete lines; a truncated last line, left by a killed process, is dropped.

        Raises:
            DataError: a line is damaged.
        """
        if not self.metrics.is_file():
            return []
        lines = read_text(self.metrics).splitlines(keepends=True)
        return [self._record(k, line) for k, line in enumerate(lines, 1) if line.endswith("\n")]

    def _record(self, number: int, line: str) -> dict[str, Any]:
        with damage_as_error(f"{self.metrics}, line {number}", AGAIN):
            record: dict[str, Any] = json.loads(line)
            if type(record["epoch"]) is not int:
                raise TypeError("epoch is not an integer")
        return record
