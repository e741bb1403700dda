"""Variance components: dense matrices, textbook cases, and the variance of a mean that is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bgs.evaluation.showings import _numbered
from bgs.evaluation.variance_components import REST, Dependence


def variance_of_mean(values, groups):
    return Dependence(groups).variance_of_mean(values)


def by_dense_matrices(values, groups):
    """The same with n × n matrices, before variances below 0 are excluded."""
    n = len(values)
    dense = [(rows[:, :, None] == np.unique(rows)).sum(axis=1) for rows in groups.values()]
    kinds = [kind @ kind.T for kind in dense] + [np.eye(n)]
    centring = np.eye(n) - 1 / n
    observed = [values @ centring @ kind @ centring @ values for kind in kinds]
    expected = [[np.trace(a @ centring @ b @ centring) for b in kinds] for a in kinds]
    variances = np.linalg.solve(expected, observed)
    return dict(
        zip(
            [*groups, REST],
            [v * kind.sum() / n**2 for v, kind in zip(variances, kinds, strict=True)],
            strict=True,
        )
    )


def clustered(rng, n=60, of_clip=2.0, of_person=1.0):
    clips, people = np.argsort(rng.random((n, 12)), axis=1)[:, :3], rng.integers(9, size=n)
    values = of_clip * rng.normal(size=12)[clips].sum(axis=1) + of_person * rng.normal(size=9)[people]
    return values + rng.normal(size=n), {"clips": clips, "people": people[:, None]}


@pytest.mark.parametrize("seed", range(4))
def test_as_with_dense_matrices_where_no_variance_is_below_zero(seed):
    values, groups = clustered(np.random.default_rng(seed))
    expected = by_dense_matrices(values, groups)
    if min(expected.values()) > 0:
        assert variance_of_mean(values, groups) == pytest.approx(expected, rel=1e-6)
    else:
        assert min(variance_of_mean(values, groups).values()) >= 0


def test_one_way_layout_by_hand():
    """Four groups of five: between variance (MSB − MSW) / 5, within MSW."""
    rng = np.random.default_rng(1)
    values = (3 * rng.normal(size=4)[:, None] + rng.normal(size=(4, 5))).ravel()
    table = values.reshape(4, 5)
    between = 5 * table.mean(axis=1).var(ddof=1)
    within = table.var(axis=1, ddof=1).mean()
    found = variance_of_mean(values, {"groups": np.repeat(np.arange(4), 5)[:, None]})
    assert found["groups"] == pytest.approx((between - within) / 5 / 4)
    assert found[REST] == pytest.approx(within / 20)


def test_the_parts_add_up_to_how_far_the_mean_moves():
    rng = np.random.default_rng(2)
    drawn = [clustered(rng) for _ in range(400)]
    means = np.var([values.mean() for values, _ in drawn])
    foretold = np.mean([sum(variance_of_mean(*sample).values()) for sample in drawn])
    assert foretold == pytest.approx(means, rel=0.2)  # 400 sets: 7 % of a variance


def test_values_alike_have_no_variance_and_one_value_tells_nothing():
    groups = {"clips": np.arange(9).reshape(3, 3)}
    assert variance_of_mean(np.full(3, 0.5), groups) == {"clips": 0.0, REST: 0.0}
    assert all(np.isnan(x) for x in variance_of_mean(np.ones(1), {"a": np.zeros((1, 1), int)}).values())


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.floats(0.01, 100), shift=st.floats(-5, 5))
def test_order_names_shift_and_scale_change_nothing_else(seed, factor, shift):
    rng = np.random.default_rng(seed)
    n = 40
    clips, values = np.argsort(rng.random((n, 9)), axis=1)[:, :3], rng.normal(size=n)
    first = variance_of_mean(values, {"clips": clips})
    order, names = rng.permutation(n), rng.permutation(9)
    again = variance_of_mean(factor * values[order] + shift, {"clips": names[clips[order]]})
    assert again == pytest.approx({key: part * factor**2 for key, part in first.items()}, rel=1e-6, abs=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(0, 30))
def test_numbers_of_groups_are_those_of_unique(seed, n):
    codes = np.random.default_rng(seed).integers(10, size=n)
    np.testing.assert_array_equal(_numbered(codes), np.unique(codes, return_inverse=True)[1])


def test_blocks_of_groups_do_not_show(monkeypatch):
    values, groups = clustered(np.random.default_rng(0))
    whole = variance_of_mean(values, groups)
    monkeypatch.setattr("bgs.evaluation.variance_components._SHARED", 2)
    assert variance_of_mean(values, groups) == whole
