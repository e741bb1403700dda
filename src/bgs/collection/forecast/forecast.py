"""How good the result will be, against the number of judgments: from SIMULATED studies in several worlds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from bgs._codec import JsonDataclass, Number
from bgs._errors import ConfigError
from bgs._rng import generator
from bgs._typing import Bool, Float64, Int
from bgs.collection.forecast.simulated_study import MEASURES, SimulatedStudy, repeat_agreement_of
from bgs.judgments import Trials
from bgs.judgments.trials import Kind
from bgs.simulation import WORLDS, JudgingWorld

#: Proportions of the judgments of a schedule that are looked at.
SHARES = (0.125, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Range(JsonDataclass):
    """A figure of a future study: its mean, and the 95 % range of single studies."""

    value: Number
    low: Number
    high: Number


@dataclass(frozen=True)
class Expected(JsonDataclass):
    """What so many judgments are worth.

    Attributes:
        judgments: number of judgments, checks not counted.
        worlds: measure -> world -> its range over studies; see
            :meth:`bgs.collection.forecast.simulated_study.SimulatedStudy.measure`.
        overall: measure -> mean over worlds, lowest low and highest high.
    """

    judgments: int
    worlds: dict[str, dict[str, Range]]
    overall: dict[str, Range]


@dataclass(frozen=True)
class Forecast(JsonDataclass):
    """A forecast from SIMULATED clips, people and encoders.

    Attributes:
        simulated: always true.
        studies: number of simulated studies per world.
        repeat_agreement: world -> how often two people give the same answer to a triplet (chance 1/3).
        curve: by ascending number of judgments.
    """

    simulated: bool
    studies: int
    repeat_agreement: dict[str, float]
    curve: tuple[Expected, ...]


def forecast(
    schedule: Trials,
    *,
    held: Bool[np.ndarray, " n"] | None = None,
    worlds: Mapping[str, JudgingWorld] = WORLDS,
    studies: int = 8,
    seed: int = 0,
) -> Forecast:
    """Simulate studies on a schedule, whole and in part (the first blocks of a random order).

    Args:
        schedule: unanswered trials, from :meth:`bgs.collection.design.Schedule.unanswered`.
        held: (n,) held-out clips; None draws a fifth of the clips in each study.
        worlds: name -> world.
        studies: simulated studies per world, at least 2.
        seed: seed.

    Raises:
        ConfigError: too few studies.
    """
    if studies < 2:
        raise ConfigError("too few simulated studies", where="studies", expected="at least 2", got=studies)
    parts, seeds = _parts(schedule, seed), [seed * 1000 + k for k in range(studies)]
    found = {
        name: np.stack([SimulatedStudy.of(world, schedule, held, one).measure(parts) for one in seeds])
        for name, world in worlds.items()
    }
    judged = schedule.kind == Kind.JUDGMENT
    curve = [
        _expected(int(judged[rows].sum()), {name: values[:, k] for name, values in found.items()})
        for k, rows in enumerate(parts)
    ]
    agreement = {name: repeat_agreement_of(world, schedule, seed) for name, world in worlds.items()}
    return Forecast(True, studies, agreement, tuple(curve))


def _parts(schedule: Trials, seed: int) -> list[Int[np.ndarray, " _"]]:
    """Rows of the first blocks of a random order, for each share of the blocks; equal parts appear once."""
    blocks, code = np.unique(schedule.block, return_inverse=True)
    place = generator(seed, "forecast", "order of blocks").permutation(len(blocks))[code.reshape(-1)]
    wanted = sorted({max(1, round(share * len(blocks))) for share in SHARES})
    return [np.flatnonzero(place < n) for n in wanted]


def _expected(judgments: int, studies: Mapping[str, Float64[np.ndarray, "r 5"]]) -> Expected:
    worlds = {
        measure: {name: _range(values[:, k], 0.0 if k == 0 else -1.0) for name, values in studies.items()}
        for k, measure in enumerate(MEASURES)
    }
    overall = {measure: _over_worlds(list(found.values())) for measure, found in worlds.items()}
    return Expected(judgments, worlds, overall)


def _range(values: Float64[np.ndarray, " r"], least: float) -> Range:
    """Mean and 95 % prediction interval of one more study, mean ± t s √(1 + 1/r), within ``least`` and 1."""
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return Range(float(values[0]) if len(values) else float("nan"), float("nan"), float("nan"))
    mean, n = float(values.mean()), len(values)
    reach = float(stdtrit(n - 1, 0.975) * values.std(ddof=1) * np.sqrt(1 + 1 / n))
    return Range(mean, max(mean - reach, least), min(mean + reach, 1.0))


def _over_worlds(found: list[Range]) -> Range:
    columns = np.array([(one.value, one.low, one.high) for one in found])
    known = columns[np.isfinite(columns).all(axis=1)]
    if not len(known):
        return Range(float("nan"), float("nan"), float("nan"))
    return Range(float(known[:, 0].mean()), float(known[:, 1].min()), float(known[:, 2].max()))
