"""Tables as spreadsheets and other programs write them: read as one would, saying what was assumed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bgs._errors import DataError
from bgs.datasets import load_dataset
from bgs.judgments import Trials
from bgs.judgments.tables import read_trials
from bgs.stimuli import StimulusSet

STIMULI = StimulusSet(ids=("a", "b", "c", "d"))
HEADER = "participant,stim1,stim2,stim3,odd"
PLAIN = f"{HEADER}\nann,a,b,c,c\nbob,a,b,d,a\n"
POSITION = "column 'odd' is read as the position of the odd one, 1 to 3"
TIMES = "participant,stim1,stim2,stim3,odd,rt"


def read(folder: Path, data: str | bytes, stimuli: StimulusSet = STIMULI) -> tuple[Trials, str]:
    """The trials, and what was assumed without the name of the file."""
    path = folder / "trials.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    trials, notes = read_trials(path, stimuli)
    assert all(note.startswith(f"{path}: ") for note in notes)
    return trials, "; ".join(note.removeprefix(f"{path}: ") for note in notes)


VARIANTS = {
    "semicolons": (PLAIN.replace(",", ";"), "cells are separated by semicolons"),
    "tabs": (PLAIN.replace(",", "\t"), "cells are separated by tabs"),
    "UTF-16": (PLAIN.encode("utf-16"), "read as UTF-16, not UTF-8"),
    "UTF-16, big": (b"\xfe\xff" + PLAIN.encode("utf-16-be"), "read as UTF-16, not UTF-8"),
    "UTF-8 with a mark": (PLAIN.encode("utf-8-sig"), ""),
    "spaces": (PLAIN.replace(",", ", "), "spaces around cells are ignored"),
    "spaces before": (PLAIN.replace(",", " ,"), "spaces around cells are ignored"),
    "lines of old": (PLAIN.replace("\n", "\r"), ""),
    "quoted": (PLAIN.replace("a,b", '"a","b"'), ""),
    "capitals": (
        PLAIN.replace("participant", "Participant").replace("stim1", "Stim 1"),
        "column 'Participant' is read as 'participant'; column 'Stim 1' is read as 'stim1'",
    ),
    "empty rows": (PLAIN + ",,,,\n\n", ""),
    "odd by position": (f"{HEADER}\nann,a,b,c,3\nbob,a,b,d,1\n", POSITION),
    "odd by position, as floats": (f"{HEADER}\nann,a,b,c,3.0\nbob,a,b,d,1.0\n", POSITION),
    "endings": (
        PLAIN.replace("a,", "a.mp4,").replace("b,", "b.mp4,").replace("bob.mp4", "bob"),
        "stimulus ids are matched without video file extensions",
    ),
}  # fmt: skip
VARIANTS["pandas"] = (
    f",{HEADER}\n0,ann,a,b,c,c\n1,bob,a,b,d,a\n",
    "an unnamed column that counts the rows is ignored",
)


@pytest.mark.parametrize(("data", "assumed"), VARIANTS.values(), ids=VARIANTS.keys())
def test_the_same_trials_however_they_are_written(tmp_path: Path, data: str | bytes, assumed: str) -> None:
    expected, nothing = read(tmp_path, PLAIN)
    assert nothing == ""
    trials, notes = read(tmp_path, data)
    assert trials.hash() == expected.hash()
    assert notes == assumed


def test_windows_1252(tmp_path: Path) -> None:
    trials, notes = read(tmp_path, f"{HEADER}\nAndré,a,b,c,c\n".encode("cp1252"))
    assert trials.participant.tolist() == ["André"]
    assert notes == "read as Windows-1252, not UTF-8"


def test_stimuli_with_endings_and_trials_without(tmp_path: Path) -> None:
    stimuli = StimulusSet(ids=("a.mp4", "b.mp4", "c.MOV", "d.mp4"))
    trials, notes = read(tmp_path, PLAIN, stimuli)
    assert trials.stimuli.tolist() == [[0, 1, 2], [0, 1, 3]]
    assert "without video file extensions" in notes
    twins = StimulusSet(ids=("a.mp4", "a.mov", "b.mp4", "c.mp4", "d.mp4"))
    with pytest.raises(DataError, match=r"row 2, column 'stim1': unknown stimulus.*got 'a'"):
        read(tmp_path, PLAIN, twins)
    with pytest.raises(DataError, match=r"row 3, column 'stim3': unknown stimulus.*got 'd'"):
        read(tmp_path, PLAIN, StimulusSet(ids=("a", "b", "c.mp4", "c", "e")))


def test_a_column_more_is_left_out_and_named(tmp_path: Path) -> None:
    _, notes = read(tmp_path, f"{HEADER},age\nann,a,b,c,c,22\n")
    assert notes.startswith("column 'age' ignored; known columns are participant, stim1")


def test_unknown_and_continental_numbers(tmp_path: Path) -> None:
    trials, notes = read(tmp_path, f"{TIMES}\nann,a,b,c,c,NA\nbob,a,b,d,a,1.5\nann,a,b,d,a,nan\n")
    np.testing.assert_array_equal(trials.rt, [np.nan, 1.5, np.nan])
    assert notes == "NA, nan in column 'rt' is read as a missing value"
    trials, notes = read(
        tmp_path, f"{TIMES}\nann,a,b,c,c,2\nbob,a,b,d,a,1,5\n".replace(",", ";").replace("1;5", "1,5")
    )
    assert trials.rt.tolist() == [2.0, 1.5]
    assert notes == "cells are separated by semicolons; column 'rt' has decimal commas"


BAD = {
    "capitals of the odd one": (f"{HEADER}\nann,a,b,c,C\n", "row 2, column 'odd': .* spelt differently .* expected 'c', got 'C'"),
    "capitals of a clip": (f"{HEADER}\nann,A,b,c,c\n", r"row 2, column 'stim1': .* got 'A' .*: ids are case-sensitive"),
    "positions from 0": (f"{HEADER}\nann,a,b,c,0\nbob,a,b,d,2\n", "counts from 0; expected .* positions 1 to 3, got 0 to 2"),
    "a position too far": (f"{HEADER}\nann,a,b,c,4\n", "row 2, column 'odd': unknown stimulus"),
    "a column without a name": (f",{HEADER}\n7,ann,a,b,c,c\n9,ann,a,b,c,c\n", "row 1: column 1 has no name; got cells '7', '9'"),
    "row of UTF-16": (PLAIN.replace("d,a", "e,a").encode("utf-16"), "row 3, column 'stim3'"),
    "row below a long cell": ('participant;stim1;stim2;stim3;odd\n"an\nn";a;b;c;c\nann;a;x;c;c\n', "row 4, column 'stim2'"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "message"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_read_names_its_cause_and_place(
    tmp_path: Path, data: str | bytes, message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, data)
    assert "\n" not in str(caught.value)


def test_stimuli_called_1_to_3_are_no_positions(tmp_path: Path) -> None:
    stimuli = StimulusSet(ids=("3", "1", "2"))
    trials, notes = read(tmp_path, f"{HEADER}\nann,1,2,3,3\n", stimuli)
    assert (trials.odd.tolist(), notes) == ([2], "")
    trials, notes = read(tmp_path, f"{HEADER}\nann,1,2,3,1\n", StimulusSet(ids=("3.mp4", "1.mp4", "2.mp4")))
    assert trials.odd.tolist() == [0]
    assert "position" not in notes


def test_a_folder_keeps_what_was_assumed(tmp_path: Path) -> None:
    (tmp_path / "stimuli.csv").write_text("Stimulus ID;valence\na;,5\nb;0,5\nc;NA\nd;1\n")
    (tmp_path / "trials.csv").write_bytes(PLAIN.encode("utf-16"))
    data = load_dataset(tmp_path)
    np.testing.assert_array_equal(data.stimuli.ratings["valence"], [0.5, 0.5, np.nan, 1.0])
    assert len(data.notes) == 5
    assert all("stimuli.csv: " in note for note in data.notes[:4])
    assert "UTF-16" in data.notes[4]
