"""Paints curves: the mean with intervals, single draws as dots, base and ceiling as lines across."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bgs.reports.curves import CurveFigure, CurvePanel
from bgs.reports.drawing.canvas import remove_frame
from bgs.reports.palette import BLUE, GREEN, GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes


#: Ratio of the largest to the smallest number of judgments beyond which numbers at 1, 3, 10, 30 … would overlap.
_WIDE = 500


def curve_height(panel: CurvePanel) -> float:
    """Inches that the panel needs."""
    return 2.9


def paint_curve(axes: Axes, figure: CurveFigure, panel: CurvePanel) -> None:
    """One curve."""
    at = [point.at for point in panel.points]
    for value, colour, style, name in (
        (panel.base, GREY, "-", "base"),
        (panel.ceiling, GREEN, "--", "ceiling"),
    ):
        if math.isfinite(value):
            axes.axhline(value, color=colour, linestyle=style, linewidth=1.2, zorder=1)
            axes.annotate(
                name, (1, value), xycoords=("axes fraction", "data"), xytext=(-2, 3), textcoords="offset points",
                ha="right", fontsize=8, color=colour,
            )  # fmt: skip
    if math.isfinite(panel.mark):
        axes.axvline(panel.mark, color=GREY, linestyle=":", linewidth=1, zorder=1)
    for point in panel.points:
        axes.plot(
            [point.at] * len(point.estimate.points),
            point.estimate.points,
            ".",
            color=BLUE,
            alpha=0.35,
            markersize=4,
            zorder=2,
        )
        axes.plot(
            [point.at, point.at], [point.estimate.low, point.estimate.high], color=BLUE, linewidth=1, zorder=2
        )
    axes.plot(
        at,
        [point.estimate.value for point in panel.points],
        "o-",
        color=BLUE,
        markersize=4.5,
        linewidth=1.6,
        zorder=3,
    )
    _dress(axes, figure, panel)


def _dress(axes: Axes, figure: CurveFigure, panel: CurvePanel) -> None:
    """Titles and axes: a logarithmic axis with plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    low, high = figure.limits
    room = 0.06 * (high - low or 1.0)
    axes.set_xscale("log")
    at = [point.at for point in panel.points]
    wide = max(at) > _WIDE * min(at)  # then there is room for a number at every power of ten only
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 3.0)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    axes.set_ylim(low - room, high + room)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:.2f}".replace("0.", ".", 1)))
    axes.set_title(panel.title, pad=8)
    axes.set_xlabel(panel.across)
    axes.set_ylabel(panel.axis)
    remove_frame(axes, "top", "right")
