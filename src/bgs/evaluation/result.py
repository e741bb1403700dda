"""What an evaluation gives back: named metrics with intervals, and where they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bgs._codec import Number, OptionalNumber, Written
from bgs._errors import DataError
from bgs._numbers import between, plain

#: Low and high bound.
Interval = tuple[Number, Number]


@dataclass(frozen=True)
class Metric(Written):
    """One measured number.

    Attributes:
        value: point estimate, NaN where it is undefined.
        low, high: bounds of the 95 % interval, NaN where there is none.
        n: pairs or trials that it rests on.
        unit: what is measured, e.g. ``"Spearman rho"``.
        intervals: 95 % interval of each resampling design, e.g. ``{"clips": (0.2, 0.5)}``.
        p: permutation p-value, one-sided unless who made it says otherwise (that of a paired difference is two-sided,
            from the bootstrap); None where none was computed.
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
        interval = between(self.low, self.high, 3)
        p = "" if self.p is None else f", p {plain(self.p, 3)}"
        return f"{plain(self.value, 3)}{f' {interval}' if interval else ''}{p}, n = {self.n:,} ({self.unit})"


@dataclass(frozen=True)
class Result:
    """All metrics of one protocol.

    Attributes:
        protocol: which judgments were used, see :mod:`bgs.evaluation.protocols`.
        metrics: name -> metric of the embeddings evaluated.
        provenance: versions, data hashes, model, seed and settings; JSON types only.
        differences: name -> embeddings evaluated minus the others, over the same resamples.
        against_metrics: name -> metric of those others; empty if there are none.
        warnings: sentences about what weakens the figures.
    """

    protocol: str
    metrics: dict[str, Metric]
    provenance: dict[str, Any]
    differences: dict[str, Metric] = field(default_factory=dict)
    against_metrics: dict[str, Metric] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """JSON types only; NaN becomes null. Differences are there only if two embeddings were compared."""
        value: dict[str, Any] = {"protocol": self.protocol, "metrics": metrics_to_json(self.metrics)}
        if self.differences:
            value["differences"] = metrics_to_json(self.differences)
            value["against_metrics"] = metrics_to_json(self.against_metrics)
        return {**value, "warnings": list(self.warnings), "provenance": self.provenance}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Result:
        """What :meth:`to_json` wrote.

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
    """Name -> metric as JSON types."""
    return {name: metric.to_json() for name, metric in metrics.items()}


def metrics_from_json(metrics: Mapping[str, Any]) -> dict[str, Metric]:
    """What :func:`metrics_to_json` wrote."""
    return {name: Metric.from_json(metric) for name, metric in metrics.items()}
