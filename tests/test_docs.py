"""The README names every command, its commands parse, and its table is the one that was measured."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import click
import pytest
import typer
from typer.testing import CliRunner

from bgs._numbers import plain
from bgs.cli.main import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands(group: click.Command, prefix: tuple[str, ...] = ()) -> dict[tuple[str, ...], click.Command]:
    if not hasattr(group, "commands"):
        return {prefix: group}
    found = {}
    for name, command in group.commands.items():
        found |= commands(command, (*prefix, name))
    return found


COMMANDS = commands(typer.main.get_command(app))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_help_an_example_and_a_place_in_the_readme(path):
    command = COMMANDS[path]
    assert command.help
    assert (command.epilog or "").startswith(f"Example: bgs {' '.join(path)}")
    first = path[0]
    assert f"bgs {first}" in README
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


def readme_lines() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return [
        line.partition("#")[0].strip()
        for block in blocks
        for line in block.splitlines()
        if line.startswith("bgs ")
    ]


@pytest.mark.parametrize("line", readme_lines())
def test_readme_commands_name_real_options(line):
    words = shlex.split(line)[1:]
    depth = max(n for n in range(1, len(words) + 1) if tuple(words[:n]) in COMMANDS)
    known = {name for parameter in COMMANDS[tuple(words[:depth])].params for name in parameter.opts}
    assert {word for word in words[depth:] if word.startswith("--")} <= known
    for word in words[depth:]:
        if word.endswith(".yaml"):
            assert (ROOT / word).is_file()


def test_every_file_that_the_readme_links_to_exists():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).is_file(), target


def test_the_results_table_is_the_measured_one():
    found = json.loads((ROOT / "docs/results/minilm.json").read_text(encoding="utf-8"))
    for position in (0, 1):
        values = [results[position]["metrics"]["rsa_spearman_squared"]["value"] for results in found.values()]
        assert plain(sum(values) / len(values), 3) in README


@pytest.mark.parametrize(
    "group", [(), ("data",), ("cache",), ("models",), ("simulate",), ("config",), ("collect",)]
)
def test_no_summary_is_cut_off(group, monkeypatch):
    """80 columns, and lists of commands without an ellipsis."""
    monkeypatch.setenv("COLUMNS", "80")
    shown = CliRunner().invoke(app, [*group, "--help"], terminal_width=80).output
    assert "Commands:" in shown
    assert "..." not in shown.partition("Commands:")[2]
