"""Odd-one-out accuracy: agreement of the model's odd one with the person's choice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bgs._typing import Float, Float64, Int
from bgs.judgments.trials import KEPT_PAIR

#: Trials scored at a time: their columns stay in the cache, and memory does not grow with their number.
_TRIALS = 2**14

#: Distances of the pair that a person kept and of the two others, of each trial.
_Distances = tuple[Float[np.ndarray, " t"], Float[np.ndarray, " t"], Float[np.ndarray, " t"]]


def three_way_scores(
    distances: Float[np.ndarray, "t 3"], odd: Int[np.ndarray, " t"]
) -> Float64[np.ndarray, " t"]:
    """Score of each trial if the model keeps the closest of the three pairs (3AFC, chance 1/3).

    If k pairs are exactly tied for closest and the pair kept by the person is one of them, the score is 1/k: the
    expectation under random tie-breaking. A collapsed model thus scores 1/3.

    Args:
        distances: (t, 3) from :func:`bgs.judgments.trials.kept_pair_distances`.
        odd: (t,) slot that the person chose as odd, 0–2.

    Returns:
        (t,) scores: 0, 1/3, 1/2 or 1; NaN where one of the three distances is.
    """
    scores: Float64[np.ndarray, " t"] = _scores(*_kept_first(tuple(distances.T), odd))[0]
    return scores


def two_way_scores(
    distances: Float[np.ndarray, "t 3"], odd: Int[np.ndarray, " t"]
) -> Float64[np.ndarray, " t"]:
    """Score of each trial as two comparisons (chance 1/2): is the pair kept by the person closer than each of the two
    pairs with the odd one? A tie counts one half.

    Symmetric: neither of the two stimuli kept serves as the anchor.

    Args:
        distances: (t, 3) from :func:`bgs.judgments.trials.kept_pair_distances`.
        odd: (t,) slot that the person chose as odd, 0–2.

    Returns:
        (t,) scores: 0, 1/4, 1/2, 3/4 or 1; NaN where one of the three distances is.
    """
    scores: Float64[np.ndarray, " t"] = _scores(*_kept_first(tuple(distances.T), odd))[1]
    return scores


def trial_scores(
    rdm: Float[np.ndarray, "n n"], triplets: Int[np.ndarray, "t 3"], odd: Int[np.ndarray, " t"]
) -> Float64[np.ndarray, "2 t"]:
    """(2, t) three-way and two-way score of each trial, from model distances."""
    flat, scores = rdm.ravel(), np.empty((2, len(odd)))
    for start in range(0, len(odd), _TRIALS):
        rows = slice(start, start + _TRIALS)
        slots = np.ascontiguousarray(triplets[rows].T, dtype=np.intp)
        of_slots = [flat.take(len(rdm) * slots[first] + slots[second]) for first, second in KEPT_PAIR]
        scores[:, rows] = _scores(*_kept_first(of_slots, odd[rows]))
    return scores


def _kept_first(distances: Sequence[Float[np.ndarray, " t"]], odd: Int[np.ndarray, " t"]) -> _Distances:
    """Distance of the kept pair and of the two others, in columns, which numpy compares many times faster than rows of 3."""
    of_first, of_second, of_third = distances
    first, third = odd == 0, odd == 2
    kept = np.where(first, of_first, np.where(third, of_third, of_second))
    return kept, np.where(first, of_second, of_first), np.where(third, of_second, of_third)


def _scores(
    kept: Float[np.ndarray, " t"], one: Float[np.ndarray, " t"], other: Float[np.ndarray, " t"]
) -> Float64[np.ndarray, "2 t"]:
    """(2, t) three-way and two-way scores."""
    no_farther = kept <= one, kept <= other
    tied = (kept == one).astype(np.float64) + (kept == other)
    scores = np.stack([(no_farther[0] & no_farther[1]) / (1.0 + tied), -0.25 * tied])
    for won_or_tied in no_farther:
        scores[1] += 0.5 * won_or_tied
    unknown = np.isnan(kept + one + other)
    if unknown.any():
        scores[:, unknown] = np.nan
    return scores
