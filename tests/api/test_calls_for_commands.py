"""docs/python.md names a call for every command, and each call is there."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import typer

from bgs.cli.main import app

ROW = re.compile(r"^\| `bgs ([a-z ]+)` \| (.+) \|$", re.MULTILINE)


def commands(app: typer.Typer) -> set[str]:
    """Names as they are typed, without ``bgs``."""
    group = typer.main.get_group(app)
    found = set()
    for name, command in group.commands.items():
        inner = getattr(command, "commands", None)
        found |= {name} if inner is None else {f"{name} {each}" for each in inner}
    return found


def resolve(call: str) -> object:
    """An object by its dotted name, as ``import bgs`` gives it or from a module of the package."""
    parts = call.split(".")
    found = import_module(parts[0])
    for number, part in enumerate(parts[1:], start=2):
        if not hasattr(found, part):
            import_module(".".join(parts[:number]))
        found = getattr(found, part)
    return found


def test_every_command_has_a_call_that_is_there():
    page = (Path(__file__).parents[2] / "docs/python.md").read_text(encoding="utf-8")
    rows = dict(ROW.findall(page))
    assert set(rows) == commands(app)
    for name, calls in rows.items():
        named = re.findall(r"`(bgs\.[\w.]+)`", calls)
        assert named, name
        for call in named:
            assert resolve(call) is not None
