"""Paints estimates as rows: the gap to people, forests of dots, parts of variance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bgs._numbers import plain
from bgs.reports.drawing.canvas import hide_spines
from bgs.reports.estimate import Estimate
from bgs.reports.forest import ForestFigure, ForestPanel
from bgs.reports.gap import GapFigure, GapPanel
from bgs.reports.palette import GREEN, INK, role_colours
from bgs.reports.parts import PartsFigure, PartsPanel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW, _HEADINGS = 0.42, 1.0  # inches


def gap_height(panel: GapPanel) -> float:
    """Inches that the panel needs."""
    return _HEADINGS + _ROW * (len(panel.rows) + len(panel.published) + (panel.ceiling is not None))


def paint_gap(axes: Axes, figure: GapFigure, panel: GapPanel) -> None:
    """Models from top to bottom below the ceiling, whose interval is a band behind them all."""
    ceiling = (panel.ceiling,) if panel.ceiling else ()
    rows = (*ceiling, *panel.rows, *panel.published)
    colours = (GREEN,) * len(ceiling) + role_colours([row.role for row in (*panel.rows, *panel.published)])
    for estimate in ceiling:
        axes.axvspan(estimate.low, estimate.high, color=GREEN, alpha=0.12, linewidth=0)
        axes.axvline(estimate.value, color=GREEN, linewidth=1, linestyle=(0, (4, 3)))
    for height, row, colour in zip(_heights(len(rows)), rows, colours, strict=True):
        hollow = height < len(panel.published)
        _interval(axes, row, height, colour, marker="D" if hollow else "o", hollow=hollow)
        if math.isfinite(row.value):
            _write(axes, row.value, height)
    axes.set_yticks(_heights(len(rows)), [row.label for row in rows])
    axes.set_ylim(-0.5, len(rows) - 0.4)
    _limits(axes, 0.0, *(x for row in rows for x in row.bounds))
    _headings(axes, panel.title, panel.axis)


def forest_height(panel: ForestPanel) -> float:
    """Inches that the panel needs."""
    deepest = max((len(row.estimates) for row in panel.rows), default=1)
    return _HEADINGS + 0.25 + max(0.28, 0.15 * (deepest + 0.6)) * len(panel.rows)


def paint_forest(axes: Axes, figure: ForestFigure, panel: ForestPanel) -> None:
    """A row an attribute, a dot a series, a tick where guessing would be."""
    colours = dict(
        zip(
            (series.label for series in panel.series),
            role_colours([series.role for series in panel.series]),
            strict=True,
        )
    )
    if panel.reference is not None:
        axes.axvline(panel.reference, color=INK, linewidth=0.8)
    for height, row in zip(_heights(len(panel.rows)), panel.rows, strict=True):
        step = 0.7 / max(len(row.estimates), 1)
        for k, estimate in enumerate(row.estimates):
            level = height + step * ((len(row.estimates) - 1) / 2 - k)
            _interval(axes, estimate, level, colours[estimate.label], size=6.0)
        if row.chance is not None:
            axes.plot(
                [row.chance] * 2, [height - 0.42, height + 0.42], color=INK, linewidth=0.9, linestyle=":"
            )
    for height in range(len(panel.rows) - 1):
        axes.axhline(height + 0.5, color="#ededed", linewidth=0.7, zorder=0)
    axes.set_yticks(_heights(len(panel.rows)), [row.label for row in panel.rows])
    axes.set_ylim(-0.5, len(panel.rows) - 0.5)
    levels = [row.chance for row in panel.rows if row.chance is not None]
    reference = [panel.reference] if panel.reference is not None else []
    _limits(axes, *levels, *reference, *(x for row in panel.rows for e in row.estimates for x in e.bounds))
    _headings(axes, panel.title, panel.axis)
    _key(axes, panel, colours)


def parts_height(panel: PartsPanel) -> float:
    """Inches that the panel needs."""
    return _HEADINGS + _ROW * len(panel.rows)


def paint_parts(axes: Axes, figure: PartsFigure, panel: PartsPanel) -> None:
    """A bar a part; the total is an outline."""
    rows = panel.rows
    colours = role_colours([row.role for row in rows])
    for height, row, colour in zip(_heights(len(rows)), rows, colours, strict=True):
        total = row is panel.total
        axes.barh(
            height, row.value, height=0.55, color="none" if total else colour, alpha=None if total else 0.75,
            edgecolor=INK if total else colour, linewidth=1,
        )  # fmt: skip
        axes.plot([row.low, row.high], [height, height], color=INK, linewidth=1.4, solid_capstyle="butt")
        if math.isfinite(row.value):
            end = max(row.bounds)
            axes.annotate(
                plain(row.value, 3), (end, height), xytext=(5, 0), textcoords="offset points", va="center",
                fontsize=8.5,
            )  # fmt: skip
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(_heights(len(rows)), [row.label for row in rows])
    axes.set_ylim(-0.5, len(rows) - 0.5)
    low, high = figure.limits
    axes.set_xlim(low - 0.03 * (high - low), high + 0.18 * (high - low) or 1.0)
    _headings(axes, panel.title, panel.axis)


def _heights(rows: int) -> list[float]:
    """Where rows lie, the first on top."""
    return [float(height) for height in reversed(range(rows))]


def _interval(
    axes: Axes,
    row: Estimate,
    height: float,
    colour: str,
    marker: str = "o",
    hollow: bool = False,
    size: float = 9.0,
) -> None:
    axes.plot(
        [row.low, row.high], [height, height], color=colour, linewidth=size / 3, alpha=0.6,
        solid_capstyle="round",
    )  # fmt: skip
    axes.plot(row.points, [height - 0.22] * len(row.points), "|", color=colour, markersize=6.0)
    axes.plot(
        row.value, height, marker, color=colour, markersize=7 if hollow else size,
        markerfacecolor="white" if hollow else colour, markeredgecolor=colour if hollow else "white",
        markeredgewidth=1.6 if hollow else 0.8,
    )  # fmt: skip


def _write(axes: Axes, value: float, height: float) -> None:
    axes.annotate(
        plain(value, 3), (value, height), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=8.5,
        weight="bold",
    )  # fmt: skip


def _limits(axes: Axes, *numbers: float) -> None:
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    margin = 0.06 * (high - low) or 0.5
    axes.set_xlim(low - (margin if low else 0.2 * margin), high + margin)
    axes.locator_params(axis="x", nbins=6)


def _headings(axes: Axes, title: str, axis: str) -> None:
    axes.set_title(title)
    axes.set_xlabel(axis)
    hide_spines(axes)


def _key(axes: Axes, panel: ForestPanel, colours: dict[str, str]) -> None:
    """What colours and lines are, above the axis. Where each row has one dot, the row says what it is."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour, marker="o", linewidth=2, markersize=5, label=label)
        for label, colour in colours.items()
        if any(len(row.estimates) > 1 for row in panel.rows)
    ]
    if any(row.chance is not None for row in panel.rows):
        handles.append(Line2D([], [], color=INK, linewidth=0.9, linestyle=":", label="chance"))
    if panel.reference is not None and panel.reference_label:
        handles.append(Line2D([], [], color=INK, linewidth=0.8, label=panel.reference_label))
    if handles:
        axes.legend(
            handles=handles, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=len(handles), frameon=False,
            fontsize=8, columnspacing=1.2, handletextpad=0.5, borderaxespad=0,
        )  # fmt: skip
        axes.set_title(panel.title, pad=20)
