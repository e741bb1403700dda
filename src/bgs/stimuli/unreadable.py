"""Errors for clips that cannot be read."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bgs._errors import DataError, listed
from bgs._files import write_text


class Failure(NamedTuple):
    """A skipped stimulus and the reason."""

    stimulus_id: str
    reason: str


class UnreadableClip(DataError):
    """A file from which the requested frames cannot be read.

    Attributes:
        reason: the problem, without the file name.
    """

    def __init__(self, reason: str, path: str | Path) -> None:
        super().__init__(reason, where=path)
        self.reason = reason


class UnreadableClips(DataError):
    """One or more clips of a set cannot be read.

    Attributes:
        failures: all of them.
        total: clips of the set.
    """

    def __init__(
        self, failures: Sequence[Failure], total: int, hint: str | None = None, kind: str = "clips"
    ) -> None:
        names = listed(f"{name} ({reason})" for name, reason in failures)
        super().__init__(f"{len(failures)} of {total} {kind} cannot be read: {names}", hint=hint)
        self.failures, self.total = tuple(failures), total


def write_failures(path: Path, failures: Sequence[Failure]) -> None:
    """Write skipped stimuli and the reasons as CSV."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([Failure._fields, *failures])
    write_text(path, text.getvalue())
