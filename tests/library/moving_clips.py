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
