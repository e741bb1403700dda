"""Work in threads that is to end early: whoever loops asks, between two pieces, whether it still matters."""

from __future__ import annotations

from contextvars import ContextVar
from threading import Event

_STOP: ContextVar[Event | None] = ContextVar("stop", default=None)


class Cancelled(Exception):
    """Nobody waits for the result any more."""


def heed(stop: Event) -> None:
    """From now on this thread ends its work when ``stop`` is set."""
    _STOP.set(stop)


def check_cancelled() -> None:
    """Go on, unless the thread's work is to end.

    Raises:
        Cancelled: it is.
    """
    stop = _STOP.get()
    if stop is not None and stop.is_set():
        raise Cancelled
