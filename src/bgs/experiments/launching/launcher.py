"""What a launcher is: it starts a cell in another process, and tells how that ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class CellWork:
    """One cell of an experiment that was begun, as another process does it.

    Attributes:
        out: folder of the experiment, as it was given.
        name: of the cell, ``model/condition/seed-k``.
        mirror: of published data, or None.
    """

    out: str
    name: str
    mirror: str | None = None

    @property
    def log(self) -> Path:
        """What the process says."""
        return Path(self.out) / "logs" / f"{self.name}.log"

    def __call__(self) -> None:
        """Do it in this process; a failure is recorded with the cell."""
        from bgs.experiments.grid import run_cell

        run_cell(self.out, self.name, mirror=self.mirror)


@runtime_checkable
class Job(Protocol):
    """A cell at work in another process."""

    def ended(self) -> bool:
        """Whether the process has ended, however it did."""

    def reason(self) -> str:
        """Why it ended without finishing its cell, as far as it can be told from outside."""

    def stop(self) -> None:
        """End it now; the cell goes on from its last checkpoint another time."""


@runtime_checkable
class Launcher(Protocol):
    """Starts cells."""

    @property
    def jobs(self) -> int | None:
        """How many may be at work at once; None: any number."""

    def start(self, work: CellWork) -> Job:
        """Start a cell, and return at once."""
