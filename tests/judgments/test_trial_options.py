"""What is left out of a trial table on request: said in words, counted for a provenance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bgs.datasets import load_dataset
from bgs.judgments import DEFAULT_OPTIONS, TrialOptions, Trials, select_trials
from bgs.training.config import TrainingConfig


def table() -> Trials:
    """Six people, 10 attention checks and 10 judgments each; p5 fails every check, p0 submits the last answer twice."""
    rng = np.random.default_rng(0)
    rows = []
    for who in range(6):
        for k in range(10):
            rows.append((f"p{who}", 2 * k, (1, 1, 0), 0 if who == 5 else 2, 3.0))
            rows.append(
                (f"p{who}", 2 * k + 1, tuple(rng.choice(6, 3, replace=False)), int(rng.integers(3)), 3.0)
            )
    rows.append(("p0", 20, rows[19][2], rows[19][3], 0.2))
    who, trial, stimuli, odd, rt = map(np.array, zip(*rows, strict=True))
    return Trials(who, np.full(len(who), "1"), trial, stimuli, odd, rt, 6)


UNTESTED = (
    "careless participants were not tested for by response time (fewer than 10 participants), "
    "choices (fewer than 10 participants)"
)


def test_as_it_stands_nothing_is_left_out() -> None:
    found = select_trials(table(), DEFAULT_OPTIONS)
    assert found.trials.hash() == table().hash()
    assert (found.notes, found.record) == ((), {})


def test_duplicates_and_flagged_participants() -> None:
    test = np.zeros(6, dtype=bool)
    found = select_trials(table(), TrialOptions(drop_duplicates=True, exclude_flagged=True), test)
    assert len(found.trials) == 100
    assert sorted(set(found.trials.participant.tolist())) == ["p0", "p1", "p2", "p3", "p4"]
    assert found.notes == (
        "duplicates dropped: submitted twice: 1 (1 judgments, 0 checks; 0 test trials)",
        "1 flagged participants excluded, with 20 trials, 10 of them judgments: p5",
        UNTESTED,
    )
    nothing = {"rows": 0, "judgments": 0, "checks": 0, "test_trials": 0}
    assert found.record == {
        "duplicates": {"copies": nothing, "doubles": nothing | {"rows": 1, "judgments": 1}},
        "flagged": {"participants": ["p5"], "rows": 20, "judgments": 10},
    }


def test_where_there_is_nothing_to_leave_out_that_is_said_too() -> None:
    honest = table().where(table().participant != "p5")
    clean = select_trials(honest, TrialOptions(drop_duplicates=True)).trials
    found = select_trials(clean, TrialOptions(drop_duplicates=True, exclude_flagged=True))
    said = ("no duplicates to drop", "no participant is flagged, so none is excluded", UNTESTED)
    assert found.notes == said


def test_a_configuration_says_the_same(tmp_path: Path) -> None:
    config = TrainingConfig.model_validate(
        {
            "model": "lookup:2",
            "data": "x",
            "validation": {"fraction": 0},
            "judgments": {"drop_duplicates": True},
        }
    )
    assert config.judgments.options() == TrialOptions(drop_duplicates=True)
    with pytest.raises(ValueError, match="judgments conflicts with ratings"):
        TrainingConfig.model_validate(config.model_dump() | {"ratings": {"columns": ["a", "b"]}})


def test_a_data_set_tells_what_was_left_out(tmp_path: Path) -> None:
    (tmp_path / "stimuli.csv").write_text("stimulus_id\na\nb\nc\n")
    row = "p1,a,b,c,c\n"
    (tmp_path / "trials.csv").write_text("participant,stim1,stim2,stim3,odd\n" + 2 * row)
    data = load_dataset(tmp_path, options=TrialOptions(drop_duplicates=True))
    assert len(data.need_trials()) == 1
    assert data.notes == (f"{data.name}: duplicates dropped: submitted twice: 1 (1 judgments, 0 checks)",)
    told = data.about_trials()["judgments"]
    assert told["drop_duplicates"] is True
    assert told["left_out"]["duplicates"]["doubles"]["rows"] == 1
