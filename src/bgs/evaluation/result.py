"""Results of an evaluation: named metrics with intervals, and provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bgs._codec import JsonDataclass, Number, OptionalNumber
from bgs._errors import DataError
from bgs._numbers import plain, with_interval

#: Low and high bound.
Interval = tuple[Number, Number]


@dataclass(frozen=True)
class Metric(JsonDataclass):
    """A measured value.

    Attributes:
        value: point estimate, NaN if undefined.
        low, high: bounds of the 95 % interval, NaN if there is none.
        n: number of pairs or trials.
        unit: measured quantity, e.g. ``"Spearman rho"``.
        intervals: 95 % interval of each design, e.g. ``{"clips": (0.2, 0.5)}``.
        p: permutation p-value, one-sided unless documented otherwise (that of a paired difference is two-sided,
            from the bootstrap); None if not computed.
    """

    value: Number
    low: Number
    high: Number
    n: int
    unit: str
    intervals: dict[str, Interval] = field(default_factory=dict)
    p: OptionalNumber = None

    def __str__(self) -> str:
        """``.446 [.368, .523], n = 637 (Spearman rho)``."""
        p = "" if self.p is None else f", p {plain(self.p, 3)}"
        return f"{self.words()}{p}, n = {self.n:,} ({self.unit})"

    def words(self, *, signed: bool = False) -> str:
        """``.446 [.368, .523]``; with signs for differences."""
        return with_interval(self.value, self.low, self.high, signed=signed)


def mean_metric(metrics: Sequence[Metric]) -> Metric:
    """Means of value and bounds over seeds; number and unit are those of the first, without intervals of designs and p."""
    value, low, high = (
        float(np.mean([getattr(one, key) for one in metrics])) for key in ("value", "low", "high")
    )
    return Metric(value, low, high, metrics[0].n, metrics[0].unit)


@dataclass(frozen=True)
class Result:
    """All metrics of one protocol.

    Attributes:
        protocol: the judgments used, see :mod:`bgs.evaluation.protocols`.
        metrics: name -> metric of the evaluated embeddings.
        provenance: versions, data hashes, model, seed and settings; JSON types only.
        differences: name -> evaluated embeddings minus comparison embeddings, paired.
        against_metrics: name -> metric of the comparison embeddings; empty if there are none.
        warnings: sentences on limitations of the results.
    """

    protocol: str
    metrics: dict[str, Metric]
    provenance: dict[str, Any]
    differences: dict[str, Metric] = field(default_factory=dict)
    against_metrics: dict[str, Metric] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """JSON types only; NaN becomes null. Differences are included only if two embeddings were compared."""
        value: dict[str, Any] = {"protocol": self.protocol, "metrics": metrics_to_json(self.metrics)}
        if self.differences:
            value["differences"] = metrics_to_json(self.differences)
            value["against_metrics"] = metrics_to_json(self.against_metrics)
        return {**value, "warnings": list(self.warnings), "provenance": self.provenance}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Result:
        """Read what :meth:`to_json` wrote.

        Raises:
            DataError: a key is missing.
        """
        try:
            return cls(
                protocol=value["protocol"],
                metrics=metrics_from_json(value["metrics"]),
                provenance=value["provenance"],
                differences=metrics_from_json(value.get("differences", {})),
                against_metrics=metrics_from_json(value.get("against_metrics", {})),
                warnings=list(value.get("warnings", [])),
            )
        except KeyError as error:
            raise DataError(
                "not an evaluation result", expected=f"the key {error}", got=sorted(value)
            ) from None


def metrics_to_json(metrics: Mapping[str, Metric]) -> dict[str, Any]:
    """Convert named metrics to JSON types."""
    return {name: metric.to_json() for name, metric in metrics.items()}


def metrics_from_json(metrics: Mapping[str, Any]) -> dict[str, Metric]:
    """Read what :func:`metrics_to_json` wrote."""
    return {name: Metric.from_json(metric) for name, metric in metrics.items()}
