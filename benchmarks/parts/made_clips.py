"""Clips made on the spot: a picture drifts over another, with noise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bgs.stimuli import StimulusSet
from bgs.stimuli.encoding import write_video

FRAMES, HEIGHT, WIDTH, FPS = 90, 240, 320, 30


def smooth(random: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A picture with detail at every scale, (height, width, 3) floats 0–255."""
    picture = np.zeros((height, width, 3))
    for cells in (2, 4, 8, 16, 32):
        coarse = random.normal(size=(cells, cells, 3)) / cells**0.7
        rows, columns = np.linspace(0, cells - 1, height), np.linspace(0, cells - 1, width)
        picture += coarse[np.round(rows).astype(int)][:, np.round(columns).astype(int)]
    return 255 * (picture - picture.min()) / np.ptp(picture)


def make_clip(path: Path, seed: int) -> Path:
    """Write one clip."""
    random = np.random.default_rng(seed)
    behind, front = smooth(random, HEIGHT, WIDTH), smooth(random, HEIGHT // 2, WIDTH // 3)

    def pictures() -> Iterator[np.ndarray]:
        for frame in range(FRAMES):
            picture = np.roll(behind, frame // 2, axis=1)
            picture[20 + frame : 20 + frame + len(front), 2 * frame : 2 * frame + front.shape[1]] = front
            noisy = picture + random.normal(scale=5, size=picture.shape)
            yield np.clip(noisy, 0, 255).astype(np.uint8)

    write_video(path, pictures(), FPS, quality=23)
    return path


def distinct_copies(folder: Path, paths: list[Path], n: int, first: int = 0) -> StimulusSet:
    """Clips that look alike but are different files: each ends with an empty MP4 box that holds its number, from ``first`` on."""
    folder.mkdir()
    for i in range(first, first + n):
        box = (16).to_bytes(4, "big") + b"free" + i.to_bytes(8, "big")
        (folder / f"{i}.mp4").write_bytes(paths[i % len(paths)].read_bytes() + box)
    return StimulusSet.from_folder(folder)
