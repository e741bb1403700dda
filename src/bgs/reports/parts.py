"""Unique and shared parts of variance as bars with intervals, as specs."""

from __future__ import annotations

from dataclasses import dataclass

from bgs.reports.estimate import Estimate, described


@dataclass(frozen=True)
class PartsPanel:
    """The parts of one variance partitioning.

    Parts are bars of their own, not stacked: a shared part may be negative (suppression), and each has its interval.

    Attributes:
        title, axis: headings.
        parts: from top to bottom, e.g. unique to the video model, shared, unique to captions.
        total: variance that all predictors explain together, drawn as an outline; None leaves it out.
    """

    title: str
    axis: str
    parts: tuple[Estimate, ...]
    total: Estimate | None = None

    @property
    def rows(self) -> tuple[Estimate, ...]:
        """Parts and total, in the order drawn."""
        return self.parts if self.total is None else (*self.parts, self.total)

    def describe(self) -> str:
        """The panel in words."""
        return f"{self.title} ({self.axis}): {'; '.join(row.words(3) for row in self.rows)}"


@dataclass(frozen=True)
class PartsFigure:
    """Panels side by side over the same range, with a footnote."""

    panels: tuple[PartsPanel, ...]
    footnote: str = ""

    @property
    def limits(self) -> tuple[float, float]:
        """Range that contains 0 and every number of every panel."""
        numbers = [0.0, *(x for panel in self.panels for row in panel.rows for x in row.bounds)]
        return min(numbers), max(numbers)

    def describe(self) -> str:
        """Alternative text."""
        return described([panel.describe() for panel in self.panels], self.footnote)
