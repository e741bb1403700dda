"""Geometry from ratings, against values worked out by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bgs._errors import ConfigError, DataError
from bgs.judgments import Geometry
from bgs.judgments.rated import (
    DRAWN,
    choice_probabilities,
    draw_trials,
    hellinger_rdm,
    label_distributions,
)

VOTES = np.array([[10.0, 0, 0], [0, 20, 0], [5, 5, 0], [20, 0, 0], [9, 16, 0]])


def test_shares() -> None:
    np.testing.assert_array_equal(label_distributions(VOTES)[[2, 4]], [[0.5, 0.5, 0], [0.36, 0.64, 0]])


def test_hellinger_by_hand() -> None:
    """Σ sqrt(p q): no common label 0; (1, 0) and (½, ½) sqrt(½); (1, 0) and (.36, .64) .6; (0, 1) and that .8."""
    rdm = hellinger_rdm(VOTES)
    assert rdm[0, 1] == 1
    assert rdm[0, 3] == 0
    np.testing.assert_allclose(rdm[0, 2], np.sqrt(1 - np.sqrt(0.5)))
    np.testing.assert_allclose(rdm[0, 4], np.sqrt(0.4))
    np.testing.assert_allclose(rdm[1, 4], np.sqrt(0.2))
    np.testing.assert_allclose(rdm[2, 4], np.sqrt(1 - 1.4 * np.sqrt(0.5)))


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 8), st.just(3)), elements=st.floats(0.01, 50)))
def test_hellinger_is_a_distance(votes: np.ndarray) -> None:
    rdm = hellinger_rdm(votes)
    np.testing.assert_array_equal(rdm, rdm.T)
    np.testing.assert_array_equal(np.diag(rdm), 0)
    assert rdm.max() <= 1 + 1e-12
    assert (rdm[:, None, :] <= rdm[:, :, None] + rdm[None, :, :] + 1e-9).all()


@pytest.mark.parametrize("row", [[0.0, 0, 0], [-1.0, 2, 0], [np.nan, 1, 0]])
def test_impossible_votes(row: list[float]) -> None:
    with pytest.raises(DataError, match="stimulus 1: not a distribution of labels"):
        hellinger_rdm(np.array([[1.0, 0, 0], row]))


def test_choice_by_hand() -> None:
    """Distances .1 between 0 and 1, .3 and .3 to 2; temperature .1: odd is 2 with chance 1 / (1 + 2 e^−2)."""
    rdm = np.array([[0, 0.1, 0.3], [0.1, 0, 0.3], [0.3, 0.3, 0]])
    chances = choice_probabilities(rdm, np.array([[0, 1, 2], [2, 0, 1]]), 0.1)
    likely = 1 / (1 + 2 * np.exp(-2))
    np.testing.assert_allclose(chances[0], [(1 - likely) / 2, (1 - likely) / 2, likely])
    np.testing.assert_allclose(chances[1], chances[0][[2, 0, 1]])


def test_drawn_choices_follow_the_probabilities() -> None:
    rdm = np.array([[0, 0.1, 0.3], [0.1, 0, 0.2], [0.3, 0.2, 0]])
    trials = draw_trials(rdm, 30_000, seed=3, temperature=0.1)
    odd = np.take_along_axis(trials.stimuli, trials.odd[:, None], axis=1)[:, 0]
    expected = choice_probabilities(rdm, np.array([[0, 1, 2]]), 0.1)[0]
    np.testing.assert_allclose(np.bincount(odd) / len(trials), expected, atol=0.01)


def test_cold_choices_keep_the_closest_pair() -> None:
    rdm = hellinger_rdm(np.random.default_rng(0).dirichlet([1, 1, 1], size=12))
    trials = draw_trials(rdm, 200, seed=0, temperature=1e-6)
    for (a, b, c), odd in zip(trials.stimuli, trials.odd, strict=True):
        assert odd == np.argmin([rdm[b, c], rdm[a, c], rdm[a, b]])


@pytest.mark.parametrize(("n", "n_trials"), [(6, 15), (6, 20), (60, 500)])
def test_no_triplet_twice_while_there_are_new_ones(n: int, n_trials: int) -> None:
    trials = draw_trials(np.zeros((n, n)), n_trials, seed=1)
    assert len(trials.judgments) == n_trials
    assert len(set(trials.triplet_codes.tolist())) == n_trials
    assert set(trials.stimuli.ravel().tolist()) == set(range(n))


def test_more_trials_than_triplets_show_each_equally_often() -> None:
    trials = draw_trials(np.zeros((5, 5)), 25, seed=1)
    shown = np.unique(trials.triplet_codes, return_counts=True)[1]
    assert sorted(shown.tolist()) == [2] * 5 + [3] * 5


def test_slots_are_shuffled() -> None:
    trials = draw_trials(np.zeros((4, 4)), 4000, seed=1)
    orders = {tuple(row) for row in trials.stimuli.tolist()}
    assert orders == set(itertools.permutations(range(4), 3))


def test_seed_decides_everything_and_drawn_trials_say_so() -> None:
    rdm = hellinger_rdm(VOTES)
    first, again, other = (draw_trials(rdm, 50, seed=seed) for seed in (5, 5, 6))
    assert first.hash() == again.hash() != other.hash()
    assert set(first.participant.tolist()) == {DRAWN}
    assert np.isnan(first.rt).all()


def test_what_training_takes() -> None:
    rdm = hellinger_rdm(VOTES)
    geometry = Geometry.from_rdm(rdm, draw_trials(rdm, 30, seed=2), np.array([4, 0, 2]))
    np.testing.assert_array_equal(geometry.rdm, rdm[np.ix_([0, 2, 4], [0, 2, 4])])
    assert len(geometry.triplets) == 3, "each of ten triplets was drawn three times"


def test_what_cannot_be_drawn() -> None:
    rdm = np.zeros((3, 3))
    with pytest.raises(ConfigError, match="temperature"):
        draw_trials(rdm, 3, seed=0, temperature=0.0)
    with pytest.raises(ConfigError, match="number of trials"):
        draw_trials(rdm, 0, seed=0)
    with pytest.raises(DataError, match="at least 3 stimuli"):
        draw_trials(np.zeros((2, 2)), 3, seed=0)
    with pytest.raises(DataError, match="known distances"):
        draw_trials(np.full((3, 3), np.nan), 3, seed=0)
