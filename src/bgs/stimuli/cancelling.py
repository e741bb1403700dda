"""Cooperative cancellation of work in threads: loops check between steps whether to continue."""

from __future__ import annotations

from contextvars import ContextVar
from threading import Event

_STOP: ContextVar[Event | None] = ContextVar("stop", default=None)


class Cancelled(Exception):
    """The result is no longer needed."""


def cancel_on(stop: Event) -> None:
    """Cancel the work of this thread when ``stop`` is set."""
    _STOP.set(stop)


def check_cancelled() -> None:
    """Raise an exception if the work of this thread has been cancelled.

    Raises:
        Cancelled: it has been.
    """
    stop = _STOP.get()
    if stop is not None and stop.is_set():
        raise Cancelled
