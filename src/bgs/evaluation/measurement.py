"""From a comparison to metrics: values, intervals of every design, squares and paired differences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bgs._typing import Float64
from bgs.evaluation.comparison import MEASURES, Comparison
from bgs.evaluation.resampling import DESIGNS, bootstrap, design_intervals, shifted, t_quantile
from bgs.evaluation.result import Interval, Metric
from bgs.evaluation.variance_components import REST, variance_of_mean

#: Unit and range of each measure.
_UNITS: dict[str, tuple[str, Interval]] = {
    "rsa_spearman": ("Spearman rho", (-1.0, 1.0)),
    "rsa_spearman_squared": ("rho squared", (0.0, 1.0)),
    "rsa_pearson": ("Pearson r", (-1.0, 1.0)),
    "rsa_pearson_squared": ("r squared", (0.0, 1.0)),
    "odd_one_out_3afc": ("proportion of trials (chance 1/3)", (0.0, 1.0)),
    "odd_one_out_two_way": ("proportion of comparisons (chance 1/2)", (0.0, 1.0)),
}

#: What each design draws anew, of the parts of the variance of an accuracy.
_PARTS = {
    "clips": ("clips", "pairs", REST),
    "participants": ("people", REST),
    "both": ("clips", "pairs", "people", REST),
}

#: Fewer participants are no sample of people: figures are then about clips only.
FEW_PARTICIPANTS = 6
#: Fewer clips do not tell how far a figure would move with others: there is no interval (docs/statistics.md).
FEW_CLIPS = 12
#: Fewer trials in which two models differ do not tell how much they differ.
FEW_DISCORDANT = 10

_NONE: Interval = (float("nan"), float("nan"))


@dataclass(frozen=True)
class Measurement:
    """e models on one set of judgments, with what their intervals need.

    Correlations are resampled: percentiles of a bootstrap over clips and participants, the same resamples for every
    model (:mod:`bgs.evaluation.resampling`). Accuracies are means over trials, whose variance is known from its
    components (:mod:`bgs.evaluation.variance_components`): value ± t · SE. The headline interval is over clips and
    participants, or over clips alone where there are fewer than :data:`FEW_PARTICIPANTS`.

    Attributes:
        comparison: models and judgments.
        values: (4, e) :data:`bgs.evaluation.comparison.MEASURES` of every model.
        draws: design -> (r, 2, e) the two correlations over resamples.
    """

    comparison: Comparison
    values: Float64[np.ndarray, "4 e"]
    draws: Mapping[str, Float64[np.ndarray, "r 2 e"]]

    @classmethod
    def of(cls, comparison: Comparison, *, resamples: int, seed: int) -> Measurement:
        """Measure, and resample."""
        sizes = comparison.n_clips, comparison.pairs.n_participants
        draws = {
            design: bootstrap(comparison.rsa, *sizes, design=design, resamples=resamples, seed=seed)
            for design in DESIGNS
        }
        return cls(comparison, comparison(), draws)

    @property
    def headline(self) -> str:
        """The design whose interval is a metric's ``low`` and ``high``."""
        return "both" if self.comparison.pairs.n_participants >= FEW_PARTICIPANTS else "clips"

    def metrics(self, model: int) -> dict[str, Metric]:
        """Metrics of one model, correlations squared too."""
        metrics = {}
        for row, name in enumerate(MEASURES):
            value = float(self.values[row, model])
            if row < 2:
                draws = {design: sample[:, row, model] for design, sample in self.draws.items()}
                intervals = self._resampled(name, value, draws)
                squares = {design: _square(interval) for design, interval in intervals.items()}
                metrics[name] = self._metric(name, value, intervals)
                metrics[f"{name}_squared"] = self._metric(f"{name}_squared", value**2, squares)
            else:
                intervals = self._from_components(name, self.comparison.scores[model, row - 2])
                metrics[name] = self._metric(name, value, intervals)
        return metrics

    def difference(self, first: int, second: int) -> dict[str, Metric]:
        """First model minus second, on the same resamples and trials: what both share, clips and people, cancels."""
        differences = {}
        for row, name in enumerate(MEASURES):
            one, other = self.values[row, [first, second]].tolist()
            if row < 2:
                pair = {
                    design: [
                        shifted(sample[:, row, model], value)
                        for model, value in ((first, one), (second, other))
                    ]
                    for design, sample in self.draws.items()
                }
                for key, power in ((name, 1), (f"{name}_squared", 2)):
                    apart = {design: a**power - b**power for design, (a, b) in pair.items()}
                    value = one**power - other**power
                    differences[key] = self._difference(key, value, self._resampled(key, value, apart, 2.0))
            else:
                scores = self.comparison.scores[first, row - 2] - self.comparison.scores[second, row - 2]
                intervals = self._from_components(name, scores, difference=True)
                differences[name] = self._difference(name, one - other, intervals)
        return differences

    def warnings(self) -> list[str]:
        """What the sizes of the samples do to the intervals."""
        comparison, people = self.comparison, self.comparison.pairs.n_participants
        found = []
        if people < FEW_PARTICIPANTS:
            who = "one participant" if people == 1 else f"{people} participants"
            found.append(f"{who}: too few to speak about others, so intervals are over clips only")
        if comparison.n_clips < FEW_CLIPS:
            found.append(
                f"{comparison.n_clips} clips: too few to tell how far figures would move with others, so there are no "
                f"intervals (they need {FEW_CLIPS})"
            )
        return found

    def _resampled(
        self, name: str, value: float, draws: Mapping[str, Float64[np.ndarray, " r"]], span: float = 1.0
    ) -> dict[str, Interval]:
        low, high = _UNITS[name][1]
        if span > 1.0:
            low, high = low - high, high - low
        return self._known(design_intervals(draws, value, (low, high)))

    def _from_components(
        self, name: str, scores: Float64[np.ndarray, " t"], *, difference: bool = False
    ) -> dict[str, Interval]:
        """value ± t · SE of each design, for a mean over the complete trials."""
        comparison, bounds = self.comparison, (-1.0, 1.0) if difference else _UNITS[name][1]
        parts = variance_of_mean(scores, comparison.judged_by)
        degrees = {"clips": comparison.n_clips - 1, "participants": comparison.pairs.n_participants - 1}
        degrees["both"] = min(degrees.values())
        value = float(scores.mean()) if len(scores) else float("nan")
        intervals = {}
        for design, names in _PARTS.items():
            reach = t_quantile(degrees[design]) * np.sqrt(sum(parts[part] for part in names))
            low, high = np.clip([value - reach, value + reach], *bounds).tolist()
            intervals[design] = (low, high)
        if difference and 0 < np.count_nonzero(scores) < FEW_DISCORDANT:
            return dict.fromkeys(DESIGNS, _NONE)
        return self._known(intervals)

    def _known(self, intervals: Mapping[str, Interval]) -> dict[str, Interval]:
        """Only the intervals that the samples are large enough for."""
        few_clips = self.comparison.n_clips < FEW_CLIPS
        few_people = self.comparison.pairs.n_participants < FEW_PARTICIPANTS
        return {
            design: _NONE if few_clips or (few_people and design != "clips") else interval
            for design, interval in intervals.items()
        }

    def _difference(self, name: str, value: float, intervals: dict[str, Interval]) -> Metric:
        metric = self._metric(name, value, intervals)
        return Metric(value, metric.low, metric.high, metric.n, f"difference in {metric.unit}", intervals)

    def _metric(self, name: str, value: float, intervals: dict[str, Interval]) -> Metric:
        n = len(self.comparison.pairs) if name.startswith("rsa") else len(self.comparison.triplets)
        return Metric(value, *intervals[self.headline], n, _UNITS[name][0], intervals)


def _square(interval: Interval) -> Interval:
    """The interval of the square: from 0 where the interval spans 0."""
    squares = sorted(bound**2 for bound in interval)
    return (0.0 if interval[0] <= 0 <= interval[1] else squares[0], squares[1])
