"""`make lowest` tries every extra, and says which lower bound can never be had."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
bounds = import_module("lower_bounds")
ROOT = Path(__file__).parents[2]


def test_every_extra_is_tried():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    tried = " ".join(re.findall(r"^(?:BASE|ALL)_EXTRAS +:= (.*)$", makefile, re.MULTILINE)).split()
    tools = {"browser", "dev", "docs"}
    assert {*tried} - {"$(BASE_EXTRAS)"} == {*bounds.PROJECT["optional-dependencies"]} - tools


def test_a_bound_that_is_never_installed_is_named(tmp_path, capsys):
    resolved = tmp_path / "resolved.txt"
    lowest = bounds.lower_bounds(["plot"])
    resolved.write_text("".join(f"{name}=={bound}\n" for name, bound in lowest.items()))
    assert bounds.main(str(resolved), ["plot"]) == 0
    resolved.write_text(
        resolved.read_text().replace(f"matplotlib=={lowest['matplotlib']}", "matplotlib==99.1")
    )
    assert bounds.main(str(resolved), ["plot"]) == 1
    assert capsys.readouterr().out == (
        f"matplotlib>={lowest['matplotlib']} is never installed: the lowest that goes with the others is 99.1\n"
    )
