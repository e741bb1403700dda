"""Odd-one-out accuracy: agreement of the model's odd one with the person's choice."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product

import numpy as np

from bgs._typing import Float, Float64, Int, UInt8
from bgs.judgments.trials import KEPT_PAIR

#: Trials scored at a time: their columns stay in the cache, and memory does not grow with their number.
_TRIALS = 2**14


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
    scores: Float64[np.ndarray, " t"] = _scores(tuple(distances.T), odd)[0]
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
    scores: Float64[np.ndarray, " t"] = _scores(tuple(distances.T), odd)[1]
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
        scores[:, rows] = _scores(of_slots, odd[rows])
    return scores


def _scores(
    distances: Sequence[Float[np.ndarray, " t"]], odd: Int[np.ndarray, " t"]
) -> Float64[np.ndarray, "2 t"]:
    """(2, t) three-way and two-way scores: few codes can occur, and comparing is all that takes long."""
    return _score_of_code().take(_codes(distances, odd).astype(np.intp), axis=1)


def _codes(
    distances: Sequence[Float[np.ndarray, " t"]], odd: Int[np.ndarray, " t"]
) -> UInt8[np.ndarray, " t"]:
    """(t,) the odd slot, and for each two distances whether the first is no farther and whether the second is none, in a byte.

    NaN is neither: codes of its own.
    """
    codes = odd.astype(np.uint8)
    for first, second in KEPT_PAIR:  # each two of the three slots
        for no_farther in (distances[first] <= distances[second], distances[first] >= distances[second]):
            codes <<= 1
            codes |= no_farther
    return codes


@cache
def _score_of_code() -> Float64[np.ndarray, "2 256"]:
    """(2, 256) three-way and two-way score of each code; NaN for those in which a distance is."""
    scores = np.full((2, 256), np.nan)
    for distances in product((0.0, 1.0, 2.0), repeat=3):
        for odd, kept in enumerate(distances):
            code = _codes([np.array([one]) for one in distances], np.array([odd]))[0]
            closest, others = min(distances), (*distances[:odd], *distances[odd + 1 :])
            scores[0, code] = (kept == closest) / distances.count(closest)
            scores[1, code] = sum((kept < other) + 0.5 * (kept == other) for other in others) / 2
    return scores
