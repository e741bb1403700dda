"""Who is flagged in the real design: the page says what reproduce/careless_figures.py measured, and that was enough."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bgs.datasets import Dataset
from reproduce_scripts import load_script

ROOT = Path(__file__).parents[2]
FOUND = json.loads((ROOT / "docs/results/careless.json").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs/simulated-observers.md").read_text(encoding="utf-8")


def test_every_figure_of_the_page_was_measured() -> None:
    for row in FOUND["worlds"]:
        (line,) = (
            line
            for line in PAGE.splitlines()
            if line.startswith(f"| {row['world']} |") and ("| – |" in line) == ("guess" not in row)
        )
        for group, found in row.items():
            if group not in ("world", "sets"):
                assert f"{found['hits']:,} of {found['n']:,}:" in line
    real = FOUND["real"]
    assert f"{len(real['flagged'])} of the {real['people']} are flagged" in PAGE


def test_guessers_are_found_and_others_are_not() -> None:
    assert len(FOUND["worlds"]) == 6
    for row in FOUND["worlds"]:
        assert row["others"]["high"] <= 0.01
        if "guess" in row:
            assert row["guess"]["low"] >= 0.95
            assert row["guess half the time"]["low"] >= 0.75
            assert row["another view"]["high"] <= 0.08


@pytest.mark.slow
@pytest.mark.real
def test_it_comes_out_so_again(garcia: Dataset) -> None:
    """Fresh sets, fewer of them, in every world."""
    script = load_script("careless_figures")
    design = garcia.need_trials()
    for name, world in script.WORLDS.items():
        found = script.count(design, world, dict.fromkeys(script.GROUPS, 12), sets=4)
        shares = {group: hits / n for group, (hits, n) in found.items()}
        assert shares["guess"] >= 0.95, name
        assert shares["guess half the time"] >= 0.7, name
        assert shares["others"] <= 0.01, name
        assert shares["another view"] <= 0.1, name
