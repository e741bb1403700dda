"""Clips a second that `bgs index` gets, beside embedding alone; and what bringing an index up to date takes.

    python benchmarks/index_throughput.py [--clips 2000] [--pairs 5] [--json OUT]

A library of SIMULATED clips is embedded with tiny:videomae, and indexed as the command does by default, each with a new cache, so
that both decode every clip; indexing also reads the folder, asks how long clips are, and writes the table. Then both again, from
the frame cache. Then one clip in a hundred is replaced by another, and the folder is indexed again, which decodes those: beside
the first run, which decoded all, and beside one that decoded none. All this is done several times; ratios are medians over these.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bgs._files import write_json
from bgs.experiments.simulated import film_world
from bgs.library import Cutting, index_folder
from bgs.runs.opened_model import OpenedModel, open_model
from bgs.simulation.clip_folder import ClipSettings
from bgs.stimuli import StimulusSet

TARGET, TARGET_AGAIN = 0.9, 0.05
MODEL = "tiny:videomae"


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def filmed(folder: Path, clips: int, seed: int) -> Path:
    """A folder of simulated clips."""
    film_world(ClipSettings(clips, size=64, seed=seed), folder)
    return folder / "clips"


def change(library: Path, others: list[Path]) -> None:
    """Replace evenly spaced clips by others."""
    clips = sorted(library.rglob("*.mp4"))
    for number, other in enumerate(others):
        shutil.copy(other, clips[number * len(clips) // len(others)])


def measure(model: OpenedModel, work: Path, clips: int, pairs: int) -> dict[str, float]:
    """Seconds of each, and medians of ratios within a pair."""
    library, changed = filmed(work / "world", clips, 0), max(1, clips // 100)
    others = sorted(filmed(work / "others", max(14, changed * pairs), 1).rglob("*.mp4"))
    stimuli = StimulusSet.from_folder(library)

    def index(out: str, cutting: Cutting) -> float:
        return seconds(lambda: index_folder(library, model, work / out, cutting))

    def embed() -> float:
        return seconds(lambda: model.embed(stimuli))

    def use_frames(cache: str) -> None:
        os.environ["BGS_CACHE"] = str(work / cache)

    index_folder(work / "others", model, work / "imports LanceDB", Cutting())
    times = []
    for pair in range(pairs):
        use_frames(f"embedded-{pair}")  # none yet
        embedded_first = embed()
        use_frames(f"cache-{pair}")  # none yet
        first, embedded = index(f"first-{pair}", Cutting()), embed()
        from_frames, unchanged = index(f"second-{pair}", Cutting("none")), index(f"first-{pair}", Cutting())
        change(library, others[pair * changed : (pair + 1) * changed])
        again = index(f"first-{pair}", Cutting())
        times.append((embedded_first, first, embedded, from_frames, unchanged, again))
    embedded_first, first, embedded, from_frames, unchanged, again = np.array(times).T
    return {
        "clips": clips,
        "changed": changed,
        "pairs": pairs,
        "embed_clips_a_second": float(np.median(clips / embedded)),
        "index_clips_a_second": float(np.median(clips / from_frames)),
        "ratio": float(np.median(embedded_first / first)),
        "ratio_from_frames": float(np.median(embedded / from_frames)),
        "first_seconds": float(np.median(first)),
        "again_seconds": float(np.median(again)),
        "again_to_first": float(np.median(again / first)),
        "again_to_one_without_decoding": float(np.median(again / from_frames)),
        "unchanged_to_first": float(np.median(unchanged / first)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=2000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = measure(open_model(MODEL, device="cpu"), Path(name), options.clips, options.pairs)
    print(
        f"{found['clips']:,.0f} clips: indexing at {found['ratio']:.3f} of the speed of embedding (target {TARGET}), from "
        f"decoded frames at {found['ratio_from_frames']:.3f} of {found['embed_clips_a_second']:.1f} clips/s. "
        f"Again, {found['changed']:.0f} changed: {found['again_to_first']:.4f} of the first run (target {TARGET_AGAIN}), "
        f"{found['again_to_one_without_decoding']:.4f} of one that decodes nothing; none changed: "
        f"{found['unchanged_to_first']:.4f}"
    )
    if options.json:
        write_json(options.json, {"SIMULATED library": found})


if __name__ == "__main__":
    main()
