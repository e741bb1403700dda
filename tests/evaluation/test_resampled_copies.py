"""Copies of pairs by row, and their sums by group, are those of a loop over pairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bgs.evaluation.resampled_copies import CopiesOfClips, CopiesOfUnits
from bgs.evaluation.resampling import multiplicities
from bgs.evaluation.rsa import dense_ranks


def by_clips(rng, n):
    """Copies of some pairs of n clips, and (r, p) what they should be, with their groups."""
    first, second = np.triu_indices(n, 1)
    seen = rng.permutation(len(first))[: max(1, int(0.7 * len(first)))]
    swap = rng.random(len(seen)) < 0.5  # the order of a pair's clips means nothing
    ends = np.where(swap, (second[seen], first[seen]), (first[seen], second[seen]))
    groups = dense_ranks(rng.integers(4, size=len(seen)).astype(float))
    copies = multiplicities(rng, n, 7)
    return CopiesOfClips.of(copies, *ends, groups), copies[:, ends[0]] * copies[:, ends[1]], groups


def by_units(rng, n):
    """The same of pairs that are repeated on their own, by fractions."""
    copies, groups = rng.integers(9, size=(7, n)) / 4, dense_ranks(rng.integers(4, size=n).astype(float))
    return CopiesOfUnits.of(copies, groups), copies, groups


@pytest.mark.parametrize("made", [by_clips, by_units])
@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(2, 12))
def test_rows_and_sums_are_those_of_a_loop(made, seed, n):
    copies, expected, groups = made(np.random.default_rng(seed), n)
    assert len(copies) == len(expected)
    p, resamples = len(groups), slice(2, 6)
    block, expected = copies.block(resamples), expected[resamples]
    pairs = np.arange(p + p % 2).reshape(2, -1)  # the last may be none
    rows = np.concatenate([row.copy() for row in block.rows(pairs)])
    np.testing.assert_array_equal(rows[:p], expected.T)
    assert not rows[p:].any()
    sums = [[row[groups == group].sum() for row in expected] for group in range(groups.max() + 1)]
    np.testing.assert_array_equal(block.sums(), sums)
    np.testing.assert_allclose(block.cubes, (expected**3).sum(axis=1), rtol=1e-12)
