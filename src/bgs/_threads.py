"""The processor cores that this process may use, and threads on them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TypeVar

T, R = TypeVar("T"), TypeVar("R")

#: Items that a thread takes at once, at most: handing over a small file takes longer than reading it.
_LARGEST = 64


def usable_cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_threads(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """``[work(item) for item in items]`` by one thread a core, for work that waits for disks or leaves Python.

    Raises:
        Exception: what ``work`` raised for the first item that it failed for.
    """
    cores = usable_cores()
    size = min(_LARGEST, max(1, len(items) // (8 * cores)))  # no thread is left waiting for another
    parts = [items[start : start + size] for start in range(0, len(items), size)]
    with ThreadPoolExecutor(cores) as pool:
        done = pool.map(lambda part: [work(item) for item in part], parts)
        return list(chain.from_iterable(done))
