"""Odd-one-out accuracy: agreement of the model's odd one with the person's choice."""

from __future__ import annotations

import numpy as np

from bgs._typing import Float, Float64, Int
from bgs.judgments.trials import kept_pair_distances


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
        (t,) scores: 0, 1/3, 1/2 or 1.
    """
    best = distances == distances.min(axis=1, keepdims=True)
    hit = np.take_along_axis(best, odd[:, None], axis=1)[:, 0]
    scores: Float64[np.ndarray, " t"] = hit / best.sum(axis=1)
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
        (t,) scores: 0, 1/4, 1/2, 3/4 or 1.
    """
    kept = np.take_along_axis(distances, odd[:, None], axis=1)
    wins = (kept < distances) + 0.5 * (kept == distances)
    scores: Float64[np.ndarray, " t"] = (wins.sum(axis=1) - 0.5) / 2  # the kept pair ties with itself
    return scores


def trial_scores(
    rdm: Float[np.ndarray, "n n"], triplets: Int[np.ndarray, "t 3"], odd: Int[np.ndarray, " t"]
) -> Float64[np.ndarray, "2 t"]:
    """(2, t) three-way and two-way score of each trial, from model distances."""
    distances = kept_pair_distances(rdm, triplets)
    return np.stack([three_way_scores(distances, odd), two_way_scores(distances, odd)])
