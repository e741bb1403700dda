"""Which judgments a protocol takes, and the pair counts that follow."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from synthetic_judgments import make_stimuli, make_trials, random_triplets

from bgs._errors import ConfigError, DataError
from bgs.evaluation import PROTOCOLS, select_protocol
from bgs.evaluation.showings import Showings
from bgs.judgments import PairCounts, human_rdm

# Clips 0–3 train, 4–7 test.
STIMULI = make_stimuli(8, n_test=4)
TRIALS = make_trials(
    [[4, 5, 6], [0, 5, 4], [0, 1, 2], [7, 7, 4], [0, 1, 4], [6, 7, 5]],
    [0, 0, 1, 2, 1, 2],
    8,
    ["a", "b", "a", "b", "c", "a"],
)


@pytest.mark.parametrize(
    ("name", "positions", "pair_trials", "complete"),
    [
        ("held-out-trials", [4, 5, 6, 7], [0, 5], [0, 5]),
        ("held-out-pairs", [4, 5, 6, 7], [0, 1, 5], [0, 5]),
        ("all", range(8), [0, 1, 2, 4, 5], [0, 1, 2, 4, 5]),
    ],
)
def test_which_judgments(name, positions, pair_trials, complete):
    protocol = select_protocol(name, STIMULI, TRIALS)
    assert protocol.positions.tolist() == list(positions)
    assert protocol.judgments.trial.tolist() == pair_trials
    assert protocol.trials.trial.tolist() == complete


def test_the_list_of_protocols():
    assert PROTOCOLS == ("held-out-trials", "held-out-pairs", "all")


@pytest.mark.parametrize("name", PROTOCOLS)
def test_showings_give_the_human_rdm(name):
    rng = np.random.default_rng(0)
    people = np.concatenate([["a", "b", "c"] * 40])
    trials = make_trials(random_triplets(rng, 8, 120), rng.integers(3, size=120), 8, people)
    protocol = select_protocol(name, STIMULI, trials)
    showings = Showings.of(protocol)
    counts = PairCounts.from_trials(protocol.judgments).subset(protocol.positions)
    np.testing.assert_array_equal(showings.shown, counts.shown[showings.first, showings.second])
    np.testing.assert_allclose(showings.dissimilarity, human_rdm(counts)[showings.first, showings.second])
    everyone = counts.shown
    expected = [(i, j) for i, j in itertools.combinations(range(len(everyone)), 2) if everyone[i, j]]
    assert list(zip(showings.first, showings.second, strict=True)) == expected
    assert showings.own.all() == (name != "held-out-trials")


def test_held_out_needs_a_split():
    with pytest.raises(DataError, match="--protocol all"):
        select_protocol("held-out-pairs", make_stimuli(8), TRIALS)


def test_no_judgment_left():
    with pytest.raises(DataError, match="no judgment"):
        select_protocol("held-out-trials", make_stimuli(8, n_test=2), TRIALS)


def test_unknown_protocol_and_foreign_trials():
    with pytest.raises(ConfigError, match="held-out-trials"):
        select_protocol("test", STIMULI, TRIALS)
    with pytest.raises(DataError, match="another stimulus set"):
        select_protocol("all", make_stimuli(9), TRIALS)
