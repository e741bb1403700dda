"""The results table: every condition of every model, means over seeds, differences, shares of the ceiling."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bgs._numbers import plain
from bgs.evaluation import Metric, Result, benjamini_hochberg

#: What the table has, and the ceiling that it is divided by. That of odd-one-out accuracy is known to lie in a range only.
MEASURES: dict[str, str | None] = {
    "rsa_spearman": "rsa_ceiling",
    "rsa_spearman_squared": "rsa_ceiling_squared",
    "odd_one_out_3afc": None,
    "odd_one_out_two_way": None,
}


@dataclass(frozen=True)
class SeedMean:
    """A figure over seeds.

    The interval speaks about clips and participants, the spread of the seeds about training; neither holds the other.

    Attributes:
        mean: value and interval bounds are means over the seeds.
        seeds: seed -> its value; empty for what has no seeds (captions).
        q: p adjusted for the other figures of a table, or None.
    """

    mean: Metric
    seeds: dict[int, float]
    q: float | None = None

    @classmethod
    def of(cls, metrics: Mapping[int, Metric]) -> SeedMean:
        """The mean over one or more seeds.

        p over several seeds is twice the mean p: valid however seeds depend on each other (Vovk & Wang 2020,
        Biometrika 107:791).
        """
        first = next(iter(metrics.values()))
        value, low, high = (
            float(np.mean([getattr(metric, key) for metric in metrics.values()]))
            for key in ("value", "low", "high")
        )
        mean = Metric(value, low, high, first.n, first.unit, p=_mean_p([m.p for m in metrics.values()]))
        return cls(mean, {seed: metric.value for seed, metric in metrics.items()})

    def over(self, ceiling: Metric) -> Metric:
        """As a share of a ceiling, whose own uncertainty is left out; NaN where there is no ceiling above 0."""
        divisor = ceiling.value if ceiling.value > 0 else float("nan")
        value, low, high = (bound / divisor for bound in (self.mean.value, self.mean.low, self.mean.high))
        return Metric(value, low, high, self.mean.n, "share of the ceiling")

    def to_json(self) -> dict[str, Any]:
        """The mean as a metric, with ``seeds``."""
        seeds = {str(seed): None if value != value else value for seed, value in self.seeds.items()}
        q = {} if self.q is None else {"q": None if math.isnan(self.q) else self.q}
        return {**self.mean.to_json(), "seeds": seeds, **q}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SeedMean:
        """What :meth:`to_json` wrote."""
        seeds = {int(seed): float("nan") if x is None else float(x) for seed, x in value["seeds"].items()}
        q = (math.nan if value["q"] is None else float(value["q"])) if "q" in value else None
        return cls(Metric.from_json(value), seeds, q)


def _mean_p(values: Sequence[float | None]) -> float | None:
    known = [p for p in values if p is not None]
    if len(known) < len(values):
        return None
    return known[0] if len(known) == 1 else min(1.0, 2 * float(np.mean(known)))


def with_q(figures: Mapping[str, SeedMean]) -> dict[str, SeedMean]:
    """Figures of one table with their p adjusted for each other (Benjamini & Hochberg)."""
    p = np.array([math.nan if f.mean.p is None else f.mean.p for f in figures.values()], dtype=np.float64)
    adjusted = benjamini_hochberg(p).tolist()
    return {name: replace(figure, q=q) for (name, figure), q in zip(figures.items(), adjusted, strict=True)}


#: Measure -> figure.
Row = dict[str, SeedMean]


@dataclass(frozen=True)
class ProtocolResults:
    """One protocol of the table.

    Attributes:
        ceilings: name -> noise ceiling.
        captions: the caption encoder's row; empty where the experiment has none.
        models: model -> condition -> row.
        differences: model -> ``"hybrid - shuffled"`` and the like -> paired differences.
    """

    ceilings: dict[str, Metric]
    captions: Row
    models: dict[str, dict[str, Row]]
    differences: dict[str, dict[str, Row]]

    @property
    def odd_one_out_range(self) -> str:
        """Between which figures the best possible odd-one-out accuracy lies, in words; empty where it is unknown."""
        bounds = [self.ceilings.get(f"odd_one_out_ceiling{end}") for end in ("_lower", "")]
        known = [plain(bound.value) for bound in bounds if bound is not None and not math.isnan(bound.value)]
        return " to ".join(known)

    def share_of_ceiling(self, row: Row) -> dict[str, Metric]:
        """Measure -> share of its ceiling, for those that have one."""
        return {
            name: figure.over(self.ceilings[ceiling])
            for name, figure in row.items()
            if (ceiling := MEASURES[name]) is not None and ceiling in self.ceilings
        }

    def to_json(self) -> dict[str, Any]:
        """JSON types only; each row has ``metrics`` and its ``share_of_ceiling``."""
        return {
            "ceilings": {name: metric.to_json() for name, metric in self.ceilings.items()},
            "captions": self._row_to_json(self.captions) if self.captions else None,
            "models": {
                model: {condition: self._row_to_json(row) for condition, row in rows.items()}
                for model, rows in self.models.items()
            },
            "differences": {
                model: {name: _figures(row) for name, row in rows.items()}
                for model, rows in self.differences.items()
            },
        }

    def _row_to_json(self, row: Row) -> dict[str, Any]:
        shares = {name: metric.to_json() for name, metric in self.share_of_ceiling(row).items()}
        return {"metrics": _figures(row), "share_of_ceiling": shares}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ProtocolResults:
        """What :meth:`to_json` wrote."""
        return cls(
            {name: Metric.from_json(metric) for name, metric in value["ceilings"].items()},
            _row(value["captions"]["metrics"]) if value["captions"] else {},
            {
                model: {condition: _row(row["metrics"]) for condition, row in rows.items()}
                for model, rows in value["models"].items()
            },
            {
                model: {name: _row(row) for name, row in rows.items()}
                for model, rows in value["differences"].items()
            },
        )


@dataclass(frozen=True)
class ResultsTable:
    """Protocol -> results. A cell that is not finished is not in it: see ``seeds`` of each figure."""

    protocols: dict[str, ProtocolResults]

    def to_json(self) -> dict[str, Any]:
        """JSON types only; NaN is null."""
        return {"protocols": {name: results.to_json() for name, results in self.protocols.items()}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ResultsTable:
        """What :meth:`to_json` wrote."""
        return cls({name: ProtocolResults.from_json(found) for name, found in value["protocols"].items()})


def mean_rows(metrics: Mapping[int, Mapping[str, Metric]]) -> Row:
    """A row from one set of metrics a seed."""
    return {name: SeedMean.of({seed: found[name] for seed, found in metrics.items()}) for name in MEASURES}


def single_row(metrics: Mapping[str, Metric]) -> Row:
    """A row of what has no seeds."""
    return {name: SeedMean(metrics[name], {}) for name in MEASURES}


def ceilings_of(results: Sequence[Result]) -> dict[str, Metric]:
    """The noise ceilings, which are those of the judgments, whatever the model."""
    names = ("rsa_ceiling", "rsa_ceiling_squared", "odd_one_out_ceiling", "odd_one_out_ceiling_lower")
    found = results[0].metrics if results else {}
    return {name: found[name] for name in names if name in found}


def _figures(row: Row) -> dict[str, Any]:
    return {name: figure.to_json() for name, figure in row.items()}


def _row(value: Mapping[str, Any]) -> Row:
    return {name: SeedMean.from_json(figure) for name, figure in value.items()}
