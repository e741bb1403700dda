"""The clock of a server, which setting the clock of the machine does not move."""

from __future__ import annotations

import time
from collections.abc import Callable


def _passed() -> float:
    """Seconds that pass evenly; where the system can tell, those during which the machine slept too."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


class SteadyClock:
    """Seconds since 1970: the wall clock when the server started, and what has passed since.

    A wall clock that is set while people take part would end their sessions and give their blocks to others.

    Args:
        wall: seconds since 1970; read once.
        passed: seconds since some moment, never going back.
    """

    def __init__(self, wall: Callable[[], float] = time.time, passed: Callable[[], float] = _passed) -> None:
        self._passed = passed
        self._zero = wall() - passed()

    def __call__(self) -> float:
        return self._zero + self._passed()
