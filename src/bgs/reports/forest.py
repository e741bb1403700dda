"""Forest plots, with one or more estimates per row, as specs: probes, attention, transfer."""

from __future__ import annotations

from dataclasses import dataclass

from bgs._numbers import plain
from bgs.reports.estimate import Estimate, described


@dataclass(frozen=True)
class ForestRow:
    """One row of the plot: base, tuned and their difference, or some of these.

    Attributes:
        label: what was measured, e.g. an attribute.
        estimates: of the row, from top to bottom; their labels name the series, their roles give the colours.
        chance: chance level of this row, or None.
    """

    label: str
    estimates: tuple[Estimate, ...]
    chance: float | None = None


@dataclass(frozen=True)
class ForestPanel:
    """Rows over one axis.

    Attributes:
        title, axis: headings.
        rows: from top to bottom.
        reference: a vertical line through all rows (0 for differences), or None.
        reference_label: what that line is.
    """

    title: str
    axis: str
    rows: tuple[ForestRow, ...]
    reference: float | None = None
    reference_label: str = ""

    @property
    def series(self) -> tuple[Estimate, ...]:
        """One estimate of each label, in the order of first appearance: the key to the colours."""
        found: dict[str, Estimate] = {}
        for row in self.rows:
            for estimate in row.estimates:
                found.setdefault(estimate.label, estimate)
        return tuple(found.values())

    def describe(self) -> str:
        """The panel in words."""
        rows = "; ".join(
            f"{row.label}: {', '.join(estimate.words() for estimate in row.estimates)}"
            + (f", chance {plain(row.chance)}" if row.chance is not None else "")
            for row in self.rows
        )
        line = (
            f"; line at {plain(self.reference)} {self.reference_label}" if self.reference is not None else ""
        )
        return f"{self.title} ({self.axis}): {rows}{line}".rstrip()


@dataclass(frozen=True)
class ForestFigure:
    """Panels side by side, with a footnote."""

    panels: tuple[ForestPanel, ...]
    footnote: str = ""

    def describe(self) -> str:
        """Alternative text."""
        return described([panel.describe() for panel in self.panels], self.footnote)
