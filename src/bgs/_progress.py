"""Progress bars and notes on stderr; lines of a log where stderr is not a terminal. Silent after :func:`be_quiet`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any

from bgs._errors import shown

if TYPE_CHECKING:
    from rich.progress import Progress, Task

_SHOWN: ContextVar[Progress | None] = ContextVar("progress", default=None)
_NOTED: set[str] = set()
_LOGGER = logging.getLogger("bgs")
#: Set while the whole process, including its threads, prints nothing but errors.
_QUIET = Event()
#: Seconds between two lines of progress where no terminal is watched.
_BETWEEN_LINES = 30
#: Seconds over which speed is averaged: an epoch of a large encoder takes minutes.
_SPEED_PERIOD = 600


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

    The field ``note`` of a task is shown after its bar. Where stderr is not a terminal, progress is logged like notes, at
    most one line every half minute.
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
    with _display() if is_quiet() or sys.stderr.isatty() else _logged() as bar:
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
        disable=is_quiet(),
        speed_estimate_period=_SPEED_PERIOD,
    )


def _logged() -> Progress:
    from rich.progress import Progress, TaskID

    class Logged(Progress):
        logged_at = monotonic()

        def advance(self, task_id: TaskID, advance: float | int = 1) -> None:
            super().advance(task_id, advance)
            self.write_line()

        def update(self, task_id: TaskID, **changes: Any) -> None:
            super().update(task_id, **changes)
            self.write_line()

        def write_line(self) -> None:
            if monotonic() - self.logged_at >= _BETWEEN_LINES:
                self.logged_at = monotonic()
                lines = [_line(task) for task in self.tasks if task.visible and not task.finished]
                if lines:
                    _LOGGER.warning(shown("; ".join(lines)))

    return Logged(disable=True, get_time=monotonic, speed_estimate_period=_SPEED_PERIOD)


def _line(task: Task) -> str:
    """How far a task is: ``reading clips 240/1,102, 3.1/s, 4 min 38 s left``."""
    parts = [f"{task.description} {task.completed:,.0f}/{task.total or 0:,.0f}"]
    if task.speed and task.time_remaining is not None:
        parts += [f"{task.speed:.1f}/s" if task.speed >= 1 else f"{1 / task.speed:.1f} s each"]
        parts += [f"{_duration(round(task.time_remaining))} left"]
    return ", ".join([*parts, *filter(None, [str(task.fields.get("note", ""))])])


def _duration(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def note(*texts: str) -> None:
    """Tell the user how something was read, loaded or trained: each text once per process, through the logger ``bgs``.

    Notes have level WARNING, so notebooks show them; ``logging.getLogger("bgs").setLevel("ERROR")`` hides them.
    """
    for text in texts:
        if text not in _NOTED:
            _NOTED.add(text)
            _LOGGER.warning(shown(text))


class NoteHandler(logging.Handler):
    """Prints notes as ``note: …`` on stderr, above the progress display; used by the command line."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a note, unless :func:`be_quiet` was called."""
        if is_quiet():
            return
        bar, line = _SHOWN.get(), f"note: {record.getMessage()}"
        if bar is not None and not bar.disable:
            bar.console.print(line, highlight=False, markup=False)
        else:
            print(line, file=sys.stderr)
