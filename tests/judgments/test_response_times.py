"""Response times in the wrong unit, or since the start of the session: said, and read right on request."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bgs._errors import DataError
from bgs.datasets import load_dataset
from bgs.judgments import TrialOptions, Trials
from bgs.judgments.tables import read_trials
from bgs.stimuli import StimulusSet

STIMULI = StimulusSet(ids=("a", "b", "c", "d"))
HEADER = "participant,block,trial,stim1,stim2,stim3,odd,rt"


def read(folder: Path, *rows: tuple[str, int, int, object], unit="s", kind="response") -> tuple[Trials, str]:
    lines = [f"{who},{block},{trial},a,b,c,c,{rt}" for who, block, trial, rt in rows]
    (folder / "trials.csv").write_text("\n".join([HEADER, *lines, ""]))
    trials, notes = read_trials(folder / "trials.csv", STIMULI, unit, kind)
    return trials, "; ".join(notes)


def test_milliseconds(tmp_path: Path) -> None:
    rows = [("p1", 1, 1, 2008), ("p2", 1, 1, 3120), ("p1", 1, 2, 1874), ("p2", 1, 2, 2502)]
    trials, notes = read(tmp_path, *rows)
    assert trials.rt.tolist() == [2008, 3120, 1874, 2502]
    assert "median response time is 2,255 s" in notes
    assert "--rt-unit ms" in notes
    trials, notes = read(tmp_path, *rows, unit="ms")
    assert trials.rt.tolist() == [2.008, 3.12, 1.874, 2.502]
    assert notes == ""
    seconds = [("p1", 1, 1, 2.5), ("p2", 1, 1, 3.1), ("p1", 1, 2, 1.9)]
    assert read(tmp_path, *seconds)[1] == ""
    assert "--rt-unit s" in read(tmp_path, *seconds, unit="ms")[1]


CLOCK = [
    ("p1", 1, 1, 21.9),
    ("p1", 1, 2, 39.8),
    ("p1", 1, 3, 58.9),
    ("p1", 1, 4, 80.2),
    ("p2", 1, 1, 9),
    ("p2", 1, 2, 12),
]


def test_time_since_the_start(tmp_path: Path) -> None:
    trials, notes = read(tmp_path, *CLOCK)
    assert trials.rt[1] == 39.8
    assert "--rt-kind elapsed" in notes
    shuffled = [CLOCK[k] for k in (3, 4, 0, 2, 5, 1)]
    assert read(tmp_path, *shuffled)[1] == notes  # trial numbers count, not rows
    trials, notes = read(tmp_path, *shuffled, kind="elapsed")
    np.testing.assert_allclose(trials.rt, [21.3, np.nan, np.nan, 19.1, 3.0, 17.9])
    assert notes == ""
    with_gap = [*CLOCK[:1], ("p1", 1, 2, ""), *CLOCK[2:]]
    np.testing.assert_allclose(
        read(tmp_path, *with_gap, kind="elapsed")[0].rt, [np.nan, np.nan, 37.0, 21.3, np.nan, 3.0]
    )


def test_a_clock_in_milliseconds_is_told_by_its_differences(tmp_path: Path) -> None:
    rows = [(who, block, trial, 1000 * rt) for who, block, trial, rt in CLOCK]
    notes = read(tmp_path, *rows)[1]
    assert "--rt-kind elapsed" in notes
    assert "--rt-unit ms" in notes
    trials, notes = read(tmp_path, *rows, unit="ms", kind="elapsed")
    assert trials.rt[1] == pytest.approx(17.9)
    assert notes == ""


def test_few_times_grow_by_chance(tmp_path: Path) -> None:
    assert read(tmp_path, *CLOCK[:3])[1] == ""
    assert read(tmp_path, *CLOCK[:4])[1] != ""
    fallen = [*CLOCK, ("p2", 1, 3, 11.0)]
    assert read(tmp_path, *fallen)[1] == ""
    with pytest.raises(DataError, match=r"row 8, column 'rt': elapsed time decreases .* got 11.0"):
        read(tmp_path, *fallen, kind="elapsed")
    with pytest.raises(DataError, match=r"row 2, column 'rt': negative response time"):
        read(tmp_path, ("p1", 1, 1, -1))


def test_options_reach_a_folder_and_no_published_data(tmp_path: Path) -> None:
    (tmp_path / "stimuli.csv").write_text("stimulus_id\na\nb\nc\n")
    read(tmp_path, ("p1", 1, 1, 1500))
    options = TrialOptions(rt_unit="ms")
    data = load_dataset(tmp_path, options=options)
    assert data.need_trials().rt.tolist() == [1.5]
    assert data.about_trials()["judgments"]["rt_unit"] == "ms"
    assert load_dataset(tmp_path).about_trials() == {}
    with pytest.raises(DataError, match="--rt-unit applies only to folders of your own"):
        load_dataset("phase-genset", options=options)
