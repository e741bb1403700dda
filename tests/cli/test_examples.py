"""The example of each command's help: all of them parse as they stand, and those that can be are run as they stand."""

from __future__ import annotations

import contextlib
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from bgs.cli.main import app, main

ROOT = Path(__file__).parents[2]


def examples(command, path: tuple[str, ...] = ("bgs",)) -> Iterator[tuple[tuple[str, ...], str]]:
    """Command or group, its example without the word before it."""
    yield path, (command.epilog or "").removeprefix("Example: ")
    for name, inner in getattr(command, "commands", {}).items():
        yield from examples(inner, (*path, name))


PROGRAM = typer.main.get_command(app)
EXAMPLES = dict(examples(PROGRAM))
#: Run everyday, in this order; each may use what those before it wrote.
QUICK = (
    "bgs cache info",
    "bgs cache clear",
    "bgs config init training > training.yaml",
    "bgs config show training.yaml --set seed=1",
    "bgs data list",
    "bgs models list --json models.json",
    "bgs data plant planted/ --seed 1",
    "bgs simulate judgments planted/ --weights valence=1,arousal=.7",
    "bgs collect status my-study",
    "bgs collect export my-study --out trials.csv",
)
#: Run with the published data.
LONG = (
    "bgs data audit garcia-isik-2025",
    "bgs data audit garcia-isik-2025 --json audit.json",
    "bgs data show garcia-isik-2025 --first 3",
    "bgs embed --model text:minilm --data garcia-isik-2025 --out minilm.safetensors",
    "bgs evaluate --embeddings minilm.safetensors --data garcia-isik-2025",
    "bgs evaluate --embeddings tuned.safetensors --data garcia-isik-2025 --against base.safetensors",
    "bgs ordinal --data garcia-isik-2025 --out people.safetensors",
    "bgs design study/ --per-pair 3 --method covering --hourly 12",
    "bgs experiment configs/paper-text-minilm.yaml --out experiments/minilm --plan",
    "bgs simulate clips world/ --clips 240 --style discs --seed 1",
    "bgs simulate judgments world/ --trials 12000 --careless 0.1",
)


def words_of(example: str) -> tuple[list[str], str | None]:
    """Arguments of the program, and the file that its output goes to."""
    command, _, target = example.partition(" > ")
    program, *arguments = shlex.split(command)
    assert program == "bgs"
    return arguments, target or None


@pytest.mark.parametrize(("path", "example"), EXAMPLES.items(), ids=[" ".join(path) for path in EXAMPLES])
def test_it_is_of_this_command_and_parses(path, example):
    arguments, _ = words_of(example)
    command, context = PROGRAM, PROGRAM.context_class(PROGRAM, info_name="bgs")
    inside = context
    while hasattr(command, "commands") and arguments:
        name, *arguments = arguments
        command = command.commands[name]
        if not hasattr(command, "commands"):
            inside = command.make_context(
                name, arguments, parent=context
            )  # reads, converts, checks; runs nothing
    assert example.startswith(" ".join(path))
    assert inside is context or inside.command is command


def run(example: str) -> None:
    arguments, target = words_of(example)
    with contextlib.ExitStack() as stack:
        if target is not None:
            stack.enter_context(contextlib.redirect_stdout(stack.enter_context(Path(target).open("w"))))
        code = 0
        try:
            main(arguments)
        except SystemExit as end:
            code = end.code or 0
    assert code == 0, example


def test_the_quick_ones_run(tmp_path, monkeypatch):
    from bgs.collection.opening import open_database
    from bgs.collection.study_folder import open_study
    from collection.conftest import write_study

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BGS_CACHE", str(tmp_path / "cache"))
    write_study(tmp_path / "my-study")
    study = open_study(tmp_path / "my-study")
    open_database(study, 0.0).close()  # begun, as by `bgs collect serve`
    for example in QUICK:
        run(example)
    assert "model:" in Path("training.yaml").read_text()
    assert Path("trials.csv").is_file()


@pytest.mark.slow
@pytest.mark.real
def test_the_long_ones_run(tmp_path, monkeypatch, mirror):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "configs", "configs")
    run("bgs data plant study --clips 24 --trials 200")
    for example in LONG:
        run(example)
        if "--out minilm" in example:
            shutil.copy("minilm.safetensors", "base.safetensors")
            shutil.copy("minilm.safetensors", "tuned.safetensors")
    assert {"audit.json", "people.safetensors", "world"} <= {path.name for path in tmp_path.iterdir()}


def test_examples_that_are_run_are_those_of_help():
    assert {*QUICK, *LONG} <= {*EXAMPLES.values()}
