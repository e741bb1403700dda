"""All resamples at once give what one resample at a time gives, to the last digit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bgs._rng import generator
from bgs.evaluation import model_rdm, pair_vector, resampled_spearman
from bgs.evaluation.resampled_spearman import ResampledSpearman
from bgs.evaluation.resampling import multiplicities
from bgs.evaluation.rsa import dense_ranks, weighted_spearman


def one_by_one(models, human, weights):
    """(r, e), a resample after the other; tested against scipy in test_weighted_rsa.py."""
    return np.stack([weighted_spearman(models, human, row) for row in weights])


def codes(rng, levels, n):
    """(n,) dense ranks of random numbers, of which ``levels`` differ at most."""
    return dense_ranks(rng.integers(levels, size=n).astype(float))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 14), st.integers(1, 60), st.integers(1, 5))
def test_clip_resamples_equal_single_ones(seed, n, levels, levels_human):
    """Ties on both sides, or none; pairs that people did not see are left out; some resamples are constant."""
    rng = np.random.default_rng(seed)
    first, second = np.triu_indices(n, 1)
    seen = rng.random(len(first)) < 0.8
    first, second = first[seen], second[seen]
    models = np.stack([codes(rng, levels, len(first)), codes(rng, 10**9, len(first))])
    human = codes(rng, levels_human, len(first))
    copies = multiplicities(rng, n, 20)
    expected = one_by_one(models, human, copies[:, first] * copies[:, second])
    fast = ResampledSpearman.of(models, human).over_clips(copies, first, second)
    np.testing.assert_array_equal(fast, expected)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.sampled_from([2, 1000]))
def test_resamples_of_units_equal_single_ones(seed, n, levels):
    """Fractions of copies as well; no copies at all, or undefined numbers of them, are undefined."""
    rng = np.random.default_rng(seed)
    models, human = codes(rng, levels, n)[None], codes(rng, levels, n)
    weights = np.stack([multiplicities(rng, n, 1)[0], rng.integers(9, size=n) / 4, np.zeros(n)])
    fast = ResampledSpearman.of(models, human).over_units(weights)
    np.testing.assert_allclose(fast, one_by_one(models, human, weights), atol=1e-12)
    assert np.isnan(ResampledSpearman.of(models, human).over_units(np.full((2, n), np.nan))).all()


def test_blocks_do_not_show(monkeypatch):
    """More pairs than a block holds, and a last block that is not full."""
    monkeypatch.setattr(resampled_spearman, "_BLOCK", 2**15)
    rng = np.random.default_rng(0)
    for n, resamples in ((300, 2), (40, 101)):
        model, human = (
            dense_ranks(pair_vector(model_rdm(rng.normal(size=(n, 3)))).round(2)) for _ in range(2)
        )
        first, second = np.triu_indices(n, 1)
        copies = multiplicities(rng, n, resamples)
        fast = ResampledSpearman.of(model[None], human).over_clips(copies, first, second)
        expected = one_by_one(model[None], human, copies[:, first] * copies[:, second])
        np.testing.assert_allclose(fast, expected, rtol=1e-14)


def test_no_pairs_are_undefined():
    none = np.zeros(0, dtype=np.int64)
    rho = ResampledSpearman.of(none[None], none).over_clips(np.ones((2, 3)), none, none)
    assert rho.shape == (2, 1)
    assert np.isnan(rho).all()


@pytest.mark.parametrize("n", [1, 2, 50, 250])
def test_samples_drawn_at_once_are_those_drawn_one_by_one(n):
    at_once, random = multiplicities(generator(0, "bootstrap"), n, 30), generator(0, "bootstrap")
    for row in at_once:
        np.testing.assert_array_equal(row, np.bincount(random.integers(n, size=n), minlength=n))
