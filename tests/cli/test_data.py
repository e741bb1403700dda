"""`bgs data`: every command, its help, and its errors as one line with exit code 2."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bgs._errors import BgsError
from bgs.cli.data import app


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., str]:
    """Run `bgs data` in an empty folder with 80 columns; returns what it printed, raises what it raised."""
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
    assert "40 simulated clips" in run("plant", "p", "--clips", 40, "--trials", 400)
    return Path("p")


def test_list(run: Callable[..., str]) -> None:
    text = run("list")
    assert "garcia-isik-2025" in text
    assert "49,484" in text
    assert "MIT" in text


def test_planting_replaces_simulated_data_only(run: Callable[..., str], planted: Path) -> None:
    run("plant", planted, "--clips", 20, "--trials", 10)
    (planted / "about.json").unlink()
    with pytest.raises(BgsError, match="not simulated; expected a new folder"):
        run("plant", planted)


def test_show_says_what_is_simulated(run: Callable[..., str], planted: Path) -> None:
    text = run("show", planted, "--first", 2)
    for expected in (
        "40, 30 train and 10 test",
        "scene-0001",
        "valence",
        "observer-000",
        "simulated",
        "SIMULATED",
    ):
        assert expected in text
    assert "scene-0002" not in text.partition("Ratings")[0]


def test_audit_of_a_folder(run: Callable[..., str], planted: Path, tmp_path: Path) -> None:
    text = run("audit", planted, "--json", tmp_path / "audit.json")
    for expected in ("attention checks", "outliers", "repeat agreement", "times shown", "mix"):
        assert expected in text
    found = json.loads((tmp_path / "audit.json").read_text())
    assert (found["dataset"], found["rows"]) == ("p", 400)
    assert len(found["participants"]) == 40
    assert found["published"] == []
    assert set(found["hashes"]) == {"stimuli.csv", "trials.csv"}


@pytest.mark.real
def test_fetch_audit_and_show_the_real_data(run: Callable[..., str], mirror: Path, tmp_path: Path) -> None:
    text = run("fetch", "garcia-isik-2025", "--mirror", mirror)
    for expected in ("SHA-256 verified", "licence", "please cite", "arXiv:2510.01502"):
        assert expected in text
    text = run("audit", "garcia-isik-2025", "--mirror", mirror, "--json", tmp_path / "audit.json")
    for expected in ("49,484", "47,126", "2,356", "59,599.98", "sim_judg_test_rsm.csv"):
        assert expected in text
    found = json.loads((tmp_path / "audit.json").read_text())
    assert {entry["file"]: entry["differing"] for entry in found["published"]}["sim_judg_test_rsm.csv"] == 24
    assert "A man sits playing video games" in " ".join(
        run("show", "garcia-isik-2025", "--mirror", mirror).split()
    )
    assert "37 friendly" in run("show", "phase-genset", "--mirror", mirror)


@pytest.mark.real
def test_fetch_and_show_published_clips(
    run: Callable[..., str], mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BGS_CACHE", str(tmp_path / "cache"))
    text = run("fetch", "heider-simmel-triplets", "--mirror", mirror, "--json", tmp_path / "fetch.json")
    for expected in ("56 files, 10.1 MB, SHA-256 verified", "54movies", "none stated", "2509.20673"):
        assert expected in text
    assert json.loads((tmp_path / "fetch.json").read_text())["n_clips"] == 54
    assert run("list").count("│ yes ") == 1
    assert "1 file, 400.1 kB" in run("fetch", "heider-simmel-verbs", "--mirror", mirror, "--no-clips")
    assert "1,156, 1102 train and 54 test" in run("show", "heider-simmel-verbs")
    with pytest.raises(BgsError, match="no odd-one-out trials"):
        run("audit", "heider-simmel-verbs")
    with pytest.raises(BgsError, match=r"published, not linked .`bgs data fetch heider-simmel-verbs`"):
        run("link", "heider-simmel-verbs", "--videos", tmp_path)


@pytest.mark.parametrize("command", ["list", "fetch", "audit", "show", "plant"])
def test_help_ends_with_an_example(run: Callable[..., str], command: str) -> None:
    assert f"Example: bgs data {command}" in run(command, "--help")


def test_errors_reach_the_user_as_one_line(run: Callable[..., str], tmp_path: Path) -> None:
    with pytest.raises(BgsError, match="did you mean phase-genset"):
        run("fetch", "phase-genst")
    with pytest.raises(BgsError, match="no such mirror folder"):
        run("fetch", "phase-genset", "--mirror", tmp_path / "nowhere")
    with pytest.raises(BgsError, match="n_clips: out of range"):
        run("plant", tmp_path / "p", "--clips", 3)
    assert os.listdir(tmp_path) == []
