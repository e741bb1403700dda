"""The tables of benchmarks/README.md."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from page_tables import between

from bgs._files import write_text
from parts.costs import model
from parts.rows import LETTERS, Row
from parts.table import results

PAGE = Path(__file__).parents[1] / "README.md"


def about(found: Mapping[str, Any]) -> str:
    """What a table was measured on, in a line."""
    versions = ", ".join(
        f"{name} {found['versions'][name]}"
        for name in ("python", "numpy", "torch")
        if name in found["versions"]
    )
    sizes = "" if found["size"] == "full" else f"**Sizes: {found['size']}**, which only show that all works. "
    took = sum(found["seconds"].values()) / 60
    return (
        f"{sizes}{found['date']}, {_commits(found)}, {found['cores']} cores of {found['processor']}; "
        f"{versions}; {took:.0f} minutes.{found.get('note', '')}"
    )


def _commits(found: Mapping[str, Any]) -> str:
    """The commit, and the letters of the parts that were measured at each if there are several; + is with uncommitted changes."""
    letters = defaultdict(list)
    for part in found["seconds"]:
        letters[found.get("commits", {}).get(part, found["commit"])].append(LETTERS[part])
    told = {
        (commit or "unknown")[:9] + "+" * (commit or "").endswith("+"): each
        for commit, each in letters.items()
    }
    if len(told) == 1:
        return f"commit {next(iter(told))}"
    return "commits " + ", ".join(f"{commit} ({', '.join(sorted(each))})" for commit, each in told.items())


def write_page(found: Mapping[str, Any], page: Path = PAGE) -> None:
    """Write the tables into the page."""
    rows = [Row.from_json(row) for row in found["rows"]]
    text = page.read_text(encoding="utf-8")
    text = between(text, "bench", f"{about(found)}\n\n{results(rows, found['failures'])}")
    write_text(page, between(text, "costs", model(rows)))
