"""`bgs simulate judgments`: what it writes, what it prints, what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bgs._errors import BgsError
from bgs.cli.main import app
from bgs.datasets import load_dataset
from bgs.simulation import read_truth

FOUR = ("--weights", "valence=1,arousal=.7")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., str]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def _run(*arguments: object) -> str:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        assert max(map(len, result.stdout.splitlines())) <= 80
        return result.stdout

    return _run


@pytest.fixture
def planted(run: Callable[..., str]) -> Path:
    run("data", "plant", "p", "--clips", 24, "--trials", 50)
    return Path("p")


def test_judgments_replace_the_trials_and_tell_the_truth(run: Callable[..., str], planted: Path) -> None:
    text = run(
        "simulate", "judgments", planted, *FOUR, "--trials", 3000, "--observers", 30, "--careless", 0.2
    )
    for expected in ("train", "test", "3AFC", "3,000 SIMULATED trials by 30 observers, 6 careless"):
        assert expected in text
    dataset, truth = load_dataset(planted), read_truth(planted / "observers.json")
    assert len(dataset.need_trials()) == 3000
    assert dataset.need_trials().hash() == truth.trials
    assert dataset.licence == "simulated"
    assert truth.settings.weights == {"valence": 1, "arousal": 0.7}
    assert f"{truth.ceilings['test'].odd_one_out:.3f}" in text
    audited = run("data", "audit", planted, "--json", "audit.json")
    assert "Flagged participants" in audited
    flagged = {flag["participant"] for flag in json.loads(Path("audit.json").read_text())["flagged"]}
    assert flagged == set(truth.careless)


def test_real_data_are_never_overwritten(run: Callable[..., str], planted: Path) -> None:
    before = (planted / "trials.csv").read_bytes()
    (planted / "about.json").unlink()
    with pytest.raises(BgsError, match="not simulated; expected simulated stimuli"):
        run("simulate", "judgments", planted, *FOUR)
    assert (planted / "trials.csv").read_bytes() == before
    assert not (planted / "observers.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "unknown rating column communication"),
        ((*FOUR, "--trials", 0), "n_trials: invalid number of trials"),
        ((*FOUR, "--observers", 0), "n_observers: out of range"),
        ((*FOUR, "--temperature", 0), "temperature: out of range"),
        ((*FOUR, "--lapse", 2), "lapse: out of range"),
        ((*FOUR, "--careless", -1), "careless_share: out of range"),
        ((*FOUR, "--test-share", 1.5), "test_share: invalid proportion"),
        (("--weights", "valence"), "not a weight"),
        (("--weights", "valence=1,valence=2"), "not a weight"),
        (("--weights", "valence=-1"), "weight of valence: out of range"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_writes_nothing(run, planted, arguments, message) -> None:
    before = (planted / "trials.csv").read_bytes()
    with pytest.raises(BgsError, match=message) as caught:
        run("simulate", "judgments", planted, *arguments)
    assert "\n" not in str(caught.value)
    assert (planted / "trials.csv").read_bytes() == before
    assert not (planted / "observers.json").exists()
