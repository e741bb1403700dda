"""Reliability diagrams: how often something happened, by the probability of it, without drawing them."""

from __future__ import annotations

from dataclasses import dataclass

from bgs._numbers import plain
from bgs.reports.estimate import Estimate, described


@dataclass(frozen=True)
class ReliabilityPanel:
    """The diagram of one model.

    Attributes:
        title: heading.
        across, axis: what the two axes show.
        points: predicted probability and observed share of each bin, from the least to the most probable.
        chance: share over all bins.
    """

    title: str
    across: str
    axis: str
    points: tuple[tuple[float, Estimate], ...]
    chance: float

    def describe(self) -> str:
        """The panel in words."""
        points = "; ".join(f"{plain(at, 2)}: {estimate.words(2)}" for at, estimate in self.points)
        return f"{self.title} ({self.axis} by {self.across}): {points}"


@dataclass(frozen=True)
class ReliabilityFigure:
    """Panels side by side, and a line below them."""

    panels: tuple[ReliabilityPanel, ...]
    footnote: str = ""

    @property
    def limit(self) -> float:
        """The largest number of any panel; both axes of all panels go from 0 to a little more."""
        points = [(at, *estimate.bounds) for panel in self.panels for at, estimate in panel.points]
        return max(number for numbers in points for number in numbers)

    def describe(self) -> str:
        """Alternative text."""
        return described([panel.describe() for panel in self.panels], self.footnote)
