"""Paints reliability diagrams: bins with intervals beside the diagonal of perfect probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bgs.reports.drawing.canvas import remove_frame
from bgs.reports.palette import BLUE, GREY
from bgs.reports.reliability import ReliabilityFigure, ReliabilityPanel

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def reliability_height(panel: ReliabilityPanel) -> float:
    """Inches that the panel needs."""
    return 3.4


def paint_reliability(axes: Axes, figure: ReliabilityFigure, panel: ReliabilityPanel) -> None:
    """One diagram."""
    top = min(1.0, 1.06 * figure.limit)
    axes.plot([0, top], [0, top], color=GREY, linewidth=1.2, linestyle="--", zorder=1)
    axes.annotate(
        "perfect", (top, top), xytext=(-4, -16), textcoords="offset points", ha="right", fontsize=8, color=GREY,
        rotation=45, rotation_mode="anchor",
    )  # fmt: skip
    axes.axhline(panel.chance, color=GREY, linewidth=0.8, linestyle=":", zorder=1)
    axes.annotate(
        "all pairs", (top, panel.chance), xytext=(0, 3), textcoords="offset points", ha="right", fontsize=8, color=GREY
    )  # fmt: skip
    for at, one in panel.points:
        axes.plot([at, at], [one.low, one.high], color=BLUE, linewidth=1.2, zorder=2)
    axes.plot(
        [at for at, _ in panel.points], [one.value for _, one in panel.points], "o", color=BLUE, markersize=5, zorder=3
    )  # fmt: skip
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)
    axes.set_aspect("equal")
    axes.set_title(panel.title, pad=8)
    axes.set_xlabel(panel.across)
    axes.set_ylabel(panel.axis)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:.1f}".replace("0.", ".", 1))
    axes.yaxis.set_major_formatter(lambda x, _: f"{x:.1f}".replace("0.", ".", 1))
    remove_frame(axes, "top", "right")
