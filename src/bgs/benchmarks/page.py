"""The benchmark as a page: a table and a figure for each set of held-out clips."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bgs._numbers import plain
from bgs.benchmarks.board import Board, Entry
from bgs.evaluation import Metric
from bgs.reports import Estimate, ForestFigure, ForestPanel, ForestRow
from bgs.reports.palette import Role

#: Columns of a table.
HEADER = ("encoder", "RSA, Spearman", "− frozen", "− random twin", "− best", "odd one out")
_AXIS = "Spearman correlation with people, 95\u00a0% interval"


def page_text(boards: Sequence[Board], figures: str) -> str:
    """Markdown: for each board its figure, ceiling and table.

    Args:
        boards: from :func:`bgs.benchmarks.compare`.
        figures: where the figures lie, as seen from the page.
    """
    return "\n\n".join(
        f"### `{board.data}`\n\n![{board_figure(board).describe()}]({figures}/{figure_name(board)})\n\n"
        f"{ceiling_text(board)}\n\n{board_table(board)}"
        for board in boards
    )


def figure_name(board: Board) -> str:
    """File of a board's figure."""
    return f"benchmark-{board.data}.svg"


def board_table(board: Board) -> str:
    """A line for each encoder and state, the best first; without columns that are empty throughout."""
    lines = [HEADER, ("---",) * len(HEADER), *board_cells(board)]
    used = [column for column in range(len(HEADER)) if any(line[column] for line in lines[2:])]
    return "\n".join(f"| {' | '.join(line[column] for column in used)} |" for line in lines)


def board_cells(board: Board) -> list[tuple[str, ...]]:
    """Text of the table's cells, one tuple an entry, in the columns of :data:`HEADER`."""
    return [
        (
            entry_name(entry), interval(entry.rsa), interval(entry.to_frozen, True), interval(entry.to_twin, True),
            interval(entry.to_best, True), interval(entry.metrics.get("odd_one_out_3afc")),
        )
        for entry in board.entries
    ]  # fmt: skip


def entry_name(entry: Entry) -> str:
    """The row's name, and its state where that says something."""
    return entry.name + (", tuned" if entry.state == "tuned" else "")


def ceiling_text(board: Board) -> str:
    """Ceilings and numbers of pairs and trials, as sentences."""
    metrics = [entry.metrics for entry in board.entries if entry.kind != "people"]
    parts = [f"{metrics[0]['rsa_spearman'].n:,} pairs"] if metrics else []
    trials = [m["odd_one_out_3afc"].n for m in metrics if "odd_one_out_3afc" in m]
    parts += [f"{trials[0]:,} trials (chance .333)"] if trials else []
    if "rsa_ceiling" in board.ceilings:
        parts.append(f"RSA ceiling {interval(board.ceilings['rsa_ceiling'])}")
    bounds = [board.ceilings.get(f"odd_one_out_ceiling{end}") for end in ("_lower", "")]
    if all(bounds):
        parts.append("odd-one-out ceiling " + " to ".join(plain(bound.value, 3) for bound in bounds if bound))
    return "; ".join(parts) + "."


def board_figure(board: Board) -> ForestFigure:
    """Encoders as rows, best first: frozen, tuned, and their random twins; a line at the ceiling."""
    own: dict[str, list[Entry]] = {}
    for entry in board.entries:
        own.setdefault(entry.twin_of or entry.name, []).append(entry)
    best = {name: max(entry.rsa.value for entry in entries) for name, entries in own.items()}
    rows = tuple(
        ForestRow(name, tuple(map(_estimate, sorted(own[name], key=_order))))
        for name in sorted(own, key=lambda name: -best[name])
    )
    ceiling = board.ceilings.get("rsa_ceiling")
    value = ceiling.value if ceiling is not None and math.isfinite(ceiling.value) else None
    panel = ForestPanel(board.data, _AXIS, rows, value, "noise ceiling" if value is not None else "")
    return ForestFigure((panel,))


def _order(entry: Entry) -> tuple[bool, bool]:
    return entry.twin_of is not None, entry.state == "tuned"


def _estimate(entry: Entry) -> Estimate:
    if entry.kind == "people":
        return Estimate.of("half of the people", entry.rsa, "people")
    if entry.twin_of is not None:
        return Estimate.of(f"random twin, {entry.state}", entry.rsa, "control")
    return Estimate.of(entry.state, entry.rsa, _ROLES[entry.state])


_ROLES: dict[str, Role] = {"frozen": "base", "tuned": "tuned"}


def interval(metric: Metric | None, signed: bool = False) -> str:
    """Value with its interval; empty for None."""
    return "" if metric is None else metric.words(signed=signed)
