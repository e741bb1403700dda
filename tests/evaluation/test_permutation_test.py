"""The permutation test counts what a loop over relabelled matrices counts, and is uniform without a relation."""

from __future__ import annotations

import numpy as np

from bgs._rng import generator
from bgs.evaluation import model_rdm, pair_vector, permutation_p_value, spearman


def test_agrees_with_relabelling_the_matrix():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(9, 3))
    model, human = model_rdm(values), np.round(model_rdm(values + 2 * rng.normal(size=(9, 3))), 1)
    human[0, 1] = human[1, 0] = np.nan
    shuffles, count = generator(5, "permutation"), 0
    observed = spearman(pair_vector(model), pair_vector(human))
    for _ in range(99):
        label = shuffles.permutation(9)
        count += spearman(pair_vector(model[np.ix_(label, label)]), pair_vector(human)) >= observed - 1e-12
    assert permutation_p_value(model, human, permutations=99, seed=5) == (1 + count) / 100
    assert 0 < count < 99


def test_a_perfect_model_has_the_smallest_p_a_collapsed_one_none():
    model = model_rdm(np.random.default_rng(0).normal(size=(12, 3)))
    assert permutation_p_value(model, model, permutations=99, seed=0) == 0.01
    assert np.isnan(permutation_p_value(np.ones((12, 12)), model, permutations=99, seed=0))


def test_without_a_relation_p_is_spread_evenly():
    rng = np.random.default_rng(1)

    def rdm():
        return model_rdm(rng.normal(size=(10, 3)))

    p = [permutation_p_value(rdm(), rdm(), permutations=49, seed=seed) for seed in range(200)]
    assert 0.02 < np.mean(np.array(p) <= 0.1) < 0.2
    assert 0.4 < np.mean(p) < 0.6
