"""`bgs experiment` as a user runs it."""

from __future__ import annotations

import json

import pytest
import yaml

from bgs.cli.main import main


@pytest.fixture
def config(small_study, tmp_path):
    path = tmp_path / "grid.yaml"
    training = {"epochs": 2, "lora": None, "evaluation": {"resamples": 100, "permutations": 0}}
    given = {
        "data": str(small_study), "models": {"table": {"model": "lookup:4"}}, "conditions": ["hybrid"],
        "seeds": [0, 1], "training": training,
    }  # fmt: skip
    path.write_text(yaml.safe_dump(given))
    return path


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as done:
        main([str(argument) for argument in arguments])
    return done.value.code


def test_plan_then_run_then_again(config, tmp_path, capsys):
    out = tmp_path / "out"
    assert run("experiment", config, "--out", out, "--plan") == 0
    printed = capsys.readouterr().out
    assert "table/hybrid/seed-1" in printed
    assert "A unit (a caption, a clip) costs" in printed
    assert not out.exists()
    assert run("experiment", config, "--out", out) == 0
    printed = capsys.readouterr().out
    assert "hybrid - base" in printed
    assert max(map(len, printed.replace(str(out), "").splitlines())) <= 80
    *table, report = printed.splitlines()
    assert report == f"Report: {out / 'report.html'}"
    (out / "report.html").unlink()
    assert run("experiment", config, "--out", out, "--no-report") == 0
    assert capsys.readouterr().out.splitlines() == table
    assert not (out / "report.html").exists()
    assert run("experiment", config, "--out", out, "--plan") == 0
    assert "table/hybrid/seed-1  (done)" in capsys.readouterr().out


@pytest.mark.slow
def test_failures_are_summed_up_and_exit_with_1(config, tmp_path, capsys):
    given = yaml.safe_load(config.read_text())
    given["models"]["film"] = {"model": "scratch:videomae-tiny"}
    config.write_text(yaml.safe_dump(given))
    assert run("experiment", config, "--out", tmp_path / "out") == 1
    page = (tmp_path / "out/report.html").read_text()
    assert "Failed: film/base/seed-0" in page  # what is there is reported
    error = capsys.readouterr().err
    assert "3 failed; the rest is finished" in error
    assert "film/base/seed-0: " in error
    assert "film/hybrid/seed-1: its base model failed: " in error
    assert len(json.loads((tmp_path / "out/results.json").read_text())["failed"]) == 3


def test_bad_input_is_one_line_and_exits_with_2(config, tmp_path, capsys):
    assert run("experiment", config, "--out", tmp_path / "out", "--set", "training.epoch=1") == 2
    error = capsys.readouterr().err
    assert error.startswith("bgs: ")
    assert "unknown key 'epoch'" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
