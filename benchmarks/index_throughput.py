"""Clips a second that `bgs index` gets, beside embedding alone; and what bringing an index up to date takes.

    python benchmarks/index_throughput.py [--clips 2000] [--pairs 5] [--json OUT]

A library of SIMULATED clips is rendered once and embedded by tiny:videomae from a warm frame cache. Embedding and indexing
alternate, so that whatever else the machine does meets both; ratios are medians over pairs. Indexing also reads the folder,
compares it, and writes the table. Then one clip in a hundred is replaced by another, and the folder is indexed again: beside
indexing it anew, and with the decoding of the clips that changed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

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
    """Seconds of each, and ratios."""
    library = filmed(work / "world", clips, 0)
    changed = max(1, clips // 100)
    others = sorted(filmed(work / "others", max(14, changed * pairs), 1).rglob("*.mp4"))
    stimuli = StimulusSet.from_folder(library)
    model.embed(stimuli)  # decodes every clip into the frame cache
    index_folder(
        library, model, work / "warm", Cutting("none")
    )  # imports LanceDB, as the model has imported torch
    times = []
    for pair in range(pairs):
        out = work / f"index-{pair}"
        times.append(
            (
                seconds(lambda: model.embed(stimuli)),
                seconds(lambda out=out: index_folder(library, model, out, Cutting("none"))),
            )
        )
    again = []
    for pair in range(pairs):
        change(library, others[pair * changed : (pair + 1) * changed])
        again.append(seconds(lambda: index_folder(library, model, work / "index-0", Cutting("none"))))
    unchanged = seconds(lambda: index_folder(library, model, work / "index-0", Cutting("none")))
    whole = statistics.median(second for _, second in times)
    return {
        "clips": clips,
        "pairs": pairs,
        "embed_clips_a_second": clips / statistics.median(first for first, _ in times),
        "index_clips_a_second": clips / whole,
        "ratio": statistics.median(first / second for first, second in times),
        "changed": changed,
        "again_seconds": statistics.median(again),
        "again_ratio": statistics.median(again) / whole,
        "unchanged_ratio": unchanged / whole,
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
        os.environ["BGS_CACHE"] = f"{name}/cache"
        found = measure(open_model(MODEL, device="cpu"), Path(name), options.clips, options.pairs)
    print(
        f"{found['clips']:,.0f} clips: index {found['index_clips_a_second']:.1f} clips/s, embed "
        f"{found['embed_clips_a_second']:.1f}, ratio {found['ratio']:.3f} (target {TARGET}); {found['changed']:.0f} changed: "
        f"{found['again_ratio']:.4f} of the time (target {TARGET_AGAIN}); none changed: {found['unchanged_ratio']:.4f}"
    )
    if options.json:
        write_json(options.json, {"SIMULATED library": found})


if __name__ == "__main__":
    main()
