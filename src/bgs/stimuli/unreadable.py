"""What is wrong with a clip, or with several at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bgs._errors import DataError, some


class Failure(NamedTuple):
    """A stimulus that is left out, and why."""

    stimulus_id: str
    reason: str


class UnreadableClip(DataError):
    """A file that cannot give the frames asked of it.

    Attributes:
        reason: what is wrong, without the file's name.
    """

    def __init__(self, reason: str, path: str | Path) -> None:
        super().__init__(reason, where=path)
        self.reason = reason


class UnreadableClips(DataError):
    """Clips of a set that cannot be read, all of them.

    Attributes:
        failures: every one.
    """

    def __init__(self, failures: Sequence[Failure], total: int, hint: str | None = None) -> None:
        listed = some(f"{name} ({reason})" for name, reason in failures)
        super().__init__(f"{len(failures)} of {total} clips cannot be read: {listed}", hint=hint)
        self.failures = tuple(failures)
