"""Tables for 80 columns, and the console that prints them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO

from rich.console import Console, RenderableType
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.status import Status
from rich.table import Table
from rich.text import Text

from bgs._errors import shown
from bgs._progress import is_quiet


def console() -> Console:
    """Standard output; 80 columns wide if it is not a terminal. Silent after :func:`bgs._progress.be_quiet`."""
    return Console(highlight=False, markup=False, soft_wrap=False, quiet=is_quiet())


def waiting(text: str) -> Status:
    """A spinner on standard error, for work of unknown duration."""
    return Console(stderr=True, markup=False, quiet=is_quiet()).status(text)


def as_text(view: RenderableType) -> str:
    """A view as plain text, 80 columns wide."""
    with StringIO() as stream:
        Console(file=stream, width=80, highlight=False, markup=False, color_system=None).print(view)
        return stream.getvalue().rstrip("\n")


def as_html(view: RenderableType) -> str:
    """A view as an HTML fragment, for a notebook."""
    recorder = Console(file=StringIO(), width=80, highlight=False, markup=False, record=True)
    recorder.print(view)
    shape = '<pre style="white-space:pre;overflow-x:auto;line-height:normal">{code}</pre>'
    return recorder.export_html(inline_styles=True, code_format=shape)


def table(
    title: str,
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    numbers: Iterable[int] = (),
    names: Iterable[int] = (),
) -> Table:
    """A table; columns at the positions ``numbers`` are right-aligned, those at ``names`` never broken."""
    right, whole = set(numbers), set(names)
    drawn = Table(title=shown(title), title_justify="left", title_style="bold", header_style="bold")
    for position, name in enumerate(header):
        drawn.add_column(
            name, justify="right" if position in right else "left", overflow="fold", no_wrap=position in whole
        )
    for row in rows:
        drawn.add_row(*(Text(shown(str(cell))) for cell in row))
    return drawn


def facts(title: str, rows: Iterable[tuple[str, object]]) -> Table:
    """A table of names and values, without rules."""
    drawn = Table(
        title=shown(title),
        title_justify="left",
        title_style="bold",
        box=None,
        show_header=False,
        padding=(0, 2, 0, 0),
    )
    drawn.add_column(style="cyan", no_wrap=True)
    drawn.add_column(overflow="fold")
    for name, value in rows:
        drawn.add_row(name, Text(shown(str(value))))
    return drawn


def bytes_text(n: int) -> str:
    """A human-readable size: 2.9 MB."""
    return f"{n / 1e6:.1f} MB" if n >= 1e6 else f"{n / 1e3:.1f} kB"


@contextmanager
def download_progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar per file on standard error, with bytes and time left; silent if that is not a terminal."""
    columns = (
        TextColumn("{task.description}"), BarColumn(bar_width=20), DownloadColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    err = Console(stderr=True, markup=False)
    with Progress(
        *columns, console=err, transient=True, disable=is_quiet() or not err.is_terminal
    ) as progress:
        tasks: dict[str, TaskID] = {}

        def report(path: str, done: int, size: int) -> None:
            if path not in tasks:
                tasks[path] = progress.add_task(path.rsplit("/", 1)[-1], total=size)
            progress.update(tasks[path], completed=done, visible=done < size)

        yield report
