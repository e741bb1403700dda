"""Competitors in turns, and processes of their own whose peak memory is theirs alone."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from parts.rows import Row, Spread, Target

Work = Callable[[], object]
Value = TypeVar("Value")


def seconds(work: Work, clock: Callable[[], float] = time.perf_counter) -> float:
    """How long one call takes, by the clock on the wall or another."""
    begin = clock()
    work()
    return clock() - begin


def in_turns(
    competitors: Mapping[str, Work],
    repeats: int,
    clock: Callable[[], float] = time.perf_counter,
    times: int = 1,
) -> dict[str, list[float]]:
    """Seconds a call of each, in ``repeats`` rounds in which they alternate, forwards and backwards, after one call that is
    not counted. A round calls each ``times`` times at once, where one call is too short for the clock."""
    for work in competitors.values():
        work()
    spent: dict[str, list[float]] = {name: [] for name in competitors}
    for round_ in range(repeats):
        for name in list(competitors)[:: -1 if round_ % 2 else 1]:
            work = competitors[name]
            spent[name].append(seconds(lambda work=work: [work() for _ in range(times)], clock) / times)
    return spent


def ratio_row(
    key: str,
    what: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    target: Target | None = None,
    *,
    inverse: bool = False,
    scale: float = 1.0,
    unit: str = "s",
    more: Mapping[str, Any] | None = None,
) -> Row:
    """How many times as long theirs takes, or ours (``inverse``), pair by pair; medians are times ``scale``."""
    ratios = [own / other if inverse else other / own for own, other in zip(ours, theirs, strict=True)]
    medians = (scale * Spread.of(side).median for side in (ours, theirs))
    return Row(key, what, Spread.of(ratios), "×", *medians, unit, target, more)


def alone(function: Callable[..., Value], *arguments: object) -> Value:
    """The value of ``function``, which a module defines, called in a new process.

    Raises:
        BrokenProcessPool: the process died, of a lack of memory for instance.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def peak_megabytes() -> float:
    """Peak resident memory of this process, in 10⁶ bytes.

    Where Linux keeps it by process image; ``ru_maxrss`` also counts the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


@contextmanager
def scratch() -> Iterator[Path]:
    """A temporary folder, in which decoded frames are cached meanwhile."""
    before = os.environ.get("BGS_CACHE")
    with TemporaryDirectory() as name:
        os.environ["BGS_CACHE"] = str(Path(name) / "cache")
        try:
            yield Path(name)
        finally:
            del os.environ["BGS_CACHE"]
            if before is not None:
                os.environ["BGS_CACHE"] = before
