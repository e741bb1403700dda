"""Analytic choice probabilities of the population of observers, and the RDM of infinitely many trials."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bgs._rng import generator
from bgs._typing import Float, Float64, Int
from bgs.judgments.rated import choice_probabilities
from bgs.simulation.judging import SimulatedJudgments
from bgs.simulation.observers import weighted_rdm

#: exp(−x) of greater x is 0 or subnormal in double precision, so ratios of such values are undefined.
_FARTHEST = 700.0


def expected_choices(
    judged: SimulatedJudgments, triplets: Int[np.ndarray, "t 3"]
) -> Float64[np.ndarray, "t 3"]:
    """Expected choices over the actual observers, with their weights, lapses and carelessness.

    p(t) = Σ_o c_o [(1 − l_o) softmax(−d_o(t) / T) + l_o / 3], with l_o the lapse rate (1 for the careless) and c_o the
    proportion of trials given by observer o. Exact; time is proportional to triplets × observers.

    Args:
        judged: the simulated judgments.
        triplets: (t, 3) clips of each triplet.

    Returns:
        (t, 3) probability that each is the odd one, for an observer drawn in proportion to their trials.
    """
    chances = np.full(triplets.shape, _lapses(judged) / 3.0)
    for rdm, share in _trying(judged):
        chances += share * choice_probabilities(rdm, triplets, judged.settings.temperature)
    return chances


def expected_rdm(judged: SimulatedJudgments, thirds: int = 128) -> Float64[np.ndarray, "n n"]:
    """The human RDM of infinitely many trials: 1 − mean over third clips of the probability that a pair is kept.

    With s = exp(−d_o / T), observer o keeps the pair i, j with third clip k with probability s_ij / (s_ij + s_ik + s_jk): one
    exponential per pair, not per triplet. Temperatures below 1/700 of the greatest distance are raised to that value.

    Args:
        judged: the simulated judgments.
        thirds: maximum number of third clips, drawn at random if a side has more: time is proportional to pairs ×
            thirds × observers. With 720 clips, 128 thirds give an RDM that correlates .999 with that of all.

    Returns:
        (n, n) in 0–1, 0 on the diagonal, NaN for pairs that are never shown together.
    """
    n = len(judged.latents)
    rdm = np.full((n, n), np.nan)
    rng = generator(judged.seed, "observers", "third clips")
    for mask in judged.parts.values():
        clips = np.flatnonzero(mask)
        drawn = np.sort(rng.permutation(len(clips))[:thirds])
        kept = np.full((len(clips), len(clips)), _lapses(judged) / 3.0)
        for distances, share in _trying(judged):
            kept += share * _kept(distances[np.ix_(clips, clips)] / judged.settings.temperature, drawn)
        rdm[np.ix_(clips, clips)] = 1.0 - kept
    np.fill_diagonal(rdm, 0.0)
    return rdm


def _kept(distances: Float64[np.ndarray, "m m"], thirds: Int[np.ndarray, " k"]) -> Float64[np.ndarray, "m m"]:
    """(m, m) mean probability that a pair is kept, over third clips other than the pair itself."""
    m = len(distances)
    near = np.exp(-distances * min(1.0, _FARTHEST / max(float(distances.max()), 1.0)))
    beside = near[:, thirds]
    beside[thirds, np.arange(len(thirds))] = (
        np.inf
    )  # exclude a clip as its own third: 1 / ∞ contributes nothing
    drawn = np.isin(np.arange(m), thirds)
    kept = np.zeros((m, m))
    for i in range(m - 1):
        total = beside[i + 1 :] + beside[i]
        total += near[i, i + 1 :, None]
        np.reciprocal(total, out=total)
        others = len(thirds) - drawn[i] - drawn[i + 1 :]
        kept[i, i + 1 :] = near[i, i + 1 :] * total.sum(axis=1) / others
    return kept + kept.T


def _trying(judged: SimulatedJudgments) -> Iterator[tuple[Float[np.ndarray, "n n"], float]]:
    """Distances of each attentive observer, and the proportion of all answers that are theirs and not lapses."""
    shares = _shares(judged) * (1.0 - _lapse(judged))
    for weights, share in zip(judged.population.weights, shares, strict=True):
        if share > 0:
            yield weighted_rdm(judged.latents, weights), float(share)


def _lapses(judged: SimulatedJudgments) -> float:
    """Proportion of lapses among all answers except attention checks."""
    return float(_shares(judged) @ _lapse(judged))


def _lapse(judged: SimulatedJudgments) -> Float64[np.ndarray, " o"]:
    return np.where(judged.population.careless, 1.0, judged.settings.lapse)


def _shares(judged: SimulatedJudgments) -> Float64[np.ndarray, " o"]:
    """(o,) proportion of trials given by each observer; trials alternate among observers."""
    turns = np.arange(len(judged.trials)) % len(judged.population)
    return np.bincount(turns, minlength=len(judged.population)) / len(judged.trials)
