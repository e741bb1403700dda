"""Resamples follow their seed, intervals their rule."""

from __future__ import annotations

import numpy as np
import pytest

from bgs.evaluation import bootstrap, percentile_interval


def counted(clips, units):
    return np.concatenate([clips if units is None else units])


def test_draws_depend_on_seed_and_design_only():
    def draw(**change):
        return bootstrap(counted, 5, 5, **({"design": "clips", "resamples": 4, "seed": 1} | change))

    assert draw().shape == (4, 5)
    assert (draw().sum(axis=1) == 5).all()
    np.testing.assert_array_equal(draw(), draw())
    np.testing.assert_array_equal(draw(resamples=2), draw()[:2])
    assert (draw() != draw(seed=2)).any()
    assert (draw() != draw(design="units")).any()


def test_one_member_says_nothing_about_others():
    assert np.isnan(bootstrap(counted, 1, 9, design="clips", resamples=3, seed=0)).all()
    assert np.isfinite(bootstrap(counted, 1, 9, design="units", resamples=3, seed=0)).all()


def test_intervals_are_shifted_to_the_value_and_stay_in_range():
    draws = np.linspace(0, 1, 1001)
    assert percentile_interval(draws, 0.5, (-1.0, 1.0)) == pytest.approx((0.025, 0.975))
    assert percentile_interval(draws - 0.3, 0.5, (-1.0, 1.0)) == pytest.approx((0.025, 0.975))
    assert percentile_interval(draws, 0.9, (-1.0, 1.0)) == pytest.approx((0.425, 1.0))
    assert percentile_interval(draws, 0.5, (-1.0, 1.0), spread=0.5) == pytest.approx((0.2625, 0.7375))


def test_undefined_draws_are_left_out_unless_they_are_most():
    draws = np.linspace(0, 1, 1001)
    assert percentile_interval(np.append(draws, [np.nan] * 100), 0.5, (-1.0, 1.0)) == pytest.approx(
        (0.025, 0.975)
    )
    assert np.isnan(percentile_interval(np.append(draws, [np.nan] * 2000), 0.5, (-1.0, 1.0))).all()
    assert np.isnan(percentile_interval(draws, float("nan"), (-1.0, 1.0))).all()
