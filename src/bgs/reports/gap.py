"""The gap to people before and after tuning, as a spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bgs._errors import DataError
from bgs.evaluation import Result
from bgs.reports.estimate import Estimate

__all__ = ["Estimate", "GapFigure", "GapPanel", "gap_panel"]


@dataclass(frozen=True)
class GapPanel:
    """One protocol: models from top to bottom, the ceiling as a band, published figures as marks.

    Attributes:
        title, axis: headings.
        rows: models, in the order drawn: captions, base, tuned, controls ...; coloured by role.
        ceiling: noise ceiling, or None; drawn as a band over its interval.
        published: figures of others, for comparison.
    """

    title: str
    axis: str
    rows: tuple[Estimate, ...]
    ceiling: Estimate | None
    published: tuple[Estimate, ...] = ()

    def describe(self) -> str:
        """The panel in words."""
        rows = "; ".join(f"{row.label} {row.value:.3f} [{row.low:.3f}, {row.high:.3f}]" for row in self.rows)
        ceiling = f"; ceiling {self.ceiling.value:.3f}" if self.ceiling else ""
        published = "".join(f"; {mark.label} {mark.value:.3f}" for mark in self.published)
        return f"{self.title} ({self.axis}): {rows}{ceiling}{published}"


@dataclass(frozen=True)
class GapFigure:
    """Panels side by side, with a footnote on the source of the figures."""

    panels: tuple[GapPanel, ...]
    footnote: str = ""

    def describe(self) -> str:
        """Alternative text."""
        return ". ".join([*(panel.describe() for panel in self.panels), self.footnote]).strip()


#: Protocols in plain words.
PROTOCOL_TITLES = {
    "held-out-trials": "Trials among held-out clips",
    "held-out-pairs": "Every pair of held-out clips",
    "all": "All clips",
}


def gap_panel(
    results: Sequence[Result],
    metric: str = "rsa_spearman_squared",
    axis: str = "squared Spearman correlation with people",
    published: Mapping[str, float] | None = None,
    above: Sequence[Estimate] = (),
    below: Sequence[Estimate] = (),
) -> GapPanel:
    """Base and tuned under one protocol, from one result per seed, between further rows: captions above, controls below.

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
        title=PROTOCOL_TITLES[protocol],
        axis=axis,
        rows=(
            *above,
            Estimate.of("base", [result.against_metrics[metric] for result in results], "base"),
            Estimate.of("tuned on people", [result.metrics[metric] for result in results], "tuned"),
            *below,
        ),
        ceiling=Estimate.of("noise ceiling", ceiling, "ceiling") if ceiling else None,
        published=tuple(
            Estimate(name, value, np.nan, np.nan, role="published")
            for name, value in (published or {}).items()
        ),
    )
