"""How many simulated clips a second: 90 frames of 128 × 128 pixels with masks, captions and trajectories, two processes.

    python benchmarks/rendering.py [--json OUT]

The floor stands beside: writing pictures that are there already as H.264. Where other programs want the processors too, go by
the processor time a clip: two processes film at most 2 / that.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from pathlib import Path

from bgs._files import write_json
from bgs.simulation.beginning import episodes_of
from bgs.simulation.clip_folder import ClipSettings, write_clips
from bgs.simulation.film import film
from bgs.simulation.looks import draw_look
from bgs.stimuli.encoding import write_video

TARGET = 20.0
CLIPS, WORKERS = 240, 2


def filming(folder: Path, repeat: int) -> tuple[float, float]:
    """Clips a second of `bgs simulate clips`, start of its processes included, and ms of processor time a clip."""
    begin, spent = time.perf_counter(), processor_seconds()
    write_clips(folder / str(repeat), ClipSettings(CLIPS, seed=repeat), workers=WORKERS)
    rate = CLIPS / (time.perf_counter() - begin)
    return rate, 1e3 * (processor_seconds() - spent) / CLIPS


def processor_seconds() -> float:
    """User and system time of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def encoding(folder: Path) -> float:
    """Clips a second of one process that only encodes."""
    episodes, look = episodes_of("play", 0, ["0"]), draw_look("discs", 0, "0")
    frames = film(episodes, 0, look, 128, 0, "0").frames
    begin = time.perf_counter()
    for _ in range(20):
        write_video(folder / "floor.mp4", frames, 30, quality=20, preset="veryfast", threads=1)
    return 20 / (time.perf_counter() - begin)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    settings = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        rates, costs = zip(*(filming(folder, repeat) for repeat in range(settings.repeats)), strict=True)
        floors = [encoding(folder) for _ in range(settings.repeats)]
    found = {
        "clips a second, two processes": statistics.median(rates),
        "slowest": min(rates), "fastest": max(rates),
        "ms of processor time a clip": statistics.median(costs),
        "encoding alone, clips a second and process": statistics.median(floors),
        "target": TARGET, "clips": CLIPS, "repeats": settings.repeats,
    }  # fmt: skip
    for name, value in found.items():
        print(f"{name:<45} {value:8.1f}")
    if settings.json:
        write_json(settings.json, found)


if __name__ == "__main__":
    main()
