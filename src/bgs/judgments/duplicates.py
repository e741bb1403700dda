"""Duplicate answers in a trial table: copied rows, and answers submitted twice.

- A **copy** repeats an earlier row: the same participant, block, trial number, slots, choice and response time. If trials
  were numbered by the reader because the table has no numbers, it belongs to a block that is repeated in the same order.
- A **double submission** repeats the previous row of the same participant and block: the same slots and choice, at most
  :data:`DOUBLE_S` later. Studies measure time from the start of either the page or the trial, so both are handled: a
  response time of at most :data:`DOUBLE_S`, or one that exceeds the previous one by at most that. If a response time is
  unknown, the row counts as a double submission.

Neither adds information, and both inflate the apparent consistency of participants.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from bgs._typing import Bool, Float, Int
from bgs.judgments.trials import Kind, Trials

#: Seconds within which the same answer to the same three clips counts as a double click.
DOUBLE_S = 2.0

_LARGEST = np.iinfo(np.int64).max


@dataclass(frozen=True)
class DuplicateCount:
    """Number of rows, of judgments and attention checks among them, and of judgments of test clips (None without a split)."""

    rows: int
    judgments: int
    checks: int
    test_trials: int | None

    def in_words(self) -> str:
        """``166 (154 judgments, 12 checks; 2 test trials)``."""
        tested = "" if self.test_trials is None else f"; {self.test_trials:,} test trials"
        return f"{self.rows:,} ({self.judgments:,} judgments, {self.checks:,} checks{tested})"


@dataclass(frozen=True)
class Duplicates:
    """Rows of a trial table that repeat another row; the original is not included.

    Attributes:
        copied: (n,) copied rows.
        double: (n,) answers submitted twice, excluding copied rows.
        copies, doubles: their numbers.
    """

    copied: Bool[np.ndarray, " n"]
    double: Bool[np.ndarray, " n"]
    copies: DuplicateCount
    doubles: DuplicateCount

    @property
    def rows(self) -> Bool[np.ndarray, " n"]:
        """(n,) True for every duplicate row."""
        either: Bool[np.ndarray, " n"] = self.copied | self.double
        return either

    def to_json(self) -> dict[str, dict[str, int | None]]:
        """The counts."""
        return {"copies": asdict(self.copies), "doubles": asdict(self.doubles)}

    def __bool__(self) -> bool:
        return bool(self.copies.rows or self.doubles.rows)

    def __str__(self) -> str:
        """In words: ``submitted twice: 166 (154 judgments, 12 checks; 2 test trials)``; empty where there are none."""
        kinds = ("copied rows", self.copies), ("submitted twice", self.doubles)
        return "; ".join(f"{what}: {count.in_words()}" for what, count in kinds if count.rows)


def find_duplicates(trials: Trials, test: Bool[np.ndarray, " s"] | None = None) -> Duplicates:
    """Find copied rows and double submissions, as defined in the docstring of this module.

    Args:
        trials: the table, in any order.
        test: (n_stimuli,) mask of test clips, to count judgments whose three clips are all among them; None: no split.
    """
    answer = _answers(trials)
    copied = _copies(trials, answer)
    double = np.zeros(len(trials), dtype=bool)
    double[~copied] = _doubles(trials.where(~copied), answer[~copied])
    return Duplicates(copied, double, *(_count(trials.where(mask), test) for mask in (copied, double)))


def without_duplicates(trials: Trials) -> Trials:
    """Keep the first row of each answer, in the order of the table."""
    return trials.where(~find_duplicates(trials).rows)


def _answers(trials: Trials) -> Int[np.ndarray, " n"]:
    """(n,) one number for each combination of participant, block, slots and choice."""
    block = np.unique(trials.block, return_inverse=True)[1]
    return _numbered(trials.participant_codes, block, *trials.stimuli.T, trials.odd)


def _numbered(*columns: np.ndarray) -> Int[np.ndarray, " n"]:
    """(n,) equal numbers for rows that are equal in every column, in the order of the rows' values.

    Columns are the digits of one number, so that one array is sorted instead of rows; it is renumbered before it overflows.
    """
    number, size = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        low, high = int(column.min(initial=0)), int(column.max(initial=0))
        if size * (high - low + 1) > _LARGEST:
            number, column = (np.unique(part, return_inverse=True)[1] for part in (number, column))
            size, low, high = int(number.max(initial=0)) + 1, 0, int(column.max(initial=0))
        number, size = number * (high - low + 1) + (column - low), size * (high - low + 1)
    return np.unique(number, return_inverse=True)[1]


def _copies(trials: Trials, answer: Int[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    time = np.unique(np.nan_to_num(trials.rt, nan=-1.0), return_inverse=True)[1]
    row = _numbered(answer, time)
    copied: Bool[np.ndarray, " n"] = _repeats(_numbered(row, trials.trial)) | _repeated_blocks(trials, row)
    return copied


def _repeats(names: Int[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """(n,) whether an earlier row has the same name."""
    later = np.ones(len(names), dtype=bool)
    later[np.unique(names, return_index=True)[1]] = False
    return later


def _repeated_blocks(trials: Trials, row: Int[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """(n,) rows of a block after its first repetition, if the block repeats a sequence of at least two rows."""
    copied = np.zeros(len(trials), dtype=bool)
    block = np.unique(trials.block, return_inverse=True)[1]
    session = _numbered(trials.participant_codes, block)
    order = np.argsort(session, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(session[order])) + 1):
        copied[rows[_period(row[rows]) :]] = True
    return copied


def _period(names: Int[np.ndarray, " n"]) -> int:
    """Length of the shortest repeated sequence with at least two different names; n if there is no repetition."""
    n = len(names)
    if n < 4 or (names == names[0]).all() or (names == names[0]).sum() == 1:
        return n
    whole = (p for p in range(2, n // 2 + 1) if n % p == 0)
    return next((p for p in whole if np.array_equal(names[p:], names[:-p])), n)


def _doubles(trials: Trials, answer: Int[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    block = np.unique(trials.block, return_inverse=True)[1]
    order = np.lexsort(
        (trials.trial, block, trials.participant_codes)
    )  # stable, so ties keep the table's order
    before, after = order[:-1], order[1:]
    double = np.zeros(len(trials), dtype=bool)
    double[after] = (answer[before] == answer[after]) & _at_once(trials.rt[before], trials.rt[after])
    return double


def _at_once(first: Float[np.ndarray, " m"], second: Float[np.ndarray, " m"]) -> Bool[np.ndarray, " m"]:
    unknown, later = np.isnan(first) | np.isnan(second), second - first
    at_once: Bool[np.ndarray, " m"] = unknown | (second <= DOUBLE_S) | ((later >= 0) & (later <= DOUBLE_S))
    return at_once


def _count(trials: Trials, test: Bool[np.ndarray, " s"] | None) -> DuplicateCount:
    kinds = np.bincount(trials.kind, minlength=3)
    inside = None if test is None else len(trials.judgments.within(test))
    return DuplicateCount(len(trials), int(kinds[Kind.JUDGMENT]), int(kinds[Kind.CATCH]), inside)
