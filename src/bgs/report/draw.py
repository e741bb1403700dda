"""Draws figure specs with matplotlib. Colours are Okabe & Ito's, told apart by everybody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgs._files import atomic_path
from bgs._optional import require
from bgs.report.gap import Estimate, GapFigure, GapPanel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GREY, BLUE, GREEN, ORANGE = "#7f7f7f", "#0072B2", "#009E73", "#D55E00"
#: Colours of a panel's rows, from the top; used again where there are more rows.
_ROWS = (GREY, BLUE, GREEN)


def draw_gap(figure: GapFigure, path: str | Path) -> None:
    """Draw the gap figure into a PNG or SVG file (by its suffix), atomically.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    require("matplotlib", "plot")
    from matplotlib.figure import Figure

    canvas = Figure(figsize=(4.8 * len(figure.panels), 2.9), layout="constrained", dpi=160)
    for axes, panel in zip(
        canvas.subplots(1, len(figure.panels), squeeze=False)[0], figure.panels, strict=True
    ):
        _draw_panel(axes, panel)
    if figure.footnote:
        canvas.supxlabel(figure.footnote, fontsize=7, color=GREY)
    form = Path(path).suffix.removeprefix(".")
    metadata: dict[str, Any] = {"Description": figure.describe()} if form in ("png", "svg") else {}
    with atomic_path(path) as temporary:
        canvas.savefig(temporary, format=form, metadata=metadata)


def _draw_panel(axes: Axes, panel: GapPanel) -> None:
    top = len(panel.rows) + len(panel.published) - 1
    if panel.ceiling is not None:
        _draw_ceiling(axes, panel.ceiling, top)
    for row, estimate in enumerate(panel.rows):
        _draw_estimate(axes, estimate, top - row, _ROWS[row % len(_ROWS)])
    for row, mark in enumerate(panel.published):
        height = len(panel.published) - 1 - row
        axes.plot(
            mark.value, height, "D", color=ORANGE, markersize=7, markerfacecolor="white", markeredgewidth=1.6
        )
        _write(axes, mark.value, height, ORANGE)
    labels = [*(row.label for row in panel.rows), *(mark.label for mark in panel.published)]
    _finish(axes, panel, labels)


def _draw_estimate(axes: Axes, estimate: Estimate, height: int, colour: str) -> None:
    bar = [estimate.low, estimate.high]
    axes.plot(bar, [height, height], color=colour, linewidth=3, alpha=0.55, solid_capstyle="round")
    axes.plot(estimate.points, [height - 0.2] * len(estimate.points), "|", color=colour, markersize=6)
    axes.plot(estimate.value, height, "o", color=colour, markersize=9, markeredgecolor="white")
    _write(axes, estimate.value, height, colour)


def _write(axes: Axes, value: float, height: int, colour: str) -> None:
    axes.annotate(
        f"{value:.3f}", (value, height), xytext=(0, 7), textcoords="offset points",
        ha="center", color=colour, fontsize=9, weight="bold",
    )  # fmt: skip


def _draw_ceiling(axes: Axes, ceiling: Estimate, top: int) -> None:
    axes.axvspan(ceiling.low, ceiling.high, color=GREEN, alpha=0.1, linewidth=0)
    axes.axvline(ceiling.value, color=GREEN, linewidth=1.5)
    axes.annotate(
        f"noise ceiling {ceiling.value:.2f}", (ceiling.value, top + 0.7), xytext=(-3, -2),
        textcoords="offset points", ha="right", va="top", fontsize=8, color=GREEN,
    )  # fmt: skip


def _finish(axes: Axes, panel: GapPanel, labels: list[str]) -> None:
    top = len(labels) - 1
    axes.set_yticks(range(top, -1, -1), labels)
    axes.set_ylim(-0.5, top + 0.7)
    axes.set_xlim(left=min(0.0, *(row.low for row in panel.rows)))
    axes.set_title(panel.title, fontsize=10, loc="left", weight="bold")
    axes.set_xlabel(panel.axis, fontsize=8)
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
