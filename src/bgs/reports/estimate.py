"""A labelled number with its interval, as rows of figures show it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bgs._errors import DataError
from bgs._numbers import with_interval
from bgs.evaluation import Metric, mean_metric
from bgs.reports.palette import Role


@dataclass(frozen=True)
class Estimate:
    """A labelled number with its 95 % interval.

    Attributes:
        label: what it is.
        value, low, high: the number and its interval, NaN bounds where there is none.
        points: what ``value`` is the mean of (seeds), if anything.
        role: whose number it is; gives its colour, the same in every figure.
    """

    label: str
    value: float
    low: float
    high: float
    points: tuple[float, ...] = ()
    role: Role = ""

    @classmethod
    def of(cls, label: str, metrics: Metric | Sequence[Metric], role: Role = "") -> Estimate:
        """From one metric, or one per seed: then value and bounds are means, and each seed's value is a point.

        Raises:
            DataError: no metric.
        """
        several = (metrics,) if isinstance(metrics, Metric) else tuple(metrics)
        if not several:
            raise DataError("no metric to show", where=label, expected="one, or one a seed")
        mean = mean_metric(several)
        points = tuple(metric.value for metric in several)
        return cls(label, mean.value, mean.low, mean.high, points if len(set(points)) > 1 else (), role)

    @property
    def bounds(self) -> tuple[float, ...]:
        """Every finite number that a drawing must leave room for."""
        return tuple(x for x in (self.value, self.low, self.high, *self.points) if math.isfinite(x))

    def words(self, decimals: int = 2) -> str:
        """``base .12 [.05, .20]``."""
        return f"{self.label} {with_interval(self.value, self.low, self.high, decimals)}".lstrip()


def described(panels: Sequence[str], footnote: str) -> str:
    """Alternative text of a figure, from its panels in words and its footnote."""
    return ". ".join([*panels, footnote]).strip(". ") + "."
