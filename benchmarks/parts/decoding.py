"""(h) Decoding 90-frame 320 × 240 H.264 beside bare decoding by PyAV, threads beside one, and frames from a warm cache.

How fast clips decode depends on their bit rate, so these are made on the spot. Bare decoding decodes all,
makes no checks, chooses nothing and resizes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import av
import numpy as np
import torch

from bgs.stimuli import FrameCache, Sampling, decode
from bgs.stimuli.decode_pool import decode_all
from parts.made_clips import distinct_copies, make_clip
from parts.rows import Row, Spread, Target
from parts.timing import in_turns, ratio_row, scratch


@dataclass(frozen=True)
class Size:
    """Distinct clips; numbers of clips for threads, with rounds; clips in the cache; rounds of the rest."""

    clips: int
    threads: dict[int, int]
    cached: int
    repeats: int


SIZES = {
    "full": Size(8, {8: 15, 64: 9, 256: 3}, 1000, 15),
    "quick": Size(8, {64: 1}, 200, 5),
    "smallest": Size(1, {2: 1}, 4, 1),
}


def measure(size: str) -> list[Row]:
    """Rows of this part."""
    wanted = SIZES[size]
    torch.set_num_threads(1)
    with scratch() as folder:
        paths = [make_clip(folder / f"{seed}.mp4", seed) for seed in range(wanted.clips)]
        shares = [share(paths, frames, wanted.repeats) for frames in (8, 16)]
        gains = [gain(paths, clips, repeats) for clips, repeats in wanted.threads.items()]
        return [*shares, *gains, cache(folder, paths, wanted)]


def decode_each(paths: list[Path], sampling: Sampling) -> None:
    for path in paths:
        decode(path, sampling)


def decode_bare(paths: list[Path]) -> None:
    for path in paths:
        with av.open(str(path)) as container:
            container.streams.video[0].codec_context.thread_count = 1
            for _ in container.decode(video=0):
                pass


def share(paths: list[Path], frames: int, repeats: int) -> Row:
    """Time of bare decoding divided by that of decoding, on one core."""
    ways = {"ours": partial(decode_each, paths, Sampling(frames, 224)), "bare": partial(decode_bare, paths)}
    spent = in_turns(ways, repeats, time.process_time)
    what = f"decoding to {frames}×224², one core, beside bare decoding"
    return ratio_row(
        f"h: {frames} frames", what, spent["ours"], spent["bare"], Target("≥", 0.9), scale=1e3 / len(paths), unit="ms",
        more={"bytes a clip": [path.stat().st_size for path in paths]},
    )  # fmt: skip


def gain(paths: list[Path], clips: int, repeats: int) -> Row:
    """How many times as fast the default number of threads decodes clips as one does."""
    many = [paths[k % len(paths)] for k in range(clips)]

    def work(workers: int | None) -> Callable[[], object]:
        return lambda: list(decode_all(many, Sampling(8, 224), "pyav", workers))

    spent = in_turns({"default": work(None), "one": work(1)}, repeats)
    what = f"decoding {clips} clips by the default number of threads beside one"
    target = Target("≥", 1) if clips >= 64 else None
    return ratio_row(f"h: threads, {clips} clips", what, spent["default"], spent["one"], target)


def cache(folder: Path, paths: list[Path], size: Size) -> Row:
    """Clips a second from the warm cache, of 8 × 64², beside a plain memory-mapped array of the same frames."""
    stimuli, kept, sampling = (
        distinct_copies(folder / "copies", paths, size.cached),
        FrameCache(folder / "frames"),
        Sampling(8, 64),
    )
    np.save(folder / "plain.npy", np.asarray(kept.open_frames(stimuli, sampling).array[:]))

    def read(open_array: Callable[[], np.ndarray]) -> None:
        array = open_array()
        for begin in range(0, size.cached, 32):
            np.array(array[begin : begin + 32])

    spent = in_turns(
        {
            "ours": lambda: read(lambda: kept.open_frames(stimuli, sampling).array),
            "plain": lambda: read(lambda: np.load(folder / "plain.npy", mmap_mode="r")),
        },
        size.repeats,
    )
    rates = [size.cached / one for one in spent["ours"]]
    beside = size.cached / Spread.of(spent["plain"]).median
    what = (
        "frames from the warm cache, opened and verified, 8×64², beside a mapped array that nobody verifies"
    )
    return Row(
        "h: cache",
        what,
        Spread.of(rates),
        "clips/s",
        Spread.of(rates).median,
        beside,
        "clips/s",
        Target("≥", 5000),
    )
