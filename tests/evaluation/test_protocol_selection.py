"""Which judgments a protocol takes, and the pair counts that follow."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from synthetic_judgments import make_stimuli, make_trials, random_triplets

from bgs._errors import ConfigError, DataError
from bgs.evaluation import PROTOCOLS, select_protocol
from bgs.evaluation.judged_pairs import JudgedPairs
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
@pytest.mark.parametrize("whom", [None, [1, 1, 1], [2, 0, 1], [0, 3, 1]])
def test_judged_pairs_give_the_human_rdm_of_any_participants(name, whom):
    rng = np.random.default_rng(0)
    people = np.concatenate([["a", "b", "c"] * 40])
    trials = make_trials(random_triplets(rng, 8, 120), rng.integers(3, size=120), 8, people)
    protocol = select_protocol(name, STIMULI, trials)
    pairs = JudgedPairs.of(protocol)
    names = np.unique(protocol.judgments.participant)
    whom = whom and whom[: len(names)]  # among the test clips alone, one of the three may have no judgment
    times = dict(zip(names, whom or [1] * len(names), strict=True))
    copies = [
        protocol.judgments.where(protocol.judgments.participant == who)
        for who in names
        for _ in range(times[who])
    ]
    rows = [np.concatenate([getattr(part, field) for part in copies]) for field in ("stimuli", "odd")]
    counts = PairCounts.from_trials(make_trials(*rows, 8)).subset(protocol.positions)
    dissimilarity, shown = pairs.dissimilarity(None if whom is None else np.array(whom, dtype=float))
    np.testing.assert_array_equal(shown, counts.shown[pairs.first, pairs.second])
    np.testing.assert_array_equal(dissimilarity, human_rdm(counts)[pairs.first, pairs.second])
    everyone = PairCounts.from_trials(protocol.judgments).subset(protocol.positions).shown
    expected = [(i, j) for i, j in itertools.combinations(range(len(everyone)), 2) if everyone[i, j]]
    assert list(zip(pairs.first, pairs.second, strict=True)) == expected


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
