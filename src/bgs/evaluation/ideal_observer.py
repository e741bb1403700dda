"""Odd-one-out choices of a noise-free observer with known distances."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from bgs._rng import generator
from bgs._typing import Float, Float64, Int
from bgs.judgments.trials import kept_pair_distances


@dataclass(frozen=True)
class ObservedTriplets:
    """Triplets with the scores of e models.

    Observer and model keep the closest of the three pairs; the score is the probability that both keep the
    same pair if exact ties are broken at random: Σ over pairs kept by both of 1/(a·b), with a and b pairs
    tied for closest. A collapsed model scores 1/3. Triplets with three tied human distances are uninformative
    and are excluded.

    Attributes:
        triplets: (t, 3) stimuli.
        scores: (e, t) probabilities 0–1.
        drawn: whether triplets were sampled (without replacement) instead of using all.
        tied: number of these with two human distances tied for closest.
        left_out: number of excluded triplets, with all three tied.
    """

    triplets: Int[np.ndarray, "t 3"]
    scores: Float64[np.ndarray, "e t"]
    drawn: bool
    tied: int
    left_out: int

    @classmethod
    def of(
        cls, human: Float[np.ndarray, "n n"], rdms: Float[np.ndarray, "e n n"], most: int, seed: int
    ) -> ObservedTriplets:
        """Score e model RDMs on the distances of ``human``: on all triplets, or on a sample of ``most`` if there are more."""
        triplets, drawn = _triplets(len(human), most, seed)
        people = _closest(kept_pair_distances(human, triplets))
        informative = people.sum(axis=1) < 3
        triplets, left_out = triplets[informative], int((~informative).sum())
        people = people[informative] / people[informative].sum(axis=1, keepdims=True)
        scores = []
        for rdm in rdms:
            kept = _closest(kept_pair_distances(rdm, triplets))
            scores.append((people * kept).sum(axis=1) / kept.sum(axis=1))
        tied = int(((people > 0).sum(axis=1) == 2).sum())
        return cls(triplets, np.stack(scores), drawn, tied, left_out)

    def __len__(self) -> int:
        return len(self.triplets)

    def __call__(
        self, clips: Float64[np.ndarray, " n"] | None = None, units: Float64[np.ndarray, " t"] | None = None
    ) -> Float64[np.ndarray, " e"]:
        """(e,) mean scores, with triplets weighted by the product of their clips' copies."""
        weights = np.ones(len(self)) if units is None else units
        if clips is not None:
            a, b, c = clips[self.triplets.T]
            weights = weights * a * b * c
        total = weights.sum()
        means: Float64[np.ndarray, " e"] = np.full(len(self.scores), np.nan)
        if total > 0:
            means[:] = self.scores @ weights / total
        return means


def _closest(distances: Float[np.ndarray, "t 3"]) -> Float64[np.ndarray, "t 3"]:
    """1 for each pair that is (tied for) closest, else 0."""
    closest: Float64[np.ndarray, "t 3"] = 1.0 * (distances == distances.min(axis=1, keepdims=True))
    return closest


def _triplets(n: int, most: int, seed: int) -> tuple[Int[np.ndarray, "t 3"], bool]:
    if comb(n, 3) <= most:
        return np.array(list(combinations(range(n), 3)), dtype=np.int64), False
    random = generator(seed, "ideal observer", "triplets")
    found = np.zeros(0, dtype=np.int64)
    while len(found) < most:
        drawn = np.sort(random.integers(n, size=(2 * most, 3)), axis=1)
        drawn = drawn[(drawn[:, 0] < drawn[:, 1]) & (drawn[:, 1] < drawn[:, 2])]
        found = np.unique(np.concatenate([found, (drawn[:, 0] * n + drawn[:, 1]) * n + drawn[:, 2]]))
    chosen = np.sort(random.choice(found, size=most, replace=False))
    return np.stack([chosen // (n * n), chosen // n % n, chosen % n], axis=1), True
