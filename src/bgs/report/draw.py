"""Draws figure specs with matplotlib. Colours are Okabe & Ito's, told apart by everybody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgs._files import atomic_path
from bgs._optional import require
from bgs.report.gap import GapFigure, GapPanel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GREY, BLUE, GREEN, ORANGE = "#7f7f7f", "#0072B2", "#009E73", "#D55E00"


def draw_gap(figure: GapFigure, path: str | Path) -> None:
    """Draw the gap figure into a PNG or SVG file (by its suffix), atomically.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    require("matplotlib", "plot")
    from matplotlib.figure import Figure

    canvas = Figure(figsize=(4.6 * len(figure.panels), 2.6), layout="constrained", dpi=160)
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
    colours = [GREY, BLUE, ORANGE, GREEN]
    last = len(panel.rows) - 1
    if panel.ceiling is not None:
        _draw_ceiling(axes, panel, last)
    for row, (estimate, colour) in enumerate(zip(panel.rows, colours, strict=False)):
        height = last - row
        axes.plot(
            [estimate.low, estimate.high],
            [height, height],
            color=colour,
            linewidth=3,
            alpha=0.55,
            solid_capstyle="round",
        )
        axes.plot(estimate.points, [height - 0.16] * len(estimate.points), "|", color=colour, markersize=6)
        axes.plot(estimate.value, height, "o", color=colour, markersize=9, markeredgecolor="white")
        axes.annotate(
            f"{estimate.value:.3f}", (estimate.value, height), xytext=(0, 8), textcoords="offset points",
            ha="center", color=colour, fontsize=10, weight="bold",
        )  # fmt: skip
    for mark in panel.published:
        axes.axvline(mark.value, color=ORANGE, linestyle=":", linewidth=1.2)
        axes.annotate(
            f"{mark.label} {mark.value:.3f}", (mark.value, -0.5), xytext=(2, 2), textcoords="offset points",
            rotation=90, fontsize=6.5, color=ORANGE, va="bottom",
        )  # fmt: skip
    _finish(axes, panel, last)


def _draw_ceiling(axes: Axes, panel: GapPanel, last: int) -> None:
    ceiling = panel.ceiling
    assert ceiling is not None
    axes.axvspan(ceiling.low, ceiling.high, color=GREEN, alpha=0.12, linewidth=0)
    axes.axvline(ceiling.value, color=GREEN, linewidth=1.5)
    axes.annotate(
        f"ceiling {ceiling.value:.2f}", (ceiling.value, last + 0.6), xytext=(-3, -2), textcoords="offset points",
        ha="right", va="top", fontsize=8, color=GREEN,
    )  # fmt: skip


def _finish(axes: Axes, panel: GapPanel, last: int) -> None:
    axes.set_yticks(range(last, -1, -1), [row.label for row in panel.rows])
    axes.set_ylim(-0.5, last + 0.6)
    axes.set_xlim(left=0)
    axes.set_title(panel.title, fontsize=10, loc="left", weight="bold")
    axes.set_xlabel(panel.axis, fontsize=8)
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
