"""Keeps cells at work in other processes until none is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from bgs._errors import BgsError
from bgs.experiments.cells import Cell
from bgs.experiments.launching.launcher import CellWork, Job, Launcher

#: Seconds between two looks at the processes.
_PAUSE = 0.1


def run_side_by_side(
    cells: Sequence[Cell],
    needed_by: Callable[[Cell], str],
    work_of: Callable[[Cell], CellWork],
    launcher: Launcher,
    tell: Callable[[Cell, str | None], None],
) -> dict[str, str]:
    """Run cells, each in a process that the launcher starts, as many at once as it admits.

    A cell that fails, or whose process dies, is recorded, and the others still run. If this is interrupted, all
    processes are ended.

    Args:
        cells: unfinished ones, in the order in which they are started.
        needed_by: name of the cell that must be finished before, or its own.
        work_of: what the process of a cell does.
        launcher: starts the processes.
        tell: called with each cell that has ended, and why it failed if it did.

    Returns:
        Name -> why it failed, in one line, of the cells that did.
    """
    waiting, failed = list(cells), dict[str, str]()
    running: dict[str, tuple[Cell, Job]] = {}

    def end(cell: Cell, problem: str | None) -> None:
        if problem is not None:
            failed[cell.name] = problem
        tell(cell, problem)

    try:
        while waiting or running:
            unfinished = {*running, *(cell.name for cell in waiting)}
            for cell in [c for c in waiting if needed_by(c) == c.name or needed_by(c) not in unfinished]:
                if launcher.jobs is not None and len(running) >= launcher.jobs:
                    break
                waiting.remove(cell)
                if needed_by(cell) in failed:
                    end(cell, _fail(cell, f"its base model failed: {failed[needed_by(cell)]}"))
                    continue
                cell.error.unlink(missing_ok=True)
                running[cell.name] = cell, launcher.start(work_of(cell))
            for cell, job in [each for each in running.values() if each[1].ended()]:
                del running[cell.name]
                end(cell, None if cell.is_done() else cell.failure() or _fail(cell, job.reason()))
            time.sleep(_PAUSE if running else 0)
    finally:
        for _, job in running.values():
            job.stop()
    return failed


def _fail(cell: Cell, problem: str) -> str:
    cell.mark_failed(BgsError(problem))
    return problem
