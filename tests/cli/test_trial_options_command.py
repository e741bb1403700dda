"""Options on trials in the commands that load them: what is said on stderr, what a result records."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bgs.cli import _options as options
from bgs.cli.main import main
from bgs.embeddings import Embeddings
from bgs.runs.study import load_study
from bgs.training.config import TrainingConfig


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data set of semicolons and milliseconds; one answer was submitted twice."""
    rng = np.random.default_rng(0)
    ids = [f"clip{k}" for k in range(8)]
    rows = ["participant;stim1;stim2;stim3;odd;trial;rt"]
    for k in range(120):
        trio = [ids[i] for i in rng.choice(8, 3, replace=False)]
        rows.append(";".join([f"p{k % 6}", *trio, trio[k % 3], str(k), str(2000 + 13 * (k % 7))]))
    rows.append(rows[-1].replace(";119;2000", ";125;150").replace(";119;", ";125;"))
    (tmp_path / "trials.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "stimuli.csv").write_text("stimulus_id\n" + "\n".join(ids) + "\n")
    Embeddings(rng.normal(size=(8, 3)), tuple(ids), "lookup:3").save(tmp_path / "e.safetensors")
    return tmp_path


def evaluated(folder: Path, *more: str) -> dict:
    arguments = [
        "evaluate",
        "--embeddings",
        str(folder / "e.safetensors"),
        "--data",
        str(folder),
        "--protocol",
        "all",
    ]
    quick = ["--permutations", "0", "--json", str(folder / "out.json")]
    with pytest.raises(SystemExit) as done:
        main([*arguments, *quick, *more])
    assert not done.value.code
    return json.loads((folder / "out.json").read_text())


def test_evaluate_says_how_it_read_and_what_it_left_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = evaluated(folder)
    error = capsys.readouterr().err
    assert "separated by semicolons" in error
    assert "--rt-unit ms" in error
    assert "judgments" not in result["provenance"]
    result = evaluated(folder, "--drop-duplicates", "--exclude-flagged", "--rt-unit", "ms")
    error = capsys.readouterr().err
    assert "duplicates dropped: submitted twice: 1 (1 judgments, 0 checks)" in error
    assert "no participant is flagged" in error
    assert "--rt-unit" not in error
    told = result["provenance"]["judgments"]
    assert (told["rt_unit"], told["exclude_flagged"]) == ("ms", True)
    assert told["left_out"]["flagged"] == {"participants": [], "rows": 0, "judgments": 0}


def test_audit_names_duplicates_and_slots(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["data", "audit", str(folder), "--rt-unit", "ms", "--json", str(folder / "audit.json")])
    assert not done.value.code
    assert "submitted twice" in capsys.readouterr().out
    found = json.loads((folder / "audit.json").read_text())
    assert found["doubles"] == {"rows": 1, "judgments": 1, "checks": 0, "test_trials": None}
    assert found["rt"]["median"] == pytest.approx(2.0, abs=0.2)
    assert len(found["odd_by_slot"]) == 3


def test_options_become_keys_of_a_configuration() -> None:
    asked = options.overrides("training.judgments", options.Unit.MILLISECONDS, None, True, False)
    assert asked == ["training.judgments.rt_unit=ms", "training.judgments.drop_duplicates=true"]
    assert options.overrides("judgments", None, None, False, False) == []


def test_a_training_run_records_what_was_left_out(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = TrainingConfig.model_validate(
        {
            "model": "lookup:2", "data": str(folder), "lora": None, "validation": {"fraction": 0},
            "judgments": {"drop_duplicates": True, "rt_unit": "ms"},
        }
    )  # fmt: skip
    study = load_study(config)
    assert len(study.trials) == 120
    assert "duplicates dropped" in caplog.text
    assert study.about(config)["judgments"]["left_out"]["duplicates"]["doubles"]["judgments"] == 1
