"""The results table: every condition of every model, means over seeds, differences, shares of the ceiling."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from bgs._codec import Number, OptionalNumber, from_json, to_json
from bgs._numbers import plain
from bgs.evaluation import Metric, Result, benjamini_hochberg, mean_metric


@dataclass(frozen=True)
class SeedMean(Metric):
    """A figure over seeds: value, interval bounds and p of the mean.

    The interval reflects the sampling of clips and participants, the spread of the seeds that of training.

    Attributes:
        seeds: seed -> its value; empty where there are no seeds (captions).
        q: p adjusted for the other figures of a table, or None.
    """

    seeds: dict[int, Number] = field(default_factory=dict)
    q: OptionalNumber = None

    @classmethod
    def of(cls, metrics: Mapping[int, Metric]) -> SeedMean:
        """The mean over one or more seeds.

        p over several seeds is twice the mean p: valid however seeds depend on each other (Vovk & Wang 2020,
        Biometrika 107:791).
        """
        mean = mean_metric(list(metrics.values()))
        p = _mean_p([metric.p for metric in metrics.values()])
        seeds = {seed: metric.value for seed, metric in metrics.items()}
        return cls(mean.value, mean.low, mean.high, mean.n, mean.unit, p=p, seeds=seeds)

    @classmethod
    def single(cls, metric: Metric) -> SeedMean:
        """A figure without seeds."""
        return cls(**{one.name: getattr(metric, one.name) for one in fields(Metric)})

    def over(self, ceiling: Metric) -> Metric:
        """As a share of a ceiling, ignoring the uncertainty of the ceiling; NaN where the ceiling is not above 0."""
        divisor = ceiling.value if ceiling.value > 0 else float("nan")
        value, low, high = (bound / divisor for bound in (self.value, self.low, self.high))
        return Metric(value, low, high, self.n, "share of the ceiling")


def _mean_p(values: Sequence[float | None]) -> float | None:
    known = [p for p in values if p is not None]
    if len(known) < len(values):
        return None
    return known[0] if len(known) == 1 else min(1.0, 2 * float(np.mean(known)))


def with_q(figures: Mapping[str, SeedMean]) -> dict[str, SeedMean]:
    """Figures of one table with their p adjusted for each other (Benjamini & Hochberg)."""
    p = np.array([math.nan if f.p is None else f.p for f in figures.values()], dtype=np.float64)
    adjusted = benjamini_hochberg(p).tolist()
    return {name: replace(figure, q=q) for (name, figure), q in zip(figures.items(), adjusted, strict=True)}


@dataclass(frozen=True)
class Row:
    """Agreement with people by each measure, or a paired difference in it."""

    rsa_spearman: SeedMean
    rsa_spearman_squared: SeedMean
    odd_one_out_3afc: SeedMean
    odd_one_out_two_way: SeedMean

    @classmethod
    def means(cls, metrics: Mapping[int, Mapping[str, Metric]]) -> Row:
        """Means over one set of metrics per seed."""
        names = [measure.name for measure in fields(cls)]
        return cls(*(SeedMean.of({seed: found[name] for seed, found in metrics.items()}) for name in names))

    @classmethod
    def single(cls, metrics: Mapping[str, Metric]) -> Row:
        """A row without seeds."""
        return cls(*(SeedMean.single(metrics[measure.name]) for measure in fields(cls)))


@dataclass(frozen=True)
class Ceilings:
    """Noise ceilings of the judgments, the same for all models. That of odd-one-out accuracy is known only as a range."""

    rsa_ceiling: Metric | None = None
    rsa_ceiling_squared: Metric | None = None
    odd_one_out_ceiling: Metric | None = None
    odd_one_out_ceiling_lower: Metric | None = None

    @classmethod
    def of(cls, results: Sequence[Result]) -> Ceilings:
        """The ceilings of the first result, if there is any."""
        found = results[0].metrics if results else {}
        return cls(*(found.get(ceiling.name) for ceiling in fields(cls)))

    @property
    def odd_one_out_range(self) -> str:
        """Range of the best possible odd-one-out accuracy, in words; empty where it is unknown."""
        bounds = (self.odd_one_out_ceiling_lower, self.odd_one_out_ceiling)
        known = [plain(bound.value) for bound in bounds if bound is not None and not math.isnan(bound.value)]
        return " to ".join(known)


@dataclass(frozen=True)
class Shares:
    """Shares of the noise ceiling, for measures that have one."""

    rsa_spearman: Metric | None = None
    rsa_spearman_squared: Metric | None = None


@dataclass(frozen=True)
class Level:
    """Agreement with people of a model under a condition, or of an embedding of captions."""

    metrics: Row
    share_of_ceiling: Shares

    @classmethod
    def of(cls, row: Row, ceilings: Ceilings) -> Level:
        """A row beside its ceilings."""
        rsa, squared = ceilings.rsa_ceiling, ceilings.rsa_ceiling_squared
        return cls(
            row,
            Shares(
                None if rsa is None else row.rsa_spearman.over(rsa),
                None if squared is None else row.rsa_spearman_squared.over(squared),
            ),
        )


@dataclass(frozen=True)
class ProtocolResults:
    """One protocol of the table.

    Attributes:
        ceilings: noise ceilings.
        captions: the caption encoder's level; None where the experiment has none.
        models: model -> condition -> its level.
        differences: model -> ``"hybrid - shuffled"`` and the like -> paired differences.
    """

    ceilings: Ceilings
    captions: Level | None = field(default=None, kw_only=True)
    models: dict[str, dict[str, Level]]
    differences: dict[str, dict[str, Row]]


@dataclass(frozen=True)
class ResultsTable:
    """Protocol -> results of the finished cells; ``seeds`` of each figure tells which those are."""

    protocols: dict[str, ProtocolResults]

    def to_json(self) -> dict[str, Any]:
        """JSON types only; NaN is null."""
        return to_json(self)

    @classmethod
    def from_json(cls, value: object) -> ResultsTable:
        """What :meth:`to_json` wrote."""
        return from_json(cls, value)
