"""Planted dimensions are found again, ordered and non-negative; their ratings correlate as scipy says."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.optimize import approx_fprime, linear_sum_assignment, minimize
from scipy.stats import false_discovery_control, pearsonr, spearmanr

from bgs import BgsError
from bgs.evaluation import Dimensions, find_dimensions, rate_dimensions
from bgs.evaluation.symmetric_factors import PairObjective, fit_factors
from bgs.stimuli import StimulusSet


def plant(n=60, rank=4, noise=0.02, unknown=0.2, seed=0):
    """Sparse loadings, and dissimilarities with noise in every pair and some pairs unobserved."""
    rng = np.random.default_rng(seed)
    loadings = np.abs(rng.normal(size=(n, rank))) * (rng.random((n, rank)) < 0.4) * np.arange(rank + 2, 2, -1)
    similarity = loadings @ loadings.T
    scale = similarity.max()
    errors = np.triu(noise * rng.normal(size=(n, n)), 1)
    hidden = np.triu(rng.random((n, n)) < unknown, 1)
    rdm = 1 - similarity / scale - errors - errors.T
    rdm[hidden | hidden.T] = np.nan
    return loadings / np.sqrt(scale), rdm, tuple(f"clip{i}" for i in range(n))


@pytest.fixture(scope="module")
def planted():
    loadings, rdm, ids = plant()
    return loadings, rdm, ids, find_dimensions(rdm, ids, ranks=range(1, 8))


def test_rank_and_loadings_are_found_again(planted):
    truth, _, _, found = planted
    assert found.rank == 4
    correlation = np.corrcoef(truth.T, found.loadings.T)[:4, 4:]
    rows, columns = linear_sum_assignment(-correlation)
    assert correlation[rows, columns].min() > 0.97
    matched = found.loadings[:, columns]
    assert np.abs(matched - truth).mean() < 0.02
    assert found.explained > 0.9
    # A third of the planted loadings are not 0; bounds make most of the others exactly 0.
    assert (matched[truth == 0] == 0).mean() > 0.4


def test_they_are_non_negative_ordered_and_the_same_again(planted):
    _, rdm, ids, found = planted
    assert (found.loadings >= 0).all()
    assert (np.diff(found.carried) <= 0).all()
    first, second = np.triu_indices(60, 1)
    seen = np.isfinite(rdm[first, second])
    for k in range(found.rank):
        products = found.loadings[first, k] * found.loadings[second, k]
        assert found.carried[k] == pytest.approx(products[seen].var() / rdm[first, second][seen].var())
    again = find_dimensions(rdm, ids, ranks=range(1, 8))
    np.testing.assert_array_equal(again.loadings, found.loadings)
    text = json.dumps(found.to_json(), allow_nan=False)
    assert Dimensions.from_json(json.loads(text)).to_json() == found.to_json()


def test_top_clips_have_most_of_a_dimension(planted):
    *_, ids, found = planted
    best = found.top(1, 3)
    assert [name for name, _ in best] == [ids[i] for i in np.argsort(-found.loadings[:, 1])[:3]]
    assert best[0][1] == found.loadings[:, 1].max()


def test_the_scale_of_similarities_scales_the_loadings(planted):
    _, rdm, ids, _ = planted
    plain, half = (find_dimensions(r, ids, ranks=[3], starts=1) for r in (rdm, 1 - (1 - rdm) / 4))
    np.testing.assert_allclose(half.loadings, plain.loadings / 2, atol=0.01)


def plain_objective(first, second, target, loadings, penalty):
    """Value and gradient, a pair at a time."""
    value, slope = penalty * loadings.sum(), np.full(loadings.shape, penalty)
    for i, j, s in zip(first, second, target, strict=True):
        error = s - loadings[i] @ loadings[j]
        value += error**2
        slope[i] -= 2 * error * loadings[j]
        slope[j] -= 2 * error * loadings[i]
    return value, slope


@pytest.mark.parametrize("block", [1, 300, 2**18])
@pytest.mark.parametrize("rank", [1, 4])
def test_the_objective_is_that_of_a_loop_over_pairs(monkeypatch, block, rank):
    """In one block, in several and row by row, and whichever clip of a pair comes first."""
    monkeypatch.setattr("bgs.evaluation.symmetric_factors._BLOCK", block)
    rng = np.random.default_rng(rank)
    first, second = np.argwhere(np.triu(rng.random((23, 23)) < 0.6, 1)).T
    swap = rng.random(len(first)) < 0.5
    first, second = np.where(swap, second, first), np.where(swap, first, second)
    target, loadings = rng.normal(size=len(first)), rng.random((23, rank))
    value, slope = PairObjective(first, second, target, 23, rank, 0.3)(loadings.ravel())
    expected = plain_objective(first, second, target, loadings, 0.3)
    assert value == pytest.approx(expected[0], rel=1e-12)
    np.testing.assert_allclose(slope.reshape(23, rank), expected[1], rtol=1e-10, atol=1e-12)


def test_best_of_starts_is_as_good_as_with_whole_matrices():
    """The least objective is that of the same solver on the plain square matrices, each pair in them twice."""
    for seed, n, rank in ((0, 40, 3), (1, 60, 4), (2, 50, 2)):
        _, rdm, _ = plant(n=n, rank=3, noise=0.1, seed=seed)
        first, second = np.argwhere(np.triu(np.isfinite(rdm), 1)).T
        target, penalty = 1 - rdm[first, second], 0.1
        ours, whole = zip(
            *(_both(first, second, target, n, rank, penalty, start) for start in range(3)), strict=True
        )
        assert min(ours) <= min(whole) * (1 + 1e-4)


def _both(first, second, target, n, rank, penalty, start):
    observed, similarity = np.zeros((n, n)), np.zeros((n, n))
    observed[first, second] = observed[second, first] = 1
    similarity[first, second] = similarity[second, first] = target

    def square(flat):
        w = flat.reshape(n, rank)
        residual = observed * (w @ w.T) - similarity
        return (residual**2).sum() / 2 + penalty * flat.sum(), (2 * residual @ w + penalty).ravel()

    x = np.random.default_rng(start).uniform(0.5, 1.5, n * rank) * np.sqrt(target.mean() / rank)
    slow = minimize(
        square, x, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(x), options={"maxiter": 500}
    )
    return fit_factors(first, second, target, n, rank, penalty, np.random.default_rng(start))[1], slow.fun


def test_a_fit_cannot_be_improved_nearby():
    """Where a loading is above 0 the slope of the objective, written as a loop over pairs, is 0; at 0 it is not below."""
    _, rdm, _ = plant(n=12, rank=2)
    pairs = [(i, j) for i in range(12) for j in range(i + 1, 12) if np.isfinite(rdm[i, j])]
    first, second = np.array(pairs).T
    target, penalty = 1 - rdm[first, second], 0.05

    def objective(flat):
        w = flat.reshape(12, 2)
        return (
            sum((s - w[i] @ w[j]) ** 2 for (i, j), s in zip(pairs, target, strict=True))
            + penalty * flat.sum()
        )

    found, value = fit_factors(first, second, target, 12, 2, penalty, np.random.default_rng(0))
    assert value == pytest.approx(objective(found.ravel()))
    slope = approx_fprime(found.ravel(), objective, 1e-7)
    assert np.abs(slope[found.ravel() > 0]).max() < 5e-3
    assert slope[found.ravel() == 0].min() > -5e-3


def test_ratings_of_dimensions_are_scipys_correlations(planted):
    truth, _, ids, found = planted
    rng = np.random.default_rng(0)
    likes = truth[:, 0] + 0.2 * rng.normal(size=60)
    likes[:4] = np.nan
    stimuli = StimulusSet(ids[::-1], ratings={"likes": likes[::-1], "noise": rng.normal(size=60)})
    rated = rate_dimensions(found, stimuli, resamples=200, permutations=199)
    assert len(rated) == 2 * found.rank
    for row in rated:
        values = dict(zip(stimuli.ids, stimuli.ratings[row.attribute], strict=True))
        values = np.array([values[name] for name in ids])
        seen = np.isfinite(values)
        x, y = found.loadings[seen, row.dimension], values[seen]
        assert row.pearson.value == pytest.approx(pearsonr(x, y)[0])
        assert row.spearman.value == pytest.approx(spearmanr(x, y)[0])
        assert row.pearson.p == pytest.approx(pearsonr(x, y)[1], abs=0.12)
        assert row.pearson.low < row.pearson.value < row.pearson.high
        assert row.pearson.n == seen.sum()
    q = false_discovery_control([row.spearman.p for row in rated])
    assert [row.q_spearman for row in rated] == pytest.approx(q.tolist())
    best = max(rated, key=lambda row: row.pearson.value)
    assert best.attribute == "likes"
    assert best.q_pearson < 0.05
    json.dumps([row.to_json() for row in rated], allow_nan=False)


def test_bad_input_is_said():
    _, rdm, ids = plant(n=12)
    for change, message in (
        ({"stimulus_ids": ids[:5]}, "cannot find dimensions"),
        ({"rdm": np.ones((12, 12))}, "cannot find dimensions"),
        ({"rdm": rdm + 3}, "above 0 on average"),
        ({"stimulus_ids": (*ids[:11], ids[0])}, f"stimulus listed twice: {ids[0]}"),
        ({"rdm": rdm + 0.1 * np.tri(12, k=-1)}, "not symmetric"),
        ({"rdm": np.where(np.eye(12, k=1) > 0, np.nan, rdm)}, "not symmetric"),
        ({"rdm": np.where(np.eye(12) > 0, rdm, np.inf)}, "infinite"),
        ({"ranks": [0, 1]}, "invalid settings"),
        ({"ranks": []}, "invalid settings"),
        ({"folds": 1}, "invalid settings"),
        ({"sparsity": -1.0}, "invalid settings"),
    ):
        arguments = {"rdm": rdm, "stimulus_ids": ids} | change
        with pytest.raises(BgsError, match=message):
            find_dimensions(arguments.pop("rdm"), arguments.pop("stimulus_ids"), **arguments)
    found = find_dimensions(rdm, ids, ranks=[1])
    with pytest.raises(BgsError, match="no such rating"):
        rate_dimensions(found, StimulusSet(ids), ["likes"])
    with pytest.raises(BgsError, match="too few rated"):
        rate_dimensions(found, StimulusSet(ids, ratings={"x": np.full(12, np.nan)}))
