"""Curves over a number of judgments, with a base and a ceiling, without drawing them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bgs._numbers import plain
from bgs.reports.estimate import Estimate, described


@dataclass(frozen=True)
class CurvePoint:
    """One point of a curve.

    Attributes:
        at: where, on a logarithmic axis.
        estimate: the number there, its interval, and the draws that it is the mean of.
    """

    at: float
    estimate: Estimate


@dataclass(frozen=True)
class CurvePanel:
    """One curve.

    Attributes:
        title: heading.
        across, axis: what the two axes show.
        points: from left to right.
        base, ceiling: horizontal lines; NaN leaves one out.
        mark: place on the axis that a vertical line marks; NaN leaves it out.
    """

    title: str
    across: str
    axis: str
    points: tuple[CurvePoint, ...]
    base: float
    ceiling: float
    mark: float = math.nan

    def describe(self) -> str:
        """The panel in words."""
        points = "; ".join(f"{point.at:,.0f}: {point.estimate.words(3)}" for point in self.points)
        return f"{self.title} ({self.axis} by {self.across}): base {plain(self.base, 3)}; {points}"


@dataclass(frozen=True)
class CurveFigure:
    """Panels side by side over the same range, and a line below them."""

    panels: tuple[CurvePanel, ...]
    footnote: str = ""

    @property
    def limits(self) -> tuple[float, float]:
        """Range that holds every number of every panel."""
        lines = [x for panel in self.panels for x in (panel.base, panel.ceiling) if math.isfinite(x)]
        points = [x for panel in self.panels for point in panel.points for x in point.estimate.bounds]
        numbers = lines + points
        return min(numbers), max(numbers)

    def describe(self) -> str:
        """Alternative text."""
        return described([panel.describe() for panel in self.panels], self.footnote)
