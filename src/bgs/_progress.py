"""Progress bars and notes on stderr. Silent where stderr is not a terminal, and after :func:`be_quiet`."""

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
#: Set while the whole process, including its threads, prints nothing but errors.
_QUIET = Event()


def be_quiet(wanted: bool = True) -> None:
    """Suppress progress bars, notes on stderr and tables (:mod:`bgs.views.console`) from now on; errors are still printed."""
    if wanted:
        _QUIET.set()
    else:
        _QUIET.clear()


def is_quiet() -> bool:
    """Whether only errors are printed."""
    return _QUIET.is_set()


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress display on stderr. There is only one: nested calls add their tasks to it until they are done.

    The field ``note`` of a task is shown after its bar.
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
    """Tell the user how something was read, loaded or trained: each text once per process, through the logger ``bgs``.

    Notes have level WARNING, so notebooks show them; ``logging.getLogger("bgs").setLevel("ERROR")`` hides them.
    """
    for text in texts:
        if text not in _NOTED:
            _NOTED.add(text)
            _LOGGER.warning(text)


class NoteHandler(logging.Handler):
    """Prints notes as ``note: …`` on stderr, above the progress display; used by the command line."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a note, unless :func:`be_quiet` was called."""
        if is_quiet():
            return
        shown, line = _SHOWN.get(), f"note: {record.getMessage()}"
        if shown is not None and not shown.disable:
            shown.console.print(line, highlight=False, markup=False)
        else:
            print(line, file=sys.stderr)
