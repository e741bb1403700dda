"""docs/simulated-observers.md tells what reproduce/recovery_figures.py measured, and that it was enough."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOUND = json.loads((ROOT / "docs/results/recovery.json").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs/simulated-observers.md").read_text(encoding="utf-8")


def test_every_figure_of_the_page_was_measured():
    for row in FOUND["recovery"]:
        cells = [f"{row[name]['value']:.3f}"[1:] for name in ("infinite", "planted", "choice_model")]
        lines = [line for line in PAGE.splitlines() if line.startswith(f"| {row['trials']:,} |")]
        assert any(all(cell in line for cell in cells) for line in lines)
    for row in FOUND["careless"]:
        rate = row["false_alarms"]
        assert f"| {row['observers']} | {row['trials_each']} |" in PAGE
        assert f"{rate['hits']} of {rate['n']:,}" in PAGE


def test_what_was_planted_came_back():
    most = [row for row in FOUND["recovery"] if row["trials"] == 200_000]
    assert all(row["infinite"]["value"] >= 0.98 for row in most)
    assert most[0]["least_planted"] >= 0.98
    assert all(abs(row["planted"]["value"] - row["limit"]["value"]) < 0.01 for row in most)


def test_the_choice_model_finds_it_whatever_the_clips():
    most = [row for row in FOUND["recovery"] if row["trials"] == 200_000]
    assert {row["seeds"] for row in most} == {20}
    assert all(row["least_choice_model"] >= 0.98 for row in most)
    scattered = [row for row in FOUND["recovery"] if row["world"].startswith("scattered")]
    assert all(row["difference"]["low"] > 0.02 for row in scattered)


def test_careless_observers_were_caught():
    for row in FOUND["careless"]:
        assert row["false_alarms"]["high"] <= 0.02
        if row["observers"] == "15 % careless, fast (1 s)":
            assert row["recall"]["low"] >= 0.95
