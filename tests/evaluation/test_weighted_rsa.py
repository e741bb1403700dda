"""Correlations agree with scipy, on the data and on every resample written out."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_judgments import replicated_pairs

from bgs.evaluation import model_rdm, pair_vector, pearson, spearman, validation_rsa
from bgs.evaluation.rsa import centred, dense_ranks, mid_ranks, weighted_pearson, weighted_spearman


def weighted(x, y, weights):
    rho = weighted_spearman(dense_ranks(x)[None], dense_ranks(y), weights)[0]
    return rho, weighted_pearson(centred(x)[None], centred(y), weights)[0]


def reference(x, y):
    if len(x) < 2 or len(set(x)) < 2 or len(set(y)) < 2:
        return np.nan, np.nan
    return scipy.stats.spearmanr(x, y).statistic, scipy.stats.pearsonr(x, y).statistic


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.integers(1, 5), st.integers(1, 5))
def test_weights_equal_replication(seed, n, levels_x, levels_y):
    """Ties on both sides, weights from 0 up: exactly what scipy says of the replicated list."""
    rng = np.random.default_rng(seed)
    x, y = rng.integers(levels_x, size=n) / 7, rng.integers(levels_y, size=n) / 3
    weights = rng.integers(4, size=n)
    expected = reference(np.repeat(x, weights), np.repeat(y, weights))
    np.testing.assert_allclose(weighted(x, y, weights.astype(float)), expected, atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_a_clip_resample_equals_the_pair_list_written_out(seed):
    rng = np.random.default_rng(seed)
    n = 12
    model = model_rdm(rng.integers(-1, 2, size=(n, 4)).astype(float))
    human = np.round(rng.random((n, n)), 1)
    human[rng.random((n, n)) < 0.3] = np.nan
    human = np.triu(human, 1) + np.triu(human, 1).T
    copies = np.bincount(rng.integers(n, size=n), minlength=n).astype(float)
    first, second = np.triu_indices(n, 1)
    seen = ~np.isnan(human[first, second])
    first, second = first[seen], second[seen]
    fast = weighted(model[first, second], human[first, second], copies[first] * copies[second])
    np.testing.assert_allclose(fast, reference(*replicated_pairs(model, human, copies)), atol=1e-12)


def test_unweighted_agrees_with_scipy_and_leaves_unseen_pairs_out():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=500), rng.integers(5, size=500).astype(float)
    seen = rng.random(500) < 0.6
    y_partly = np.where(seen, y, np.nan)
    rho, r = reference(x[seen], y[seen])
    assert spearman(x, y_partly) == pytest.approx(rho, abs=1e-12)
    assert pearson(x, y_partly) == pytest.approx(r, abs=1e-12)


@pytest.mark.parametrize("correlation", [spearman, pearson])
def test_constant_or_no_input_is_undefined_not_zero(correlation):
    x = np.array([0.1, 0.7, 0.3])
    assert np.isnan(correlation(x, np.full(3, 0.1)))
    assert np.isnan(correlation(np.full(3, 0.1), x))
    assert np.isnan(correlation(x, np.full(3, np.nan)))
    assert np.isnan(correlation(x[:1], x[:1]))
    assert np.isnan(correlation(x[:0], x[:0]))


def test_several_models_share_one_call():
    rng = np.random.default_rng(0)
    x, y, weights = rng.normal(size=(3, 60)), rng.normal(size=60), rng.integers(3, size=60).astype(float)
    alone = [weighted(row, y, weights) for row in x]
    codes, rows = np.stack([dense_ranks(row) for row in x]), np.stack([centred(row) for row in x])
    np.testing.assert_array_equal(
        weighted_spearman(codes, dense_ranks(y), weights), [rho for rho, _ in alone]
    )
    np.testing.assert_allclose(weighted_pearson(rows, centred(y), weights), [r for _, r in alone], rtol=1e-12)


def test_mid_ranks_agree_with_scipy():
    values = np.random.default_rng(0).integers(6, size=50).astype(float)
    np.testing.assert_array_equal(mid_ranks(values), scipy.stats.rankdata(values))


def test_agrees_with_rsatoolbox_on_complete_data():
    from rsatoolbox.rdm import RDMs, compare

    rng = np.random.default_rng(0)
    one, two = model_rdm(rng.normal(size=(15, 4))), model_rdm(rng.normal(size=(15, 4)))
    sets = RDMs(pair_vector(one)[None]), RDMs(pair_vector(two)[None])
    assert spearman(pair_vector(one), pair_vector(two)) == pytest.approx(
        compare(*sets, "spearman").item(), abs=1e-12
    )
    assert pearson(pair_vector(one), pair_vector(two)) == pytest.approx(
        compare(*sets, "corr").item(), abs=1e-12
    )


def test_validation_rsa_is_spearman_of_the_rdms():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(8, 3)).astype(np.float32)
    human = model_rdm(rng.normal(size=(8, 3)))
    human[0, 1] = human[1, 0] = np.nan
    expected = spearman(pair_vector(model_rdm(values)), pair_vector(human))
    assert validation_rsa(values, human) == expected
    centred_expected = spearman(pair_vector(model_rdm(values - values.mean(axis=0))), pair_vector(human))
    assert validation_rsa(values, human, center=values.mean(axis=0)) == pytest.approx(
        centred_expected, abs=1e-9
    )
