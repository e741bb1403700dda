"""(a) Judgments a second: full-geometry updates beside the published per-trial procedure, same clips, trials and encoder.

The per-trial pass is timed on updates spread over an epoch: ordinary ones, and separately those with an RSA term, six an epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bgs.runs.quiet import quiet_libraries
from bgs.runs.study import load_study
from bgs.runs.trainer import new_backbone, new_trainer
from bgs.training import FullGeometry, PerTrial, load_config
from parts.costs import epoch_encodings
from parts.rows import Row, Target
from parts.timing import in_turns, ratio_row
from parts.updates import full_geometry, per_trial

CAPTIONS = Path(__file__).parents[2] / "configs" / "garcia-isik-2025-minilm.yaml"
ALL = 10_000  # micro-batches whose graphs are kept


@dataclass(frozen=True)
class Size:
    """Clips and trials; rounds, and updates of a round; ``captions``: also the published judgments, at hand or downloaded."""

    clips: int
    trials: int
    repeats: int
    updates: int
    captions: bool


#: As many clips and trials as the published study optimises.
SIZES = {
    "full": Size(160, 12_380, 5, 20, True),
    "quick": Size(160, 12_380, 3, 5, False),
    "smallest": Size(6, 60, 1, 1, False),
}


def measure(size: str) -> list[Row]:
    """Rows of this part."""
    wanted = SIZES[size]
    clips, trials = wanted.clips, wanted.trials
    full, kept = full_geometry(clips, trials), full_geometry(clips, trials, keep_graphs=ALL)
    rows = compare("clips", "tiny-videomae, random clips", full, kept, per_trial(clips, trials), wanted)
    if wanted.captions:
        methods = [captions(f"keep_graphs={n}") for n in (0, ALL)]
        rows += compare(
            "captions",
            "MiniLM, published captions and judgments",
            *methods,
            captions("gradient=per-trial", "keep_graphs=0"),
            wanted,
        )
    return rows


def captions(*overrides: str) -> Any:
    """The method of the run of the README, or another."""
    quiet_libraries()
    config = load_config(CAPTIONS, overrides)
    return new_trainer(config, new_backbone(config), load_study(config), None).method


def compare(
    name: str, what: str, full: FullGeometry, kept: FullGeometry, baseline: PerTrial, size: Size
) -> list[Row]:
    """Every clip encoded twice, and once with all graphs kept, beside a per-trial epoch."""
    updates = range(baseline.updates_per_epoch)
    rsa = [update for update in updates if baseline._carries_rsa(update)]
    ordinary = [update for update in updates if update not in rsa] or rsa
    chosen = np.array(ordinary)[np.linspace(0, len(ordinary) - 1, size.updates).astype(int)].tolist()
    spent = in_turns(
        {
            "full": partial(full.accumulate, 0, 0),
            "kept": partial(kept.accumulate, 0, 0),
            "ordinary": lambda: [baseline.accumulate(0, update) for update in chosen],
            "rsa": lambda: [baseline.accumulate(0, update) for update in rsa[:2]],
        },
        size.repeats,
    )
    an_update, with_rsa = np.array(spent["ordinary"]) / len(chosen), np.array(spent["rsa"]) / len(rsa[:2])
    epoch = (an_update * (len(updates) - len(rsa)) + with_rsa * len(rsa)).tolist()
    numbers = {
        "trials": baseline.trials_per_epoch, "pairs": len(baseline.target.pairs),
        "encodings": {"full-geometry": epoch_encodings(full), "per-trial": epoch_encodings(baseline)},
    }  # fmt: skip
    return [
        _row(
            name, f"judgments a second, full-geometry beside per-trial: {what}", spent["full"], epoch, numbers
        ),
        _row(
            f"{name}, graphs kept",
            "the same, every clip encoded once an update",
            spent["kept"],
            epoch,
            numbers,
        ),
    ]


def _row(name: str, what: str, ours: Sequence[float], epoch: Sequence[float], numbers: dict[str, Any]) -> Row:
    more = {**numbers, "seconds a pass": {"full-geometry": ours, "per-trial": epoch}}
    rates = [[numbers["trials"] / spent for spent in side] for side in (ours, epoch)]
    return ratio_row(
        f"a: {name}", what, *rates, Target("≥", 150), inverse=True, unit="judgments/s", more=more
    )
