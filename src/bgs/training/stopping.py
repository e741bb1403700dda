"""Signals that end a training with a checkpoint; only the command line asks for that, so Python code keeps its own handlers."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from bgs._progress import is_quiet

#: What schedulers and terminals send; Windows lacks some.
SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGUSR1", "SIGUSR2", "SIGHUP") if hasattr(signal, name)
)  # fmt: skip
_WANTED: ContextVar[bool] = ContextVar("signals stop training", default=False)


class Stopped(BaseException):
    """A training has ended itself because a signal asked for it; no error, so nothing that handles errors catches it.

    Attributes:
        status: exit status of the process, 128 + the number of the signal, as shells have it.
    """

    def __init__(self, number: int, where: str) -> None:
        self.status = 128 + number
        super().__init__(
            f"stopped by {signal.Signals(number).name} {where} (the same command with the same folder goes on from there)"
        )


@dataclass
class Asked:
    """The first of the signals that came while a training watched.

    Attributes:
        watched: whether signals are watched for at all.
        number: of the signal; 0 is none.
        heeded: whether the training ended because of it.
        earlier: handlers of before.
    """

    watched: bool = False
    number: int = 0
    heeded: bool = False
    earlier: dict[int, Any] = field(default_factory=dict)

    def receive(self, number: int, frame: object) -> None:
        """Remember a signal. The handler of before gets a second SIGINT, and ends the process at once."""
        self.number = self.number or number
        if number == signal.SIGINT:
            signal.signal(number, self.earlier[number])
            if not is_quiet():  # a handler must not print: the stream may be in use
                os.write(
                    2, b"\nbgs: ends after this update, with a checkpoint; Ctrl-C once more ends at once\n"
                )


@contextmanager
def signals_stop_training() -> Iterator[None]:
    """Trainings within end at a signal, with a checkpoint and :class:`Stopped`; for programs, not for libraries."""
    token = _WANTED.set(True)
    try:
        yield
    finally:
        _WANTED.reset(token)


@contextmanager
def watched_signals() -> Iterator[Asked]:
    """Watch for signals, in the main thread and where that is wanted; the handlers of before are restored at the end.

    Ignored signals (``nohup``) stay ignored. One that came too late to be heeded is sent again.
    """
    asked = Asked()
    if not _WANTED.get() or threading.current_thread() is not threading.main_thread():
        yield asked
        return
    asked.watched = True
    asked.earlier = {
        number: handler
        for number in SIGNALS
        if (handler := signal.getsignal(number)) not in (signal.SIG_IGN, None)
    }
    try:
        for number in asked.earlier:
            signal.signal(number, asked.receive)
        yield asked
    finally:
        for number, handler in asked.earlier.items():
            signal.signal(number, handler)
    if asked.number and not asked.heeded:
        signal.raise_signal(asked.number)
