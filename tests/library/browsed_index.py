"""Two small indexes of real clips in a folder, to be browsed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from small_index import small_index

from bgs.library import Index
from clips import write_clip

#: Two groups in folders of their own, and two pieces of a long video.
IDS = (
    *(f"{kind}/clip-{k}.mp4" for kind in ("helping", "chasing") for k in range(5)),
    "long.mp4#t=0.00,0.50",
    "long.mp4#t=0.50,1.00",
)


def browsed_index(folder: Path, name: str = "index", seed: int = 0, model: str = "pixels:") -> Index:
    """An index of the clips of :data:`IDS`; the clips are written once."""
    clips = folder / "clips"
    for number, file in enumerate(dict.fromkeys(one.partition("#")[0] for one in IDS)):
        if not (clips / file).exists():
            (clips / file).parent.mkdir(parents=True, exist_ok=True)
            write_clip(
                clips / file, [_picture(number, k) for k in range(12)], rate=12,
                options={"movflags": "faststart"}, codec_options={"preset": "ultrafast"},
            )  # fmt: skip
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(len(IDS), 8)) + 8 * np.eye(8)[[*[0] * 5, *[1] * 5, 2, 2]]
    return small_index(folder / name, vectors, IDS, clips, model)


def _picture(number: int, frame: int) -> np.ndarray:
    """(96, 128, 3) a square that moves, of another colour in each clip."""
    picture = np.full((96, 128, 3), 235, np.uint8)
    picture[20 + 4 * number % 40 :][:30, 8 * frame : 8 * frame + 30] = (
        np.array([37, 91, 53]) * (number + 1) % 200
    )
    return picture
