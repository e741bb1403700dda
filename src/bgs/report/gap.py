"""The gap to people, before and after: what the first figure of a report shows, without drawing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bgs._errors import DataError
from bgs.evaluation import Metric, Result


@dataclass(frozen=True)
class Estimate:
    """A labelled number with its 95 % interval.

    Attributes:
        label: what it is.
        value, low, high: the number and its interval, NaN bounds where there is none.
        points: what ``value`` is the mean of (seeds), if anything.
    """

    label: str
    value: float
    low: float
    high: float
    points: tuple[float, ...] = ()


@dataclass(frozen=True)
class GapPanel:
    """One protocol: models from top to bottom, the ceiling as a band, published figures as marks.

    Attributes:
        title, axis: headings.
        rows: models, in the order drawn.
        ceiling: noise ceiling, or None.
        published: figures of others, for comparison.
    """

    title: str
    axis: str
    rows: tuple[Estimate, ...]
    ceiling: Estimate | None
    published: tuple[Estimate, ...] = ()

    def describe(self) -> str:
        """The panel in words, for those who cannot see it."""
        rows = "; ".join(f"{row.label} {row.value:.3f} [{row.low:.3f}, {row.high:.3f}]" for row in self.rows)
        ceiling = f"; ceiling {self.ceiling.value:.3f}" if self.ceiling else ""
        return f"{self.title} ({self.axis}): {rows}{ceiling}"


@dataclass(frozen=True)
class GapFigure:
    """Panels side by side and a line below them that says where the figures come from."""

    panels: tuple[GapPanel, ...]
    footnote: str = ""

    def describe(self) -> str:
        """Alternative text."""
        return ". ".join([*(panel.describe() for panel in self.panels), self.footnote]).strip()


_TITLES = {
    "held-out-trials": "Trials among held-out clips",
    "held-out-pairs": "Every pair of held-out clips",
    "all": "All clips",
}


def gap_panel(
    results: Sequence[Result],
    metric: str = "rsa_spearman_squared",
    axis: str = "squared Spearman correlation with people",
    published: Mapping[str, float] | None = None,
) -> GapPanel:
    """Base and tuned under one protocol, from one result a seed.

    With several seeds values and interval bounds are means over them, and each seed's value is a point: the
    interval speaks about clips and participants, the points about training.

    Raises:
        DataError: no result, results of different protocols, or one without a base model.
    """
    protocols = {result.protocol for result in results}
    if len(protocols) != 1 or not all(result.against_metrics for result in results):
        raise DataError(
            "these results do not make a panel",
            expected="tuned against base, under one protocol",
            got=sorted(protocols),
        )
    protocol = protocols.pop()
    ceiling = results[0].metrics.get(metric.replace("spearman", "ceiling").replace("pearson", "ceiling"))
    return GapPanel(
        title=_TITLES[protocol],
        axis=axis,
        rows=(
            _estimate("base", [result.against_metrics[metric] for result in results]),
            _estimate("tuned on people", [result.metrics[metric] for result in results]),
        ),
        ceiling=_estimate("noise ceiling", [ceiling]) if ceiling else None,
        published=tuple(Estimate(name, value, np.nan, np.nan) for name, value in (published or {}).items()),
    )


def _estimate(label: str, metrics: Sequence[Metric]) -> Estimate:
    value, low, high = (
        float(np.mean([getattr(m, key) for m in metrics])) for key in ("value", "low", "high")
    )
    points = tuple(metric.value for metric in metrics)
    return Estimate(label, value, low, high, points if len(set(points)) > 1 else ())
