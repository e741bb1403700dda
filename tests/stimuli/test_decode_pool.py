"""Clips decoded by several threads: what comes back, and what an abandoned run leaves."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from queue import SimpleQueue
from threading import Event

import numpy as np
import pytest

from bgs.stimuli import Sampling, decode_pool
from bgs.stimuli.cancelling import Cancelled, check_cancelled
from bgs.stimuli.decode_pool import decode_all

FRAMES = np.zeros((2, 4, 4, 3), np.uint8)
SAMPLING = Sampling(frames=2, size=4)
PATHS = [Path(f"{i}.mp4") for i in range(20)]


def test_closed_by_one_of_its_own_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The garbage collector may close what nobody reads any more in whichever thread it happens to run."""
    abandoned, decoded = Event(), []
    outcome: SimpleQueue[BaseException | None] = SimpleQueue()

    def decode(path: Path, *_: object) -> np.ndarray:
        decoded.append(path.name)
        if path.name == "1.mp4":
            assert abandoned.wait(60)
            outcome.put(close(frames))
        return FRAMES

    monkeypatch.setattr(decode_pool, "decode", decode)
    frames = decode_all(PATHS, SAMPLING, "pyav", workers=1)
    position, first = next(frames)
    assert position == 0
    assert np.array_equal(first, FRAMES)
    abandoned.set()
    assert outcome.get(timeout=60) is None
    assert decoded == ["0.mp4", "1.mp4"]


def test_an_interrupt_stops_clips_that_are_being_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long clip is not decoded to its end when nobody waits for it any more."""
    begun, stopped = Event(), Event()

    def decode(path: Path, *_: object) -> np.ndarray:
        if path.name == "0.mp4":
            return FRAMES
        begun.set()
        try:
            while True:
                check_cancelled()
        except Cancelled:
            stopped.set()
            raise

    monkeypatch.setattr(decode_pool, "decode", decode)
    frames = decode_all(PATHS, SAMPLING, "pyav", workers=1)
    next(frames)
    assert begun.wait(60)
    with pytest.raises(KeyboardInterrupt):
        frames.throw(KeyboardInterrupt)
    assert stopped.is_set()


def close(frames: Generator[tuple[int, decode_pool.Outcome], None, None]) -> BaseException | None:
    try:
        frames.close()
    except RuntimeError as error:
        return error
    return None
