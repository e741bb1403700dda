"""Clips decoded by several threads: what comes back, and what an abandoned run leaves."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from queue import SimpleQueue
from threading import Event

import numpy as np
import pytest

from bgs.stimuli import Sampling, decode_pool
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
    assert np.array_equal(next(frames), FRAMES)
    abandoned.set()
    assert outcome.get(timeout=60) is None
    assert decoded == ["0.mp4", "1.mp4"]


def close(frames: Generator[decode_pool.Outcome, None, None]) -> BaseException | None:
    try:
        frames.close()
    except RuntimeError as error:
        return error
    return None
