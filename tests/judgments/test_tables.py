"""Trial tables: round trip, and one line for every kind of bad input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgs._errors import DataError
from bgs.judgments import Trials
from bgs.judgments.tables import odd_slots, read_trials, write_trials
from bgs.stimuli import StimulusSet

STIMULI = StimulusSet(ids=("a", "b", "c", "d, e", 'f"g'))
HEADER = "participant,stim1,stim2,stim3,odd"


def test_round_trip(tmp_path: Path) -> None:
    trials = Trials(
        participant=np.array(["ann", "bob, jr", "çé"]),
        block=np.array(["1", "", "2"]),
        trial=np.array([3, 0, 1]),
        stimuli=np.array([[0, 1, 2], [3, 4, 0], [1, 1, 2]]),
        odd=np.array([0, 1, 2]),
        rt=np.array([1.2345678901234567, np.nan, 0.0]),
        n_stimuli=5,
    )
    write_trials(tmp_path / "trials.csv", trials, STIMULI)
    assert read_trials(tmp_path / "trials.csv", STIMULI)[0].hash() == trials.hash()
    assert read_trials(tmp_path / "trials.csv", STIMULI)[1] == ()


def test_optional_columns_have_defaults(tmp_path: Path) -> None:
    path = tmp_path / "trials.csv"
    path.write_text(f"{HEADER}\nann,a,b,c,c\nbob,a,b,c,a\n\nann,b,c,a,c\n", encoding="utf-8-sig")
    trials, _ = read_trials(path, STIMULI)
    assert trials.odd.tolist() == [2, 0, 1]
    assert trials.trial.tolist() == [0, 0, 1]
    assert trials.block.tolist() == ["", "", ""]
    assert np.isnan(trials.rt).all()


BAD = {
    "unknown clip": (f"{HEADER}\nann,a,b,c,a\nann,a,x,c,a\n", "row 3, column 'stim2'", "got 'x'"),
    "unknown odd": (f"{HEADER}\nann,a,b,c,x\n", "row 2, column 'odd'", "unknown stimulus"),
    "too many cells": (f"{HEADER}\nann,a,b,c,'d, e'\n", "row 2", "wrong number of cells"),
    "odd outside its trial": (
        f'{HEADER}\n\nann,a,b,c,"d, e"\n',
        "row 3, column 'odd'",
        "expected a or b or c, got d, e",
    ),
    "empty file": ("", "trials.csv", "empty file"),
    "only a header": (f"{HEADER}\n", "trials.csv", "at least one row"),
    "missing column": ("participant,stim1,stim2,stim3\nann,a,b,c\n", "row 1", "missing column odd"),
    "column without a name": (f"{HEADER},\nann,a,b,c,a,x\n", "row 1", "column 6 has no name"),
    "column twice": (f"{HEADER},odd\nann,a,b,c,a,a\n", "row 1", "column listed twice: odd"),
    "empty participant": (f"{HEADER}\n,a,b,c,a\n", "row 2, column 'participant'", "empty cell"),
    "short row": (f"{HEADER}\nann,a,b,c\n", "row 2", "expected 5, got 4"),
    "rt not a number": (f"{HEADER},rt\nann,a,b,c,a,\nann,a,b,c,a,fast\n", "row 3, column 'rt'", "got 'fast'"),
    "rt infinite": (f"{HEADER},rt\nann,a,b,c,a,inf\n", "row 2, column 'rt'", "finite number, got 'inf'"),
    "rt negative": (f"{HEADER},rt\nann,a,b,c,a,-1\n", "row 2, column 'rt'", "negative response time"),
    "trial not whole": (f"{HEADER},trial\nann,a,b,c,a,1.5\n", "row 2, column 'trial'", "expected an integer"),
    "open quote": (f'{HEADER}\n"ann,a,b,c,a\n', "row 2", "not a table with commas"),
    "many lines in a cell": (f'{HEADER}\n"an\nn",a,b,c,a\nann,a,x,c,a\n', "row 4, column 'stim2'", "got 'x'"),
}


@pytest.mark.parametrize(("text", "where", "what"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line_that_says_where(tmp_path: Path, text: str, where: str, what: str) -> None:
    path = tmp_path / "trials.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_trials(path, STIMULI)
    message = str(caught.value)
    assert str(path) in message
    assert where in message
    assert what in message
    assert "\n" not in message


def test_undecodable_and_missing_files(tmp_path: Path) -> None:
    (tmp_path / "trials.csv").write_bytes(HEADER.encode() + b"\nann,a,\x81,c,a\n")
    with pytest.raises(DataError, match="neither UTF-8 nor Windows-1252 text; got byte 0x81"):
        read_trials(tmp_path / "trials.csv", STIMULI)
    (tmp_path / "trials.csv").write_bytes(HEADER.encode("utf-16-le"))
    with pytest.raises(DataError, match="not text: contains a NUL byte"):
        read_trials(tmp_path / "trials.csv", STIMULI)
    with pytest.raises(DataError, match="No such file"):
        read_trials(tmp_path / "none.csv", STIMULI)
    with pytest.raises(DataError, match="cannot read"):
        read_trials(tmp_path, STIMULI)


@given(st.lists(st.tuples(*[st.integers(0, 3)] * 4), min_size=1, max_size=20))
def test_odd_slot_is_the_first_that_shows_the_choice(rows: list[tuple[int, ...]]) -> None:
    table = np.array(rows)
    expected = [row[:3].index(row[3]) if row[3] in row[:3] else -1 for row in rows]
    assert odd_slots(table[:, :3], table[:, 3]).tolist() == expected


@pytest.mark.parametrize("first", [20261128024500000, 1732752000000000000, 2**63 - 40])
def test_large_trial_numbers_are_kept_to_the_last_digit(tmp_path: Path, first: int) -> None:
    """Time stamps as trial numbers: a double would take neighbours for one trial, copied."""
    numbers = [first + k for k in range(30)]
    rows = "".join(f"ann,a,b,c,a,{number}\n" for number in numbers)
    (tmp_path / "trials.csv").write_text(f"{HEADER},trial\n{rows}")
    assert read_trials(tmp_path / "trials.csv", STIMULI)[0].trial.tolist() == numbers


@pytest.mark.parametrize("number", ["20261128024500000000", "1e308", "-1e25"])
def test_trial_numbers_of_more_than_64_bits_are_named(tmp_path: Path, number: str) -> None:
    (tmp_path / "trials.csv").write_text(f"{HEADER},trial\nann,a,b,c,a,12.0\nann,a,b,c,a,{number}\n")
    with pytest.raises(DataError, match=r"row 3, column 'trial': number too large; expected an integer of"):
        read_trials(tmp_path / "trials.csv", STIMULI)
