"""Paints estimates as rows: the gap to people, forests of dots, parts of variance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bgs._numbers import plain
from bgs.reports.drawing.row_layout import SMALL, Rows, moved
from bgs.reports.estimate import Estimate
from bgs.reports.forest import ForestFigure, ForestPanel
from bgs.reports.gap import GapFigure, GapPanel
from bgs.reports.palette import GREEN, INK, role_colours
from bgs.reports.parts import PartsFigure, PartsPanel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Inches that a row of one estimate takes, and each of several series.
_ROW, _SERIES = 0.44, 0.165


def _gap_rows(panel: GapPanel) -> tuple[tuple[Estimate, ...], Rows]:
    rows = (*((panel.ceiling,) if panel.ceiling else ()), *panel.rows, *panel.published)
    return rows, Rows(tuple(row.label for row in rows), _ROW)


def gap_height(panel: GapPanel) -> float:
    """Inches that the panel needs."""
    return _gap_rows(panel)[1].height(panel.title, panel.axis)


def paint_gap(axes: Axes, figure: GapFigure, panel: GapPanel) -> None:
    """Models from top to bottom below the ceiling, whose interval is a band behind them all."""
    estimates, rows = _gap_rows(panel)
    colours = role_colours([row.role for row in (*panel.rows, *panel.published)])
    if panel.ceiling:
        axes.axvspan(panel.ceiling.low, panel.ceiling.high, color=GREEN, alpha=0.12, linewidth=0)
        axes.axvline(panel.ceiling.value, color=GREEN, linewidth=1, linestyle=(0, (4, 3)))
        colours = (GREEN, *colours)
    published = len(estimates) - len(panel.published)
    for k, (level, row, colour) in enumerate(zip(rows.centres, estimates, colours, strict=True)):
        hollow = k >= published
        _interval(axes, row, level, colour, marker="D" if hollow else "o", hollow=hollow)
        _write(axes, row, (row.value, level), (0, 7), "center", weight="bold")
    rows.label(axes)
    _limits(axes, 0.0, *(x for row in estimates for x in row.bounds))
    rows.head(axes, panel.title, panel.axis)


def _forest_rows(panel: ForestPanel) -> Rows:
    deepest = max((len(row.estimates) for row in panel.rows), default=1)
    return Rows(tuple(row.label for row in panel.rows), max(0.3, _SERIES * deepest + 0.1))


def forest_height(panel: ForestPanel) -> float:
    """Inches that the panel needs."""
    return _forest_rows(panel).height(panel.title, panel.axis, list(_key(panel)))


def paint_forest(axes: Axes, figure: ForestFigure, panel: ForestPanel) -> None:
    """A row an attribute, a dot a series, a tick where guessing would be."""
    from matplotlib.lines import Line2D

    rows, colours = _forest_rows(panel), _series_colours(panel)
    if panel.reference is not None:
        axes.axvline(panel.reference, color=INK, linewidth=0.8)
    for level, row in zip(rows.centres, panel.rows, strict=True):
        for k, estimate in enumerate(row.estimates):
            above = ((len(row.estimates) - 1) / 2 - k) * _SERIES / rows.pitch
            _interval(axes, estimate, level + above, colours[estimate.label], size=6.0)
        if row.chance is not None:
            half = 0.42 * rows.body / rows.pitch
            axes.plot([row.chance] * 2, [level - half, level + half], color=INK, linewidth=0.9, linestyle=":")
    for between in range(len(panel.rows) - 1):
        axes.axhline(between + 0.5, color="#ededed", linewidth=0.7, zorder=0)
    rows.label(axes)
    levels = [row.chance for row in panel.rows if row.chance is not None]
    reference = [panel.reference] if panel.reference is not None else []
    _limits(axes, *levels, *reference, *(x for row in panel.rows for e in row.estimates for x in e.bounds))
    handles = [Line2D([], [], label=name, **style) for name, style in _key(panel).items()]
    rows.head(axes, panel.title, panel.axis, handles)


def _series_colours(panel: ForestPanel) -> dict[str, str]:
    colours = role_colours([series.role for series in panel.series])
    return dict(zip((series.label for series in panel.series), colours, strict=True))


def _key(panel: ForestPanel) -> dict[str, dict[str, Any]]:
    """What colours and lines are -> how they look. Where each row has one dot, the row says what it is."""
    key: dict[str, dict[str, Any]] = {}
    if any(len(row.estimates) > 1 for row in panel.rows):
        for label, colour in _series_colours(panel).items():
            key[label] = {"color": colour, "marker": "o", "linewidth": 2, "markersize": 5}
    if any(row.chance is not None for row in panel.rows):
        key["chance"] = {"color": INK, "linewidth": 0.9, "linestyle": ":"}
    if panel.reference is not None and panel.reference_label:
        key[panel.reference_label] = {"color": INK, "linewidth": 0.8}
    return key


def _parts_rows(panel: PartsPanel) -> Rows:
    return Rows(tuple(row.label for row in panel.rows), 0.36)


def parts_height(panel: PartsPanel) -> float:
    """Inches that the panel needs."""
    return _parts_rows(panel).height(panel.title, panel.axis)


def paint_parts(axes: Axes, figure: PartsFigure, panel: PartsPanel) -> None:
    """A bar a part; the total is an outline."""
    rows = _parts_rows(panel)
    colours = role_colours([row.role for row in panel.rows])
    for level, row, colour in zip(rows.centres, panel.rows, colours, strict=True):
        total = row is panel.total
        axes.barh(
            level, row.value, height=0.6 * rows.body / rows.pitch, color="none" if total else colour,
            alpha=None if total else 0.75, edgecolor=INK if total else colour, linewidth=1,
        )  # fmt: skip
        axes.plot([row.low, row.high], [level, level], color=INK, linewidth=1.4, solid_capstyle="butt")
        _write(axes, row, (max(row.bounds, default=0.0), level), (5, 0), "left")
    axes.axvline(0, color=INK, linewidth=0.8)
    rows.label(axes)
    low, high = figure.limits
    axes.set_xlim(low - 0.03 * (high - low), high + 0.25 * (high - low) or 1.0)
    axes.locator_params(axis="x", nbins=4)
    rows.head(axes, panel.title, panel.axis)


def _interval(
    axes: Axes,
    row: Estimate,
    level: float,
    colour: str,
    marker: str = "o",
    hollow: bool = False,
    size: float = 9.0,
) -> None:
    """A dot on its interval; seeds are ticks just below, clear of the dot and of the series below."""
    axes.plot(
        [row.low, row.high], [level, level], color=colour, linewidth=size / 3, alpha=0.6, solid_capstyle="round"
    )  # fmt: skip
    if row.points:
        axes.plot(
            row.points, [level] * len(row.points), "|", color=colour, markersize=3.6, markeredgewidth=1,
            transform=axes.transData + moved(axes, 0.0, -(size / 2 + 2.6) / 72),
        )  # fmt: skip
    axes.plot(
        row.value, level, marker, color=colour, markersize=7 if hollow else size,
        markerfacecolor="white" if hollow else colour, markeredgecolor=colour if hollow else "white",
        markeredgewidth=1.6 if hollow else 0.8,
    )  # fmt: skip


def _write(
    axes: Axes, row: Estimate, place: tuple[float, float], offset: tuple[int, int], align: str, weight: str = "normal"
) -> None:  # fmt: skip
    """The number itself, beside its mark, readable where a line passes behind it."""
    if math.isfinite(row.value):
        axes.annotate(
            plain(row.value, 3), place, xytext=offset, textcoords="offset points", ha=align, fontsize=SMALL,
            va="center" if align == "left" else "baseline", weight=weight,
            bbox={"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 0.4},
        )  # fmt: skip


def _limits(axes: Axes, *numbers: float) -> None:
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    margin = 0.06 * (high - low) or 0.5
    axes.set_xlim(low - (margin if low else 0.2 * margin), high + margin)
    axes.locator_params(axis="x", nbins=5)
