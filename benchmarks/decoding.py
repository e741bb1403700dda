"""How many clips a second: decoding 90-frame 320 × 240 H.264 on one core, and reading frames from a warm cache.

    python benchmarks/decoding.py [--json OUT]

Clips are made on the spot: a picture drifts over another, with noise; how fast they decode depends on their bit
rate, so bare decoding by PyAV (no checks, no choice, no resizing) stands beside, and the share of its speed kept.
Sets of a few clips and of many are decoded by one thread and by the default number of them in turns: the ratio is what
the others are worth.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import av
import numpy as np
import torch

from bgs._files import write_json
from bgs.stimuli import FrameCache, Sampling, StimulusSet, decode
from bgs.stimuli.decode_pool import decode_all
from bgs.stimuli.encoding import write_video

FRAMES, HEIGHT, WIDTH, FPS = 90, 240, 320, 30
TARGETS = {
    "decode 8×224²": 40.0,
    "share of bare speed, 8×224²": 0.9,
    "warm cache 8×64²": 5000.0,
    "threads, 64 clips": 1.0,
}


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


def distinct_copies(folder: Path, paths: list[Path], n: int) -> StimulusSet:
    """Clips that look alike but are different files: each ends with an empty MP4 box that holds its number."""
    folder.mkdir()
    for i in range(n):
        box = (16).to_bytes(4, "big") + b"free" + i.to_bytes(8, "big")
        (folder / f"{i}.mp4").write_bytes(paths[i % len(paths)].read_bytes() + box)
    return StimulusSet.from_folder(folder)


def rate(
    clips: int, work: Callable[[], object], repeats: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Clips a second of ``work``, which does ``clips`` of them: median, slowest and fastest of the repeats."""
    rates = []
    for _ in range(repeats):
        begin = clock()
        work()
        rates.append(clips / (clock() - begin))
    return {"median": statistics.median(rates), "low": min(rates), "high": max(rates), "repeats": repeats}


def decode_each(paths: list[Path], sampling: Sampling) -> None:
    for path in paths:
        decode(path, sampling)


def decode_bare(paths: list[Path]) -> None:
    for path in paths:
        with av.open(str(path)) as container:
            container.streams.video[0].codec_context.thread_count = 1
            for _ in container.decode(video=0):
                pass


def share(paths: list[Path], sampling: Sampling, repeats: int) -> dict[str, float]:
    """Time of bare decoding divided by that of decoding, in turns on one core: median of pairs of runs."""

    def seconds(work: Callable[[], object]) -> float:
        begin = time.process_time()
        work()
        return time.process_time() - begin

    ratios = [
        seconds(partial(decode_bare, paths)) / seconds(partial(decode_each, paths, sampling))
        for _ in range(repeats)
    ]
    return {"median": statistics.median(ratios), "low": min(ratios), "high": max(ratios), "repeats": repeats}


def gain(paths: list[Path], sampling: Sampling, repeats: int) -> dict[str, float]:
    """How many times as fast the default number of threads decodes clips as one does: median of pairs of runs."""

    def seconds(workers: int | None) -> float:
        begin = time.perf_counter()
        for _ in decode_all(paths, sampling, "pyav", workers):
            pass
        return time.perf_counter() - begin

    ratios = [seconds(1) / seconds(None) for _ in range(repeats)]
    return {"median": statistics.median(ratios), "low": min(ratios), "high": max(ratios), "repeats": repeats}


def measure(folder: Path) -> dict[str, dict[str, float]]:
    """All figures: clips a second, ratios, bytes."""
    torch.set_num_threads(1)
    paths = [make_clip(folder / f"{seed}.mp4", seed) for seed in range(8)]
    results = {}
    for frames in (8, 16):
        sampling = Sampling(frames, 224)
        decode(paths[0], sampling)
        name = f"decode {frames}×224²"
        # Time of the processor: what one core does, however busy the machine is.
        work = partial(decode_each, paths, sampling)
        results[name] = rate(len(paths), work, repeats=7, clock=time.process_time)
        results[f"share of bare speed, {frames}×224²"] = share(paths, sampling, repeats=15)
    results["bare decoding"] = rate(
        len(paths), partial(decode_bare, paths), repeats=7, clock=time.process_time
    )
    for clips, repeats in ((8, 15), (64, 9), (256, 3)):
        results[f"threads, {clips} clips"] = gain(paths * (clips // 8), Sampling(8, 224), repeats)
    stimuli = distinct_copies(folder / "copies", paths, 1000)
    cache = FrameCache(folder / "cache")
    cache.open_frames(stimuli, Sampling(8, 64))

    def read() -> None:
        array = cache.open_frames(stimuli, Sampling(8, 64)).array
        for begin in range(0, len(array), 32):
            np.asarray(array[begin : begin + 32])

    results["warm cache 8×64²"] = rate(len(stimuli), read, repeats=15)
    results["bytes a clip"] = {"median": statistics.median(path.stat().st_size for path in paths)}
    return results


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="also write the figures as JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder))
    for name, figures in results.items():
        target = f"   target ≥ {TARGETS[name]:,g}" if name in TARGETS else ""
        unit = " ×" if name.startswith(("threads", "share")) else " clips/s" if "low" in figures else ""
        print(f"{name:20} {figures['median']:10,.2f}{unit}{target}")
    if arguments.json is not None:
        write_json(arguments.json, {"figures": results, "targets": TARGETS})


if __name__ == "__main__":
    main()
