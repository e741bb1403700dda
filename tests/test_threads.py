"""Work on the cores of this process: as the plain loop, in order, and errors are not lost."""

from __future__ import annotations

import os
import threading
import time

import pytest

from bgs import _threads
from bgs._threads import in_threads, usable_cores


@pytest.mark.parametrize("number", [0, 1, 7, 64, 1000])
@pytest.mark.parametrize("cores", [1, 3])
def test_it_is_the_plain_loop(monkeypatch, number, cores):
    monkeypatch.setattr(_threads, "usable_cores", lambda: cores)
    items = list(range(number))
    assert in_threads(lambda item: item * item, items) == [item * item for item in items]


def test_several_threads_share_it(monkeypatch):
    monkeypatch.setattr(_threads, "usable_cores", lambda: 2)
    seen = set()

    def work(_):
        time.sleep(0.005)
        seen.add(threading.get_ident())

    in_threads(work, range(20))
    assert len(seen) == 2


def test_the_first_error_is_raised():
    def work(item):
        if item >= 50:
            raise ValueError(f"item {item}")
        return item

    with pytest.raises(ValueError, match="item 50"):
        in_threads(work, range(100))


def test_cores_are_those_that_this_process_may_use():
    assert usable_cores() == len(os.sched_getaffinity(0))
