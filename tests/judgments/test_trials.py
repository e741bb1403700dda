"""The trial table, its filters, splits and the geometry to train on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgs._errors import BgsError, ConfigError, DataError
from bgs.judgments import Geometry, Trials, split_folds, split_validation


def trials_of(stimuli: list[list[int]], odd: list[int], n_stimuli: int = 6) -> Trials:
    n = len(stimuli)
    names = np.array(["ann"] * n)
    return Trials(names, names, np.arange(n), np.array(stimuli), np.array(odd), np.ones(n), n_stimuli)


def test_kept_are_the_two_that_are_not_odd() -> None:
    trials = trials_of([[3, 1, 2]] * 3, [0, 1, 2])
    assert [set(pair) for pair in trials.kept.tolist()] == [{1, 2}, {3, 2}, {3, 1}]


def test_within_and_count_in() -> None:
    trials = trials_of([[0, 1, 2], [1, 2, 3], [3, 4, 5]], [0, 0, 0])
    mask = np.array([True, True, True, False, False, False])
    assert trials.count_in(mask).tolist() == [3, 2, 0]
    assert trials.within(mask).stimuli.tolist() == [[0, 1, 2]]


def test_triplet_codes_ignore_order() -> None:
    codes = trials_of([[0, 1, 2], [2, 0, 1], [0, 1, 3]], [0, 0, 0]).triplet_codes
    assert codes[0] == codes[1] != codes[2]


def test_hash_depends_on_every_column() -> None:
    trials = trials_of([[0, 1, 2], [1, 2, 3]], [0, 1])
    changed = [
        replace(trials, participant=np.array(["ann", "bob"])),
        replace(trials, block=np.array(["ann", "b"])),
        replace(trials, trial=np.array([0, 7])),
        replace(trials, stimuli=np.array([[0, 1, 2], [1, 2, 4]])),
        replace(trials, odd=np.array([0, 2])),
        replace(trials, rt=np.array([1.0, 2.0])),
        replace(trials, n_stimuli=7),
    ]
    assert len({trials.hash(), *(other.hash() for other in changed)}) == 8
    assert trials.hash() == replace(trials).hash()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"odd": np.array([0, 3])}, "odd slot outside the trial"),
        ({"stimuli": np.array([[0, 1, 2], [1, 2, 6]])}, "position outside the set"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(change: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(DataError, match=message):
        replace(trials_of([[0, 1, 2], [1, 2, 3]], [0, 1]), **change)


def test_geometry_excludes_trials_that_touch_other_clips() -> None:
    trials = trials_of([[5, 1, 3], [1, 3, 0], [1, 1, 3], [3, 5, 1]], [0, 0, 2, 1])
    geometry = Geometry.from_trials(trials, np.array([5, 1, 3]))
    assert geometry.positions.tolist() == [1, 3, 5]
    assert geometry.triplets.tolist() == [[2, 0, 1], [1, 2, 0]]
    assert geometry.odd.tolist() == [0, 1]
    # only two judgments count; the one with clip 0 kept (3, 0) together and would have added to (1, 3)
    assert geometry.weights[0, 1] == 2
    assert geometry.rdm[0, 1] == 0.0


def test_geometry_without_judgments_is_refused() -> None:
    with pytest.raises(DataError, match="no judgment lies within"):
        Geometry.from_trials(trials_of([[0, 1, 2]], [0]), np.array([3, 4, 5]))


@pytest.mark.parametrize(("n", "fraction"), [(200, 0.2), (37, 0.25), (10, 0.33)])
def test_validation_clips_can_be_those_of_scikit_learn(n, fraction):
    """The published recipe draws them with ``train_test_split(…, random_state=42)``."""
    from sklearn.model_selection import train_test_split

    train = np.ones(n + 5, dtype=bool)
    train[::7] = False
    optimise, validate = split_validation(train, fraction, 42, "scikit-learn")
    expected = train_test_split(np.flatnonzero(train), test_size=fraction, random_state=42)
    np.testing.assert_array_equal(optimise, np.sort(expected[0]))
    np.testing.assert_array_equal(validate, np.sort(expected[1]))


def test_validation_split_is_seeded_disjoint_and_within_train() -> None:
    train = np.arange(50) % 5 != 0
    optimise, validate = split_validation(train, 0.2, seed=42)
    assert len(validate) == 8
    assert sorted([*optimise, *validate]) == np.flatnonzero(train).tolist()
    again = split_validation(train, 0.2, seed=42)
    np.testing.assert_array_equal(validate, again[1])
    assert not np.array_equal(validate, split_validation(train, 0.2, seed=43)[1])


def test_validation_split_may_be_empty_but_not_tiny() -> None:
    assert len(split_validation(np.ones(10, dtype=bool), 0.0, seed=0)[1]) == 0
    with pytest.raises(ConfigError, match="too few training stimuli"):
        split_validation(np.ones(10, dtype=bool), 0.2, seed=0)


@given(st.integers(6, 60), st.integers(2, 6), st.integers(0, 5))
def test_folds_hold_out_every_stimulus_once(n, folds, seed):
    if n < 3 * folds:
        with pytest.raises(BgsError, match="invalid number of folds"):
            split_folds(n, folds, seed)
        return
    parts = split_folds(n, folds, seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(n))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert all(np.array_equal(a, b) for a, b in zip(parts, split_folds(n, folds, seed), strict=True))


def test_a_known_rdm_replaces_the_counted_one() -> None:
    trials = trials_of([[0, 1, 2], [1, 2, 3], [3, 4, 5]], [0, 0, 0])
    rdm = np.arange(36.0).reshape(6, 6)
    rdm += rdm.T
    rdm[1, 2] = rdm[2, 1] = np.nan
    geometry = Geometry.from_rdm(rdm, trials, np.array([2, 1, 0]))
    assert geometry.triplets.tolist() == [[0, 1, 2]]
    np.testing.assert_array_equal(geometry.rdm, rdm[:3, :3])
    assert geometry.weights[0].tolist() == [1, 1, 1]
    assert geometry.weights[1, 2] == 0
