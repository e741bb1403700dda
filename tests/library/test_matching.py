"""Pairs and sets: the cheapest assignment, calipers, gaps, balance, and what is said when the pool is too small."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from confounded_pool import confounded

from bgs._errors import ConfigError, DataError
from bgs.library.selecting import SetSettings, Variable, choose_sets, compare_sets, difference_in
from bgs.library.selecting.balance import BOUND, permutation_p_value
from bgs.library.selecting.matching import cheapest_pairs, most_pairs, unevenness
from bgs.library.selecting.reference import smallest_cost
from bgs.library.selecting.sides import sides
from bgs.library.selecting.variables import main_axis


@pytest.mark.parametrize(("seed", "pairs"), list(itertools.product(range(6), (1, 2, 4))))
def test_the_assignment_is_the_cheapest_of_all(seed, pairs):
    rng = np.random.default_rng(seed)
    cost, allowed = rng.normal(size=(5, 4)), rng.random((5, 4)) < 0.8
    best = smallest_cost(cost, allowed, pairs)
    if not np.isfinite(best):
        assert most_pairs(allowed) < pairs
        with pytest.raises(DataError, match="not so many pairs"):
            cheapest_pairs(cost, allowed, pairs)
        return
    rows, columns = cheapest_pairs(cost, allowed, pairs)
    assert len(set(rows.tolist())) == len(set(columns.tolist())) == pairs
    assert allowed[rows, columns].all()
    assert cost[rows, columns].sum() == pytest.approx(best)


def test_a_gap_lies_where_the_smaller_side_has_most():
    values = np.array([0.0, 0.1, 0.2, 0.3, 5.0, 5.1, 9.0])
    found = sides(values, 2.0)
    assert found.high.tolist() == [4, 5, 6]
    assert found.low.tolist() == [0, 1, 2, 3]
    assert values[found.high].min() - values[found.low].max() >= 2.0
    assert sides(values, 20.0).most == 0
    assert sides(values, 0.0).most == 3


def test_sets_are_apart_as_asked_and_matched():
    asked, motion, pixels = confounded()
    settings = SetSettings(pairs=20, gap=1.0, caliper=0.4)
    found = choose_sets(asked, [motion, pixels], settings)
    chosen = np.concatenate([found.high, found.low])
    assert len(set(chosen.tolist())) == 40
    z = motion.standardised[:, 0]
    assert np.abs(z[found.high] - z[found.low]).max() <= 0.4
    apart = difference_in(asked, found)
    assert apart.least >= apart.asked == pytest.approx(asked.spread)
    assert apart.low <= apart.value <= apart.high
    number, profile = compare_sets([motion, pixels], found)
    assert number.before > 0.8
    assert abs(number.after) < BOUND
    assert number.equivalent
    assert min(number.p, profile.p) > 0.05
    assert profile.equivalent is None
    again = choose_sets(asked, [motion, pixels], settings)
    np.testing.assert_array_equal(found.high, again.high)


def test_the_most_extreme_clips_are_not_matched():
    """What the test must be able to see: without matching, motion goes with the rating."""
    asked, motion, pixels = confounded()
    settings = SetSettings(pairs=20)
    found = choose_sets(asked, [pixels], settings)
    row = compare_sets([motion], found)[0]
    assert row.p < 0.01
    assert not row.equivalent


def test_the_reverse_differs_in_motion_and_is_matched_in_ratings():
    rating, motion, _ = confounded()
    found = choose_sets(motion, [rating], SetSettings(pairs=15))
    assert difference_in(motion, found).in_sd > 1
    assert compare_sets([rating], found)[0].equivalent


def test_an_impossible_choice_says_what_is_possible():
    asked, motion, pixels = confounded(n=60, r=0.8)
    settings = SetSettings(pairs=20, gap=1.0, caliper=0.2)
    with pytest.raises(DataError, match="the pool has no such sets") as caught:
        choose_sets(asked, [motion, pixels], settings)
    hint = str(caught.value).partition("possible: ")[2].rstrip(")")
    for way in hint.split(" or "):
        name, number = way.split()
        changed = {"-k": "pairs", "--gap": "gap", "--caliper": "caliper"}[name]
        value = int(number) // 2 if name == "-k" else float(number)
        easier = SetSettings(**{"pairs": 20, "gap": 1.0, "caliper": 0.2, changed: value})
        assert len(choose_sets(asked, [motion, pixels], easier).high) == easier.pairs


def test_the_permutation_test_is_exact_on_few_pairs():
    differences = np.array([[0.3], [0.5], [-0.1], [0.4], [0.6]])
    signs = np.array(list(itertools.product([-1, 1], repeat=5)))
    exact = (np.abs(signs @ differences)[:, 0] >= differences.sum() - 1e-12).mean()
    assert permutation_p_value(differences) == pytest.approx(exact, abs=0.01)
    assert permutation_p_value(np.zeros((5, 1))) == 1
    assert unevenness(differences) == pytest.approx(5 * 0.34**2 / (differences**2).mean())


def test_random_signs_leave_p_uniform():
    rng = np.random.default_rng(0)
    p = [permutation_p_value(rng.normal(size=(12, 3)), seed, 199) for seed in range(200)]
    assert 0.02 <= np.mean(np.array(p) <= 0.05) <= 0.09


def test_the_main_axis_is_free_of_what_is_matched():
    rng = np.random.default_rng(0)
    motion = Variable.of("motion_energy", rng.normal(size=100))
    values = rng.normal(size=(100, 5))
    values[:, 0] += 5 * motion.values[:, 0]
    axis = main_axis(Variable("social", values), [motion])
    assert abs(np.corrcoef(axis, motion.values[:, 0])[0, 1]) < 1e-6
    assert axis[np.argmax(np.abs(axis))] > 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"pairs": 1}, "4 or more"),
        ({"pairs": 2, "gap": -1.0}, "gap"),
        ({"pairs": 2, "caliper": np.nan}, "caliper"),
    ],
)
def test_settings_out_of_range(options, said):
    with pytest.raises(ConfigError, match=said):
        SetSettings(**options)


def test_variables_that_say_nothing():
    with pytest.raises(DataError, match="the same value"):
        Variable.of("luminance", np.ones(5))
    with pytest.raises(DataError, match="missing"):
        Variable.of("valence", np.array([1, np.nan]))
