"""Odd-one-out scores against visible loops; chance for a collapsed model, 1 for a perfect one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from synthetic_judgments import random_triplets

from bgs.evaluation import model_rdm, three_way_scores, trial_scores, two_way_scores
from bgs.judgments.trials import kept_pair_distances


def scores_by_loop(rdm, triplets, odd):
    three, two = [], []
    for (a, b, c), slot in zip(triplets, odd, strict=True):
        distance = [rdm[b, c], rdm[a, c], rdm[a, b]]
        if np.isnan(distance).any():
            three.append(np.nan)
            two.append(np.nan)
            continue
        kept, others = distance[slot], [d for k, d in enumerate(distance) if k != slot]
        tied = distance.count(min(distance))
        three.append(1 / tied if kept == min(distance) else 0.0)
        two.append(sum(1.0 if kept < other else 0.5 if kept == other else 0.0 for other in others) / 2)
    return np.array([three, two])


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_agrees_with_the_loop(seed, levels):
    rng = np.random.default_rng(seed)
    rdm = rng.integers(levels, size=(7, 7)).astype(float)
    rdm[rng.random((7, 7)) < 0.1] = np.nan
    rdm = np.triu(rdm, 1) + np.triu(rdm, 1).T
    triplets, odd = random_triplets(rng, 7, 30), rng.integers(3, size=30)
    expected = scores_by_loop(rdm, triplets, odd)
    np.testing.assert_allclose(trial_scores(rdm, triplets, odd), expected, rtol=1e-15)
    distances = kept_pair_distances(rdm, triplets)
    found = [of(distances, odd) for of in (three_way_scores, two_way_scores)]
    np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_collapsed_scores_at_chance_perfect_scores_one():
    rng = np.random.default_rng(0)
    triplets = random_triplets(rng, 10, 40)
    collapsed = model_rdm(np.tile(rng.normal(size=5), (10, 1)))
    three, two = trial_scores(collapsed, triplets, rng.integers(3, size=40))
    assert (three == 1 / 3).all()
    assert (two == 0.5).all()

    rdm = model_rdm(rng.normal(size=(10, 5)))
    a, b, c = triplets.T
    perfect = np.stack([rdm[b, c], rdm[a, c], rdm[a, b]]).argmin(axis=0)
    assert (trial_scores(rdm, triplets, perfect) == 1).all()


def test_two_tied_best_pairs_share_credit():
    rdm = np.array([[0.0, 0.1, 0.1], [0.1, 0.0, 0.9], [0.1, 0.9, 0.0]])
    scores = trial_scores(rdm, np.array([[0, 1, 2]] * 3), np.array([0, 1, 2]))
    assert scores.tolist() == [[0, 0.5, 0.5], [0, 0.75, 0.75]]
