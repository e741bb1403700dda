"""How many clips should an update take, and with which learning rate?

Small parts of the clips mean more updates for the same encodings, but fewer trials and pairs in each. Every cell trains for as
many encodings and is validated after every epoch, on clips that it was not trained on, others with each of three seeds. By
default tiny-videomae on a SIMULATED study, whose clips and judgments are not those of `make bench`; test clips are not touched.

    python benchmarks/clips_per_update.py [--json FILE]
    python benchmarks/clips_per_update.py --model text:minilm --data garcia-isik-2025 --views 2 --rates 3e-4 1e-3
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from parts.convergence import Point, course, write_world
from parts.timing import scratch

from bgs._files import write_json
from bgs.runs.quiet import quiet_libraries

#: Seed of the simulated clips and judgments, and the first seed of the runs: `make bench` has 0 for both.
WORLD, FIRST_SEED = 100, 10


@dataclass(frozen=True)
class Cell:
    """Results with a number of clips an update (None: all) and a rate: best validation RSA of each seed, encodings up to it."""

    clips: int | None
    rate: float
    best: tuple[float, ...]
    encodings: tuple[int, ...]

    def shown(self) -> str:
        """A line of the table."""
        single = " ".join(f"{one:.3f}" for one in self.best)
        clips = "all" if self.clips is None else self.clips
        return f"| {clips} | {self.rate:g} | {np.mean(self.best):.3f} | {single} | {np.median(self.encodings):,.0f} |"


def trained(given: dict[str, Any], clips: int | None, rate: float) -> Point:
    """The best point of a run."""
    optimizer = {"learning_rate": rate, "schedule": "cosine", "warmup": 3}
    return max(
        course({**given, "clips_per_update": clips, "optimizer": optimizer}), key=lambda point: point.rsa
    )


def cell(given: dict[str, Any], clips: int | None, rate: float, seeds: int) -> Cell:
    """Train with each seed."""
    points = [trained({**given, "seed": FIRST_SEED + seed}, clips, rate) for seed in range(seeds)]
    return Cell(clips, rate, tuple(one.rsa for one in points), tuple(one.encodings for one in points))


def clips_of(text: str) -> int | None:
    """A number of clips, or ``all``."""
    return None if text == "all" else int(text)


def table(
    given: dict[str, Any], clips: Sequence[int | None], rates: Sequence[float], seeds: int
) -> list[Cell]:
    """Print the table line by line."""
    print(
        "| clips an update | learning rate | best validation RSA, mean | by seed | encodings, median |\n|---|---|---|---|---|"
    )
    cells = []
    for number in clips:
        for rate in rates:
            cells.append(cell(given, number, rate, seeds))
            print(cells[-1].shown(), flush=True)
    return cells


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="tiny:videomae")
    parser.add_argument("--data", help="a data set; by default a simulated one")
    parser.add_argument("--views", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--clips", type=clips_of, nargs="+", default=[8, 16, 32, 64, None])
    parser.add_argument("--rates", type=float, nargs="+", default=[1e-3, 3e-3, 1e-2])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    quiet_libraries()
    with scratch() as folder:
        data = asked.data or str(write_world(folder / "world", 200, 24_100, WORLD))
        given = {
            "model": asked.model,
            "data": data,
            "views": asked.views,
            "epochs": asked.epochs,
            "micro_batch": 32,
        }
        cells = table(given, asked.clips, asked.rates, asked.seeds)
    if asked.json:
        write_json(
            asked.json,
            {
                "model": asked.model,
                "data": asked.data or "simulated",
                "cells": [asdict(one) for one in cells],
            },
        )


if __name__ == "__main__":
    main()
