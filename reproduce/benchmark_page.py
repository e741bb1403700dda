"""Writes tables and figures of docs/benchmark.md from the rows in benchmark/: `make benchmark-page` (a minute)."""

from __future__ import annotations

from pathlib import Path

from page_tables import between

from bgs._files import sha256, write_json, write_text
from bgs.benchmarks import compare, read_rows
from bgs.benchmarks.page import board_figure, figure_name, page_text
from bgs.reports import draw

ROOT = Path(__file__).parents[1]
PAGE, ROWS = ROOT / "docs/benchmark.md", ROOT / "benchmark"
RESULTS = ROOT / "docs/results/benchmark.json"


def main() -> None:
    """Compare, draw, write."""
    boards = compare(read_rows(ROWS))
    rows = {path.stem: sha256(path) for path in sorted(ROWS.glob("*.json"))}
    write_json(RESULTS, {"rows": rows, "boards": [board.to_json() for board in boards]})
    for board in boards:
        draw(board_figure(board), ROOT / "docs/figures" / figure_name(board))
    write_text(PAGE, between(PAGE.read_text(encoding="utf-8"), "benchmark", page_text(boards, "figures")))


if __name__ == "__main__":
    main()
