"""`--json` of every command that prints a table, and `bgs --quiet`."""

from __future__ import annotations

import json
import math
from pathlib import Path

import click
import numpy as np
import pytest
import typer
import yaml

from bgs import _progress
from bgs._progress import is_quiet, progress_bar
from bgs.cli.main import app, main
from bgs.embeddings import Embeddings
from bgs.views.console import download_progress

#: Commands whose output is a table or a list of figures.
WITH_TABLES = [
    "data list", "data show", "data audit", "data fetch", "data link", "cache info", "models list", "ordinal", "train",
    "attention", "experiment", "evaluate", "simulate judgments", "quickstart",
]  # fmt: skip
QUICK = "epochs: 2\nlora: null\nvalidation: {fraction: 0}\nevaluation: {resamples: 100, permutations: 0}\n"


def run(capsys, *arguments: object, code: int = 0) -> tuple[str, str]:
    """Standard output and standard error of a command."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as done:
        main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    assert done.value.code == code, captured.err
    return captured.out, captured.err


@pytest.fixture
def files(small_study, tmp_path, monkeypatch):
    """A cache of its own, and inputs of commands: embeddings, a training configuration, a grid, a world."""
    monkeypatch.setenv("BGS_CACHE", str(tmp_path / "cache"))
    ids = tuple(f"clip{i:02d}" for i in range(30))
    Embeddings(np.random.default_rng(0).normal(size=(30, 3)), ids, "lookup:3").save(
        tmp_path / "e.safetensors"
    )
    (tmp_path / "run.yaml").write_text(f"model: lookup:3\ndata: {small_study}\n{QUICK}")
    (tmp_path / "folds.yaml").write_text(
        (tmp_path / "run.yaml").read_text() + "cross_validation: {folds: 2}\n"
    )
    grid = {"data": str(small_study), "models": {"table": {"model": "lookup:3"}}, "conditions": ["hybrid"],
            "seeds": [0], "training": yaml.safe_load(QUICK)}  # fmt: skip
    (tmp_path / "grid.yaml").write_text(yaml.safe_dump(grid))
    return tmp_path


def arguments(command: str, files: Path, study: Path) -> list[object]:
    given: dict[str, list[object]] = {
        "data list": [],
        "data show": [study],
        "data audit": [study],
        "cache info": [],
        "models list": [],
        "ordinal": ["--data", study, "--out", files / "o.safetensors", "--dimensions", 2],
        "train": [files / "run.yaml", "--out", files / "run"],
        "evaluate": ["--embeddings", files / "e.safetensors", "--data", study, "--permutations", 0],
        "experiment": [files / "grid.yaml", "--out", files / "grid", "--no-report"],
    }
    return [*command.split(), *given[command]]


CHEAP = (
    "data list",
    "data show",
    "data audit",
    "cache info",
    "models list",
    "ordinal",
    "train",
    "evaluate",
    "experiment",
)


@pytest.mark.parametrize("name", WITH_TABLES)
def test_every_command_with_a_table_has_the_option(name):
    command: click.Command = typer.main.get_command(app)
    for word in name.split():
        command = command.commands[word]
    (option,) = (each for each in command.params if "--json" in each.opts)
    assert option.metavar == "FILE"
    assert "standard output" in option.help


@pytest.mark.parametrize("command", CHEAP)
def test_standard_output_holds_the_json_and_nothing_else(command, files, small_study, capsys):
    """The same as in a file; beside a file the tables are printed, and --quiet leaves only the JSON."""
    given, file = arguments(command, files, small_study), files / "result.json"
    printed, _ = run(capsys, *given, "--json", file)
    assert printed
    alone, _ = run(capsys, *given, "--json", "-")
    assert without_times(json.loads(alone)) == without_times(json.loads(file.read_text()))
    assert "NaN" not in alone
    assert not Path("-").exists()
    silent, error = run(capsys, "--quiet", *given, "--json", "-")
    assert (without_times(json.loads(silent)), error) == (without_times(json.loads(alone)), "")


def without_times(value):
    """JSON without when it was written."""
    if isinstance(value, dict):
        return {
            key: without_times(each) for key, each in value.items() if key not in ("time", "created", "date")
        }
    return [without_times(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("command", CHEAP)
def test_a_file_that_cannot_be_written_is_found_before_any_work(
    command, files, small_study, capsys, monkeypatch
):
    def too_late(*given: object, **more: object) -> None:
        raise AssertionError("the file was not looked at first")

    for work in ("bgs.datasets.load_dataset", "bgs.api.training.train", "bgs.api.experiments.experiment",
                 "bgs.stimuli.FrameCache.entries"):  # fmt: skip
        monkeypatch.setattr(work, too_late)
    printed, error = run(capsys, *arguments(command, files, small_study), "--json", files, code=2)
    assert printed == ""
    assert "not a regular file" in error


def test_what_is_written_is_what_is_shown(files, small_study, capsys):
    shown = json.loads(run(capsys, "data", "show", small_study, "--first", 2, "--json", "-")[0])
    assert (shown["stimuli"], len(shown["first_stimuli"]), len(shown["first_trials"])) == (30, 2, 2)
    assert all(trial["odd"] in trial["stimuli"] for trial in shown["first_trials"])
    names = {card["name"] for card in json.loads(run(capsys, "models", "list", "--json", "-")[0])}
    assert {"tiny-videomae", "vjepa2-l"} <= names
    listed = json.loads(run(capsys, "data", "list", "--json", "-")[0])
    assert {card["name"]: card["trials"] for card in listed}["garcia-isik-2025"] == 49_484
    cache = json.loads(run(capsys, "cache", "info", "--json", "-")[0])
    assert cache == {"folder": cache["folder"], "entries": []}


def test_folds_and_plans(files, small_study, capsys):
    pooled = json.loads(run(capsys, "train", files / "folds.yaml", "--out", files / "cv", "--json", "-")[0])
    assert len(pooled["folds"]) == 2
    plan = json.loads(
        run(capsys, "experiment", files / "grid.yaml", "--out", files / "x", "--plan", "--json", "-")[0]
    )
    assert [cell["name"] for cell in plan["cells"]] == ["table/base/seed-0", "table/hybrid/seed-0"]
    assert not any(cell["done"] for cell in plan["cells"])
    assert plan["models"]["table"]["seconds_left"] > 0
    assert plan["models"]["table"]["error"] is None
    assert math.isfinite(plan["evaluation_seconds"])


def test_attention_without_regions_measures_nothing(files, small_study, capsys):
    """Then there is no JSON to write, which is said before a model is loaded."""
    given = ("attention", "--model", "videomae-b", "--data", small_study, "--out", files / "a", "--strips", 0)
    printed, error = run(capsys, *given, "--json", "-", code=2)
    assert printed == ""
    assert "no region masks, so there is nothing to measure" in error


def test_quiet_keeps_errors(files, small_study, capsys):
    printed, error = run(capsys, "--quiet", "data", "show", "gracia", code=2)
    assert printed == ""
    assert error.startswith("bgs: gracia: no such data set")
    assert not is_quiet()


def test_quiet_silences_notes_and_bars(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    _progress.be_quiet()
    try:
        with progress_bar() as bar:
            assert bar.disable
        with download_progress() as report:
            report("file", 1, 2)
        handler = _progress.NoteHandler()
        handler.emit(_progress.logging.LogRecord("bgs", 30, "", 0, "a note", None, None))
    finally:
        _progress.be_quiet(False)
    assert capsys.readouterr() == ("", "")
    handler.emit(_progress.logging.LogRecord("bgs", 30, "", 0, "a note", None, None))
    assert capsys.readouterr().err == "note: a note\n"


def test_options_of_one_name_are_one_option():
    """Where a mirror, a seed or JSON can be given, it is the same option everywhere."""
    seen: dict[str, set[tuple[object, ...]]] = {}

    def look(command: click.Command) -> None:
        for each in getattr(command, "commands", {}).values():
            look(each)
        for option in command.params:
            for name in option.opts:
                if name in ("--mirror", "--json", "--set", "--device", "--skip-bad", "--drop-duplicates"):
                    seen.setdefault(name, set()).add((option.help, option.metavar))

    look(typer.main.get_command(app))
    assert len(seen) == 6
    assert {name: len(kinds) for name, kinds in seen.items()} == dict.fromkeys(seen, 1)
    assert "[env: BGS_DATA_MIRROR]" in next(iter(seen["--mirror"]))[0]
