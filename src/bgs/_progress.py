"""Progress bars and notes: what is done, how long it will take. Silent where nobody watches, or where silence is asked for."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

_SHOWN: ContextVar[Progress | None] = ContextVar("progress", default=None)
_NOTED: set[str] = set()
_LOGGER = logging.getLogger("bgs")
#: Set while the whole process, its threads too, is to print nothing but errors.
_QUIET = Event()


def be_quiet(wanted: bool = True) -> None:
    """No progress display, no notes on stderr, and no tables (:mod:`bgs.views.console`) from now on; errors stay."""
    if wanted:
        _QUIET.set()
    else:
        _QUIET.clear()


def is_quiet() -> bool:
    """Whether nothing but errors is to be printed."""
    return _QUIET.is_set()


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress display on stderr. There is one: inside another, tasks appear below its tasks until they are done.

    A field ``note`` of a task is shown behind its bar.
    """
    outer = _SHOWN.get()
    if outer is not None:
        before = set(outer.task_ids)
        try:
            yield outer
        finally:
            for task in set(outer.task_ids) - before:
                outer.remove_task(task)
        return
    with _display() as bar:
        token = _SHOWN.set(bar)
        try:
            yield bar
        finally:
            _SHOWN.reset(token)


def _display() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.table import Column
    from rich.text import Text

    class Note(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(str(task.fields.get("note", "")))

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        Note(table_column=Column(no_wrap=True, overflow="ellipsis")),
        console=Console(stderr=True),
        disable=is_quiet() or not sys.stderr.isatty(),
        speed_estimate_period=600,  # seconds: an epoch of a large encoder takes minutes
    )


def note(*texts: str) -> None:
    """What a user should know of how something was read, loaded or is trained: once a process, to the logger ``bgs``.

    They are warnings there, so that a notebook shows them; ``logging.getLogger("bgs").setLevel("ERROR")`` does not.
    """
    for text in texts:
        if text not in _NOTED:
            _NOTED.add(text)
            _LOGGER.warning(text)


class NoteHandler(logging.Handler):
    """Prints notes above the progress display, as the command line does: ``note: …`` on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one, unless silence is asked for."""
        if is_quiet():
            return
        shown, line = _SHOWN.get(), f"note: {record.getMessage()}"
        if shown is not None and not shown.disable:
            shown.console.print(line, highlight=False, markup=False)
        else:
            print(line, file=sys.stderr)
