"""(b) Encodings and time to the best validation RSA of other ways to train: how soon full geometry is as good.

All tune the video model of the package on one SIMULATED study. Full geometry takes all trials and pairs of 16 random clips an
update. Beside it: one pass over the trials with the published learning rate, and one with ten times that, both validated many
times within the pass, so that their best comes early; and full geometry with all clips an update. Batches and RSA terms of the
passes are the published ones; adapters and objective are those of bgs on all sides. Rates and clips an update of full geometry
were chosen on another study, with other seeds (`python benchmarks/clips_per_update.py`). Where it never becomes as good, the
ratio is 0, and the numbers beside it are those at its own best. Time is that of gradients alone: how often to validate is a
choice. Seeds are repeats: other dropout, orders and validation clips.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bgs.backbones import embed
from bgs.datasets import Dataset, load_dataset, write_folder
from bgs.experiments.simulated import film_world
from bgs.objective import LossParts
from bgs.runs.quiet import quiet_libraries
from bgs.runs.study import load_study
from bgs.runs.trainer import new_backbone, new_trainer
from bgs.simulation import ObserverSettings, simulate_judgments
from bgs.simulation.clip_folder import ClipSettings
from bgs.training import FullGeometry, PerTrial, TrainingConfig
from bgs.training.presets import PRESETS
from parts.costs import epoch_encodings
from parts.rows import Row, Spread, Target
from parts.timing import ratio_row, scratch

FULL = {
    "clips_per_update": 16, "epochs": 20, "micro_batch": 32,
    "optimizer": {"learning_rate": 3e-3, "schedule": "cosine", "warmup": 3},
}  # fmt: skip
ALL_CLIPS = {
    "epochs": 30, "micro_batch": 32,
    "optimizer": {"learning_rate": 1e-2, "schedule": "cosine", "warmup": 3},
}  # fmt: skip
PUBLISHED_RATE: float = PRESETS["paper-v1"]["optimizer"]["learning_rate"]
SIMULATED = "SIMULATED clips and SIMULATED observers; nobody was filmed and no person judged anything"


@dataclass(frozen=True)
class Size:
    """Clips and judgments of the study; trials of the per-trial run; how often that is validated; seeds."""

    clips: int
    judgments: int
    trials: int | None
    validations: int
    seeds: int

    def per_trial(self, rate: float) -> dict[str, Any]:
        """A pass over the trials with a constant learning rate."""
        optimizer = {"learning_rate": rate, "schedule": "constant", "warmup": 0}
        return {
            "gradient": "per-trial",
            "epochs": 1,
            "optimizer": optimizer,
            "per_trial": {"trials": self.trials},
        }


SIZES = {
    "full": Size(200, 24_100, None, 25, 5),
    "quick": Size(60, 6_000, 400, 4, 1),
    "smallest": Size(16, 400, 8, 1, 1),
}


@dataclass(frozen=True)
class Point:
    """A point of a run: validation RSA, and encodings and seconds of updates up to there."""

    rsa: float
    encodings: int
    seconds: float


@dataclass(frozen=True)
class Reached:
    """A point of a run, and the best validation RSA of the whole run."""

    point: Point
    best: float


def measure(size: str) -> list[Row]:
    """Rows of this part."""
    wanted = SIZES[size]
    quiet_libraries()
    with scratch() as folder:
        world = write_world(folder / "world", wanted.clips, wanted.judgments)
        given = {"model": "tiny:videomae", "data": str(world), "views": 1}
        found = [courses({**given, "seed": seed}, wanted) for seed in range(wanted.seeds)]
    rows = []
    for name, _, _, target in others(wanted):
        rows += compared(name, [both(one["full-geometry"], one[name]) for one in found], target)
    return rows


def courses(given: dict[str, Any], size: Size) -> dict[str, list[Point]]:
    """Runs with one seed, one after the other: a machine that is busy for some minutes is so for both sides."""
    ours = {"full-geometry": course({**given, **FULL})}
    return ours | {name: course({**given, **other}, looks) for name, other, looks, _ in others(size)}


def others(size: Size) -> list[tuple[str, dict[str, Any], int, Target | None]]:
    """What full geometry is compared with: name, settings, validations an epoch, target for the time."""
    return [
        ("per-trial, published rate", size.per_trial(PUBLISHED_RATE), size.validations, Target("≥", 20)),
        ("per-trial, ten times that rate", size.per_trial(10 * PUBLISHED_RATE), size.validations, None),
        ("all clips an update", ALL_CLIPS, 1, None),
    ]


def compared(name: str, found: Sequence[tuple[Reached, Reached]], target: Target | None) -> list[Row]:
    """Rows of one of them: time, and encodings."""
    sides = tuple(zip(*found, strict=True))
    ours, theirs = (f"{Spread.of(one.best for one in side).median:.3f}" for side in sides)
    arrived = [own.best >= other.best for own, other in found]
    what = (
        f"to the best validation RSA of {name} ({theirs}; ours {ours} at best; 0 if it never gets there: "
        f"{arrived.count(False)} of {len(found)})"
    )
    more = {"runs": [{"full-geometry": asdict(own), name: asdict(other)} for own, other in found]}
    times, counts = (
        [[getattr(one.point, of) for one in side] for side in sides] for of in ("seconds", "encodings")
    )
    rows = [
        ratio_row(f"b: time, {name}", f"time of updates {what}", *times, target, more=more),
        ratio_row(
            f"b: encodings, {name}", "clip encodings up to there", *counts, unit="encodings", more=more
        ),
    ]
    return [
        replace(row, figure=ratios_of(pairs, arrived))
        for row, pairs in zip(rows, (times, counts), strict=True)
    ]


def ratios_of(sides: Sequence[Sequence[float]], arrived: Sequence[bool]) -> Spread:
    """How many times as much the other takes; 0 where ours never arrives."""
    return Spread.of(
        theirs / ours if there else 0.0 for ours, theirs, there in zip(*sides, arrived, strict=True)
    )


def write_world(folder: Path, clips: int, trials: int, seed: int = 0) -> Path:
    """A study of simulated clips, all of them for training, judged by simulated observers."""
    film_world(ClipSettings(clips, size=64, test_share=0, seed=seed), folder)
    stimuli = load_dataset(folder).stimuli
    judged = simulate_judgments(stimuli, trials, ObserverSettings(), seed)
    about = {"name": folder.name, "licence": "simulated", "citation": SIMULATED}
    write_folder(Dataset(stimuli, judged.trials, simulated=True, **about), folder)
    return folder


def both(ours: Sequence[Point], theirs: Sequence[Point]) -> tuple[Reached, Reached]:
    """Where two runs are first as good as the worse of their bests, which is given with each."""
    level = min(best(ours), best(theirs))
    return reached(ours, level), reached(theirs, level)


def best(points: Sequence[Point]) -> float:
    """The best validation RSA of a run."""
    return max(point.rsa for point in points)


def reached(points: Sequence[Point], level: float) -> Reached:
    """The first point of a run with at least this validation RSA, which it has reached."""
    first = next(point for point in points if point.rsa >= level)
    return Reached(first, best(points))


@dataclass
class Watched:
    """A gradient method that is validated within an epoch, before every ``every``-th update."""

    method: FullGeometry | PerTrial
    validate: Callable[[], float]
    every: int
    points: list[Point] = field(default_factory=list)
    updates: int = 0
    seconds: float = 0.0

    @property
    def updates_per_epoch(self) -> int:
        """That of the method."""
        return self.method.updates_per_epoch

    def accumulate(self, epoch: int, update: int) -> LossParts:
        """That of the method, timed."""
        if self.updates and self.updates % self.every == 0:
            self.look()
        begin = time.perf_counter()
        parts = self.method.accumulate(epoch, update)
        self.seconds += time.perf_counter() - begin
        self.updates += 1
        return parts

    def look(self) -> None:
        """Keep the validation RSA, and what it took so far."""
        encodings = round(epoch_encodings(self.method) * self.updates / self.updates_per_epoch)
        self.points.append(Point(self.validate(), encodings, self.seconds))


def course(given: dict[str, Any], looks_per_epoch: int = 1) -> list[Point]:
    """A run, looked at so many times an epoch and at its end."""
    config = TrainingConfig.model_validate(given)
    trainer = new_trainer(config, new_backbone(config), load_study(config), None)
    validation = trainer.validation
    assert validation is not None

    def validate() -> float:
        return validation.measure(
            embed(trainer.backbone, trainer.inputs, validation.positions, config.micro_batch)
        )

    watched = Watched(trainer.method, validate, max(1, trainer.method.updates_per_epoch // looks_per_epoch))
    trainer.method, trainer.validation = watched, None
    trainer.run()
    watched.look()
    return watched.points
