"""Comparison of models with people: metrics, and intervals that generalise over clips and people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bgs._typing import Float, Float64, Int
from bgs.evaluation.designs import (
    DESIGNS,
    FEW_CLIPS,
    FEW_PARTICIPANTS,
    bounded,
    headline,
    intervals,
    reaches,
    squared_interval,
)
from bgs.evaluation.influence import correlation_influences
from bgs.evaluation.odd_one_out import trial_scores
from bgs.evaluation.protocols import Protocol
from bgs.evaluation.result import Interval, Metric
from bgs.evaluation.rsa import pearson, spearman
from bgs.evaluation.showings import Showings
from bgs.evaluation.variance_components import Dependence
from bgs.judgments.trials import KEPT_PAIR

#: Measures of a :class:`Comparison`, in order, with unit and range.
MEASURES: dict[str, tuple[str, Interval]] = {
    "rsa_spearman": ("Spearman rho", (-1.0, 1.0)),
    "rsa_pearson": ("Pearson r", (-1.0, 1.0)),
    "odd_one_out_3afc": ("proportion of trials (chance 1/3)", (0.0, 1.0)),
    "odd_one_out_two_way": ("proportion of comparisons (chance 1/2)", (0.0, 1.0)),
}
_SQUARED = {"rsa_spearman": "rho squared", "rsa_pearson": "r squared"}


@dataclass(frozen=True)
class Comparison:
    """e models and one set of human judgments.

    Every metric is, to first order, a mean over pairs or trials. Its variance over new samples of clips and
    people follows from variance components (:mod:`bgs.evaluation.variance_components`), and intervals are value ± t · SE with
    n − 1 degrees of freedom for n clips (or participants, if fewer). There is no resampling, and the noise of a single
    judgment is counted once: a bootstrap over clips counts it three times for pairs and seven times for triplets.

    Attributes:
        showings: showings of the judged pairs.
        distances: (e, p) model distance of each pair.
        triplets: (t, 3) local stimulus indices of the complete trials.
        judge: (t,) participant of each trial.
        scores: (e, 2, t) three-way and two-way score of each trial.
        n_participants: number of participants with at least one judgment.
    """

    showings: Showings
    distances: Float64[np.ndarray, "e p"]
    triplets: Int[np.ndarray, "t 3"]
    judge: Int[np.ndarray, " t"]
    scores: Float64[np.ndarray, "e 2 t"]
    n_participants: int

    @classmethod
    def of(cls, protocol: Protocol, rdms: Float[np.ndarray, "e m m"]) -> Comparison:
        """Compare e model RDMs of the protocol's stimuli, in the protocol's order."""
        showings, trials = Showings.of(protocol), protocol.trials
        triplets = protocol.local(trials.stimuli)
        return cls(
            showings=showings,
            distances=rdms[:, showings.first, showings.second].astype(np.float64),
            triplets=triplets,
            judge=protocol.judgments.participant_codes[protocol.complete],
            scores=np.stack([trial_scores(rdm, triplets, trials.odd) for rdm in rdms]),
            n_participants=protocol.n_participants,
        )

    @property
    def n_clips(self) -> int:
        """Stimuli evaluated."""
        return self.showings.n_clips

    @cached_property
    def values(self) -> Float64[np.ndarray, "4 e"]:
        """:data:`MEASURES` of every model, NaN where undefined."""
        human, n_trials = self.showings.dissimilarity, len(self.triplets)
        rsa = [[of(row, human) for row in self.distances] for of in (spearman, pearson)]
        accuracy = self.scores.mean(axis=2).T if n_trials else np.full((2, len(self.scores)), np.nan)
        return np.concatenate([np.array(rsa), accuracy])

    def metrics(self, model: int) -> dict[str, Metric]:
        """Metrics of one model, including squared correlations."""
        metrics = {}
        for row, (name, (unit, bounds)) in enumerate(MEASURES.items()):
            value, reach = float(self.values[row, model]), self._reach(row, [model], [1.0])
            metrics[name] = self._metric(name, unit, value, reach, bounds)
            if name in _SQUARED:
                intervals = {
                    design: squared_interval(interval) for design, interval in metrics[name].intervals.items()
                }
                found = Metric(
                    value**2, *intervals[self.headline], metrics[name].n, _SQUARED[name], intervals
                )
                metrics[f"{name}_squared"] = found
        return metrics

    def difference(self, first: int, second: int) -> dict[str, Metric]:
        """First model minus second, paired: variance shared by both, from clips and people, cancels."""
        differences = {}
        for row, (name, (unit, _)) in enumerate(MEASURES.items()):
            one, other = self.values[row, [first, second]].tolist()
            reach = self._reach(row, [first, second], [1.0, -1.0])
            differences[name] = self._metric(
                name, f"difference in {unit}", one - other, reach, (-1.0, 1.0) if row >= 2 else (-2.0, 2.0)
            )
            if name in _SQUARED:  # d(ρ²) = 2 ρ dρ
                reach = self._reach(row, [first, second], [2 * one, -2 * other])
                differences[f"{name}_squared"] = self._metric(
                    name, f"difference in {_SQUARED[name]}", one**2 - other**2, reach, (-1.0, 1.0)
                )
        return differences

    def contrast(self, measure: str, weights: Mapping[int, float]) -> Metric:
        """A weighted sum of one measure over models, paired: a mean over seeds, say, minus that of another encoder.

        Args:
            measure: one of :data:`MEASURES`.
            weights: model -> weight, of sum 1, or 0 for a difference.
        """
        row, (unit, (low, high)) = list(MEASURES).index(measure), MEASURES[measure]
        models, weight = list(weights), list(weights.values())
        value = float(self.values[row, models] @ np.array(weight))
        bounds = (low - high, high - low) if abs(sum(weight)) < 1e-9 else (low, high)
        return self._metric(measure, unit, value, self._reach(row, models, weight), bounds)

    @property
    def headline(self) -> str:
        """The design whose interval is a metric's ``low`` and ``high``: only clips if there are few participants."""
        return headline(self.n_participants)

    def warnings(self) -> list[str]:
        """Warnings about small samples."""
        found = []
        if self.n_participants < FEW_PARTICIPANTS:
            who = "one participant" if self.n_participants == 1 else f"{self.n_participants} participants"
            found.append(f"{who}: too few to generalise over people, so intervals are over clips only")
        if self.n_clips < FEW_CLIPS:
            found.append(
                f"{self.n_clips} clips: too few to generalise over clips, so there are no "
                f"intervals (at least {FEW_CLIPS} are needed)"
            )
        return found

    @cached_property
    def _influences(self) -> Float64[np.ndarray, "e 2 k"]:
        """Influence of each showing on both correlations of each model."""
        return np.stack([correlation_influences(self.showings, row) for row in self.distances])

    @cached_property
    def _judged_by(self) -> Dependence:
        """Sources of dependence between complete trials: their three clips, three pairs, and people."""
        pairs = np.sort(self.triplets[:, np.array(KEPT_PAIR)], axis=2) @ np.array([self.n_clips, 1])
        return Dependence({"clips": self.triplets, "pairs": pairs, "people": self.judge[:, None]})

    def _reach(self, row: int, models: list[int], weights: list[float]) -> dict[str, float]:
        """Half the width of the interval of each design, for a weighted sum of a measure over models."""
        weight = np.array(weights)
        if not np.isfinite(weight).all():  # an undefined correlation
            return dict.fromkeys(DESIGNS, float("nan"))
        if row < 2:
            parts = self.showings.variance(_sum(weight, self._influences[models, row]))
        else:
            scores = _sum(weight, self.scores[models, row - 2])
            parts = self._judged_by.variance_of_mean(scores)
            if _alike(scores) and not _alike(_sum(weight, self.distances[models])):
                # With identical scores, the variance cannot be estimated.
                return dict.fromkeys(DESIGNS, float("nan"))
        return reaches(parts, self.n_clips, self.n_participants)

    def _metric(
        self, name: str, unit: str, value: float, reach: dict[str, float], bounds: Interval
    ) -> Metric:
        found = intervals(reach, lambda half: bounded(value, half, bounds), self.n_clips, self.n_participants)
        n = len(self.showings) if name.startswith("rsa") else len(self.triplets)
        return Metric(value, *found[self.headline], n, unit, found)


def _sum(weights: Float64[np.ndarray, " e"], rows: Float64[np.ndarray, "e n"]) -> Float64[np.ndarray, " n"]:
    """Weighted sum of rows; exactly 0 if a row is subtracted from itself."""
    total: Float64[np.ndarray, " n"] = (weights[:, None] * rows).sum(axis=0)
    return total


def _alike(values: Float64[np.ndarray, " n"]) -> bool:
    return not len(values) or float(np.ptp(values)) == 0.0
