"""The tables of benchmarks/README.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from page_tables import between

from bgs._files import write_text
from parts.costs import model
from parts.rows import Row
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
    commit = found["commit"] or "unknown"
    commit = commit[:9] + "+" * commit.endswith("+")  # with changes that are not committed
    took = sum(found["seconds"].values()) / 60
    return (
        f"{sizes}{found['date']}, commit {commit}, {found['cores']} cores of {found['processor']}; "
        f"{versions}; {took:.0f} minutes.{found.get('note', '')}"
    )


def write_page(found: Mapping[str, Any], page: Path = PAGE) -> None:
    """Write the tables into the page."""
    rows = [Row.from_json(row) for row in found["rows"]]
    text = page.read_text(encoding="utf-8")
    text = between(text, "bench", f"{about(found)}\n\n{results(rows, found['failures'])}")
    write_text(page, between(text, "costs", model(rows)))
