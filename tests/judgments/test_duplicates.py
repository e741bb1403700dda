"""Rows copied whole and answers submitted twice: by hand, by a slow reference, and in the published table."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from drawn_trials import any_trials, make_trials
from hypothesis import given
from hypothesis import strategies as st

from bgs.datasets import Dataset
from bgs.judgments import Trials
from bgs.judgments.duplicates import (
    DOUBLE_S,
    DuplicateCount,
    _numbered,
    find_duplicates,
    without_duplicates,
)

Row = tuple[str, int, tuple[int, int, int], int, float]


def table(*rows: Row) -> Trials:
    who, trial, stimuli, odd, rt = zip(*rows, strict=True)
    block = np.array(["1"] * len(rows))
    return Trials(np.array(who), block, np.array(trial), np.array(stimuli), np.array(odd), np.array(rt), 6)


def joined(first: Trials, second: Trials) -> Trials:
    names = [f.name for f in fields(Trials) if f.name != "n_stimuli"]
    columns = {name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in names}
    return Trials(**columns, n_stimuli=first.n_stimuli)


def found(trials: Trials) -> tuple[list[int], list[int]]:
    duplicates = find_duplicates(trials)
    return np.flatnonzero(duplicates.copied).tolist(), np.flatnonzero(duplicates.double).tolist()


FIRST: Row = ("p1", 1, (0, 1, 2), 2, 4.1)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (FIRST, "copy"),
        (("p1", 2, (0, 1, 2), 2, 4.1), "double"),
        (("p1", 2, (0, 1, 2), 2, 0.2), "double"),  # time from the start of the page
        (("p1", 2, (0, 1, 2), 2, 4.3), "double"),  # time from the start of the trial
        (("p1", 2, (0, 1, 2), 2, np.nan), "double"),
        (("p1", 2, (0, 1, 2), 2, 4.1 + DOUBLE_S + 0.1), None),
        (("p1", 2, (0, 1, 2), 2, 3.0), None),
        (("p1", 2, (0, 1, 2), 1, 0.2), None),
        (("p1", 2, (1, 0, 2), 2, 0.2), None),
        (("p2", 2, (0, 1, 2), 2, 0.2), None),
    ],
)
def test_a_row_that_repeats_the_one_before(second: Row, expected: str | None) -> None:
    copied, double = found(table(FIRST, second, ("p1", 3, (0, 1, 3), 0, 3.9)))
    assert (copied, double) == ([1] if expected == "copy" else [], [1] if expected == "double" else [])


def test_doubles_follow_trial_numbers_and_not_rows() -> None:
    between = ("p1", 2, (0, 1, 3), 0, 3.9)
    late = ("p1", 3, (0, 1, 2), 2, 0.2)
    assert found(table(FIRST, between, late)) == ([], [])
    assert found(table(("p1", 2, *FIRST[2:4], 0.2), between, FIRST)) == ([], [0])


def test_three_submissions_leave_the_first() -> None:
    rows = [("p1", k, (0, 1, 2), 2, 4.1 + k / 2) for k in range(3)]
    assert found(table(*rows)) == ([], [1, 2])
    assert without_duplicates(table(*rows)).trial.tolist() == [0]


def test_counts_and_words() -> None:
    rows = [FIRST, ("p1", 2, (0, 1, 2), 2, 0.2), ("p1", 3, (4, 4, 5), 2, 3.0), ("p1", 4, (4, 4, 5), 2, 0.5)]
    test = np.array([True, True, True, False, False, False])
    duplicates = find_duplicates(table(*rows, rows[0]), test)
    assert duplicates.copies == DuplicateCount(1, 1, 0, 1)
    assert duplicates.doubles == DuplicateCount(2, 1, 1, 1)
    assert str(duplicates) == (
        "copied rows: 1 (1 judgments, 0 checks; 1 test trials); "
        "submitted twice: 2 (1 judgments, 1 checks; 1 test trials)"
    )
    assert duplicates
    assert not find_duplicates(table(FIRST))


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("times", [1, 2])
def test_a_doubled_table_that_is_numbered_anew(times: int, timed: bool) -> None:
    """Numbers counted by the reader: the block that stands there again is the copy."""
    rng = np.random.default_rng(0)
    stimuli = np.array([rng.choice(6, 3, replace=False) for _ in range(12)])
    once = make_trials(stimuli, rng.integers(3, size=12), 6)
    if timed:
        once = replace(once, rt=rng.integers(1, 9, size=12).astype(float))
    table = once
    for _ in range(times):
        table = joined(table, once)
    table = replace(table, trial=np.arange(len(table)))
    assert np.flatnonzero(find_duplicates(table).copied).tolist() == list(range(12, len(table)))


@given(any_trials())
def test_each_answer_is_left_and_a_second_table_adds_none(trials: Trials) -> None:
    left = without_duplicates(trials)

    def answers(t: Trials) -> set[tuple[object, ...]]:
        return set(zip(t.participant.tolist(), map(tuple, t.stimuli.tolist()), t.odd.tolist(), strict=True))

    assert answers(left) == answers(trials)
    again = find_duplicates(joined(trials, trials))
    assert again.copied[len(trials) :].all()


@given(any_trials())
def test_doubles_by_loop(trials: Trials) -> None:
    rng = np.random.default_rng(len(trials))
    trials = replace(trials, rt=np.round(rng.random(len(trials)) * 6, 1), trial=rng.permutation(len(trials)))
    copied = find_duplicates(trials).copied
    expected = [False] * len(trials)
    last: dict[str, int] = {}
    for row in np.argsort(trials.trial).tolist():
        who = str(trials.participant[row])
        if copied[row]:
            continue
        if who in last:
            one = last[who]
            same = (
                trials.stimuli[one].tolist() == trials.stimuli[row].tolist()
                and trials.odd[one] == trials.odd[row]
            )
            later = trials.rt[row] - trials.rt[one]
            expected[row] = bool(same and (trials.rt[row] <= DOUBLE_S or 0 <= later <= DOUBLE_S))
        last[who] = row
    assert find_duplicates(trials).double.tolist() == expected


@pytest.mark.real
def test_the_published_table(garcia: Dataset) -> None:
    trials, test = garcia.need_trials(), garcia.stimuli.test
    found = find_duplicates(trials, test)
    assert found.copies == DuplicateCount(0, 0, 0, 0)
    assert found.doubles == DuplicateCount(166, 154, 12, 2)
    doubled = find_duplicates(joined(trials, trials), test)
    assert (doubled.copies.rows, doubled.doubles) == (49_484, found.doubles)


@given(st.integers(0, 2**32 - 1), st.integers(0, 30), st.sampled_from([1, 3, 2**33, 2**63 - 1]))
def test_rows_are_numbered_as_by_sorting_them(seed, n, largest):
    """Negative numbers too, and columns whose digits together exceed 64 bits."""
    rng = np.random.default_rng(seed)
    columns = [rng.integers(-largest, largest, size=3)[rng.integers(3, size=n)] for _ in range(3)]
    expected = np.unique(np.column_stack(columns), axis=0, return_inverse=True)[1].reshape(-1)
    np.testing.assert_array_equal(_numbered(*columns), expected)
