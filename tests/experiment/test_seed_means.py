"""Figures over seeds: value, interval, p and q, there and back."""

from __future__ import annotations

import math

import pytest

from bgs.evaluation import Metric
from bgs.experiments.results import SeedMean, with_q


def metric(value: float, p: float | None = None) -> Metric:
    return Metric(value, value - 0.1, value + 0.1, 50, "r", p=p)


def test_value_and_bounds_are_means():
    mean = SeedMean.of({0: metric(0.2), 3: metric(0.4)})
    assert (mean.value, mean.low, mean.high) == pytest.approx((0.3, 0.2, 0.4))
    assert mean.seeds == {0: 0.2, 3: 0.4}
    assert mean.p is None


@pytest.mark.parametrize(
    ("p", "expected"), [([0.03], 0.03), ([0.01, 0.03], 0.04), ([0.9, 0.8], 1.0), ([0.1, None], None)]
)
def test_p_over_seeds_is_twice_its_mean(p, expected):
    found = SeedMean.of({seed: metric(0.2, value) for seed, value in enumerate(p)}).p
    assert found == (None if expected is None else pytest.approx(expected))


def test_q_by_hand_and_back_from_json():
    figures = {name: SeedMean.of({0: metric(0.2, p)}) for name, p in (("a", 0.01), ("b", 0.04), ("c", None))}
    adjusted = with_q(figures)
    assert [adjusted[name].q for name in "ab"] == pytest.approx([0.02, 0.04])
    assert math.isnan(adjusted["c"].q)
    for figure in (*adjusted.values(), *figures.values()):
        again = SeedMean.from_json(figure.to_json())
        assert again.q == figure.q or (math.isnan(again.q) and math.isnan(figure.q))
        assert again == figure or math.isnan(figure.q)
    assert "q" not in figures["a"].to_json()
