"""Forecasts from judgments that exist already: observers as reliable as people, and reliability at another size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from bgs._codec import JsonDataclass
from bgs._errors import DataError
from bgs.collection.forecast.forecast import Range
from bgs.collection.forecast.simulated_study import expected_rdm_of
from bgs.judgments import PairCounts, Trials, human_rdm
from bgs.simulation import WORLDS, JudgingWorld

_BISECTIONS, _PEOPLE, _WIDEST = 7, 32, 8.0


def calibrated_worlds(
    trials: Trials, reliability: float, seed: int = 0, worlds: Mapping[str, JudgingWorld] = WORLDS
) -> dict[str, JudgingWorld]:
    """Worlds whose choices are as noisy as people's: on the same trials, the RDM of simulated people is as reliable.

    Args:
        trials: people's judgments; only who judged what is used.
        reliability: of their RDM over all pairs, between 0 and 1 (``rsa_reliability`` of :func:`bgs.evaluation.rsa_ceiling`).
        seed: seed of clips, people and answers.
        worlds: name -> world, of which temperature and lapse are changed by one factor.

    Returns:
        The worlds that can be as reliable; where clips differ little from third clip to third clip, some cannot.

    Raises:
        DataError: with no factor from 1/8 to 8 is any world as reliable.
    """
    found = {name: _calibrated(world, trials.judgments, reliability, seed) for name, world in worlds.items()}
    able = {name: world for name, world in found.items() if world is not None}
    if not able:
        raise DataError(
            "no simulated people are as reliable as these judgments", where="judgments",
            expected="a reliability that simulated people of some world can have", got=f"{reliability:.3f}",
            hint="make the schedule without a forecast: --studies 0",
        )  # fmt: skip
    return able


def _calibrated(world: JudgingWorld, trials: Trials, reliability: float, seed: int) -> JudgingWorld | None:
    """The world made as reliable; None if it cannot be."""
    low, high = 1 / _WIDEST, _WIDEST
    least, most = (_reliability(_noisier(world, factor), trials, seed) for factor in (high, low))
    if not least <= reliability <= most:
        return None
    for _ in range(_BISECTIONS):
        middle = float(np.sqrt(low * high))
        reached = _reliability(_noisier(world, middle), trials, seed)
        low, high = (middle, high) if reached > reliability else (low, middle)
    return _noisier(world, float(np.sqrt(low * high)))


def _noisier(world: JudgingWorld, factor: float) -> JudgingWorld:
    """The world with so many times the temperature, and the lapses, at most nine in ten."""
    return replace(
        world, temperature=factor * world.temperature, lapse=min(factor * world.lapse, max(0.9, world.lapse))
    )


def _reliability(world: JudgingWorld, trials: Trials, seed: int) -> float:
    """Squared correlation of expected with observed dissimilarities."""
    clips = world.draw_clips(seed, trials.n_stimuli)
    rdm = human_rdm(PairCounts.from_trials(world.judge(trials, clips, seed)))
    seen = np.isfinite(rdm) & ~np.eye(len(rdm), dtype=bool)
    return float(np.corrcoef(expected_rdm_of(world, clips, _PEOPLE)[seen], rdm[seen])[0, 1] ** 2)


def reliability_at(reliability: float, showings: float, wanted: float) -> float:
    """Reliability of an RDM with other numbers of observations (Spearman 1910; Brown 1910): k r / (1 + (k − 1) r).

    Args:
        reliability: of the RDM that exists, below 1.
        showings: harmonic mean of the times that its pairs were shown.
        wanted: the same of the RDM to be.
    """
    factor = wanted / showings
    return factor * reliability / (1 + (factor - 1) * reliability)


def harmonic_showings(trials: Trials) -> float:
    """Harmonic mean of the times that pairs were shown, over pairs that were; NaN without judgments."""
    shown = PairCounts.from_trials(trials).shown
    shown = shown[np.triu_indices(len(shown), 1)]
    seen = shown[shown > 0]
    return float(1.0 / (1.0 / seen).mean()) if len(seen) else float("nan")


@dataclass(frozen=True)
class Existing(JsonDataclass):
    """What judgments that exist already say of the schedule.

    Attributes:
        data: where they are from.
        judgments: their number.
        simulated: whether they are simulated.
        reliability: of their RDM over all pairs, with its 95 % interval.
        expected: the same for the schedule, if its people and clips are of the same kind (:func:`reliability_at`).
    """

    data: str
    judgments: int
    simulated: bool
    reliability: Range
    expected: Range

    @classmethod
    def of(cls, data: str, simulated: bool, trials: Trials, reliability: Range, schedule: Trials) -> Existing:
        """Extrapolate from the times that pairs were shown to those of the schedule."""
        before, after = harmonic_showings(trials), harmonic_showings(schedule)
        bounds = (
            reliability_at(x, before, after) for x in (reliability.value, reliability.low, reliability.high)
        )
        return cls(data, len(trials.judgments), simulated, reliability, Range(*bounds))
