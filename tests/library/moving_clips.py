"""Short clips of a moving square."""

from __future__ import annotations

import numpy as np

#: Files of the fixture ``four_clips``.
NAMES = ("a.mp4", "b.mp4", "deep/c.mp4", "d's.mp4")


def moving_square(seed: int, frames: int = 12) -> np.ndarray:
    """(t, 64, 96, 3): a square of some colour that moves over a background of another."""
    random = np.random.default_rng(seed)
    colours = random.integers(0, 256, (2, 3), dtype=np.uint8)
    clip = np.empty((frames, 64, 96, 3), np.uint8)
    clip[:] = colours[0]
    start, step = random.integers(0, 30, 2), random.integers(1, 3, 2)
    for t in range(frames):
        y, x = start + step * t
        clip[t, y % 64 : y % 64 + 12, x % 96 : x % 96 + 12] = colours[1]
    return clip


#: Frames per second of :func:`shots_of`.
RATE = 10


def shots_of(*seconds: float) -> list[np.ndarray]:
    """Frames of shots, each of its own striped colour, with a square that moves."""
    random, frames = np.random.default_rng(0), []
    for length in seconds:
        still = np.tile(random.integers(0, 256, (1, 128, 3), dtype=np.uint8), (64, 1, 1))
        for t in range(round(length * RATE)):
            frame = still.copy()
            frame[20:30, t : t + 10] = 255
            frames.append(frame)
    return frames
