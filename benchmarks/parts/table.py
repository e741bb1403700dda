"""Rows as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from page_tables import table

from parts.rows import Row, Spread, Target

HEAD = ["", "what", "ours", "beside it", "figure [range]", "n", "target"]


def number(value: float) -> str:
    """Three significant digits, without an exponent: 0.00123, 12.3, 1,230."""
    if value == 0:
        return "0"
    digits = max(0, 2 - exponent_of(value))
    return f"{value:,.{digits}f}" if digits else f"{round(value, 2 - exponent_of(value)):,.0f}"


def exponent_of(value: float) -> int:
    """Power of ten of the first digit, as it is after rounding to three."""
    return int(f"{value:.2e}".partition("e")[2])


def spread(found: Spread, unit: str) -> str:
    """``12.3 × [11.9, 12.8]``; without a range where there is one repeat."""
    text = f"{number(found.median)} {unit}".replace(" exponent", "").replace(" share", "")
    return text if found.repeats == 1 else f"{text} [{number(found.low)}, {number(found.high)}]"


def target(bound: Target | None, missed: bool) -> str:
    """``≥ 20``, ``**missed** ≥ 20`` or nothing."""
    if bound is None:
        return ""
    return f"{'**missed** ' if missed else ''}{bound.relation} {bound.bound:,g}"


def cells(row: Row) -> list[str]:
    """A row of the table."""
    sides = ("" if side is None else f"{number(side)} {row.measured_in}" for side in (row.ours, row.theirs))
    figure = spread(row.figure, row.unit)
    return [row.key, row.what, *sides, figure, str(row.figure.repeats), target(row.target, row.missed)]


def results(rows: Sequence[Row], failures: Mapping[str, str]) -> str:
    """All rows, then the parts that failed with their errors."""
    failed = [[part, f"**failed**: {error}", "", "", "", "", ""] for part, error in failures.items()]
    return table(HEAD, [*map(cells, rows), *failed])
