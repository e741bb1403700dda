"""docs/licences.md names every package that bgs asks for, and none whose licence is unknown or obliges without a word."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "reproduce"))
licences = import_module("licences")

PAGE = (ROOT / "docs/licences.md").read_text(encoding="utf-8")
PROJECT = licences.PROJECT
ROWS = {
    cells[1].strip(): cells[2].strip() for line in PAGE.splitlines() if len(cells := line.split("|")) == 6
}


def test_every_package_of_every_extra_is_listed():
    texts = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    assert set().union(*map(licences.asked_for, texts)) == ROWS.keys() - {"package", "---"}


def test_no_licence_is_unknown_or_obliges_without_a_note():
    found = {name: text for name, text in ROWS.items() if name not in ("package", "---")}
    assert licences.faults(found) == []
    assert all(name in found and licences.NOTES[name] in PAGE for name in licences.NOTES)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "unknown"),
        ("Proprietary", "unknown"),
        ("GPL-3.0-only", "needs a note"),
        ("BSD-3-Clause AND MPL-2.0", "needs a note"),
    ],
)
def test_what_may_not_pass_is_named(text, said):
    (fault,) = licences.faults({"somebodys-package": text})
    assert said in fault
    assert fault.startswith("somebodys-package")
