"""Decision records are numbered, complete and listed."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "docs/decisions"


def test_every_record_is_in_the_index_under_its_title():
    records = sorted(FOLDER.glob("[0-9]*.md"))
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    listed = []
    for number, path in enumerate(records, start=1):
        title, *lines = path.read_text(encoding="utf-8").splitlines()
        assert title.startswith(f"# {number:04}: "), path.name
        assert [line for line in lines if line.startswith("## ")] == [
            "## Context",
            "## Decision",
            "## Consequences",
        ]
        listed.append((f"{number:04}", path.name, title.partition(": ")[2]))
    assert re.findall(r"^\| \[(\d{4})\]\((.+?)\) \| (.+) \|$", index, re.MULTILINE) == listed
