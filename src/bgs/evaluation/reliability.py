"""The noise ceiling of an RSA: the correlation of the best fixed prediction of pairs with the human RDM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bgs._typing import Bool, Float64, Int
from bgs.evaluation.designs import DESIGNS, NO_INTERVAL, headline, intervals, reaches
from bgs.evaluation.protocols import Protocol
from bgs.evaluation.result import Interval, Metric
from bgs.evaluation.showings import Showings

_FEW_PAIRS = 0.5


def rsa_ceiling(protocol: Protocol, showings: Showings | None = None) -> tuple[dict[str, Metric], list[str]]:
    """Reliability of the human RDM, and the correlation of each pair's *expected* proportion with it.

    The expected proportion f of a pair over people and third clips is the best possible fixed prediction of
    pairs. Its correlation with the observed RDM D is √(σ_f² / Var(D)), since D has the mean f. Var(D) is
    observed. σ_f² is the mean product of two judgments of one pair, as deviations from the mean, by *different people in
    different triplets*, which share only the pair. The split-half correlation over people
    instead counts effects of the third clip as reliable if people judge the same triplets, and ignores pairs that
    one half did not see. Two different third clips of K are slightly less similar than two independently drawn ones, so
    one K-th of σ_f² is the mean product of judgments by different people in the *same* triplet, if there are any.

    Judgments of pairs of the RDM are used whatever their third clip, so ``held-out-trials`` estimates σ_f² from all
    judgments that show both clips. Pairs are weighted by the square root of their number of comparisons, between the
    optimal weights if judgments are pure noise (the number) and if they are noise-free (one). This assumes that the
    number of times a pair was shown is unrelated to the similarity of its clips, as in any random design.

    The interval generalises over clips, people and answers (only clips and answers with few participants, see
    :mod:`bgs.evaluation.designs`): t · SE in the logarithm of 1 − the squared ceiling, SE from the influence of each judgment
    (:meth:`bgs.evaluation.showings.Showings.variance`).

    This is derived for Pearson's correlation, and the same ceiling is used for Spearman's: in three simulated worlds
    with the design of the published data, expected proportions reached it within 1.5 % with either, and within .3 % in
    dense designs, where that is half of a narrow interval (``docs/statistics.md``).

    Args:
        protocol: the judgments, from :func:`bgs.evaluation.protocols.select_protocol`.
        showings: their showings of pairs, if these are known already.

    Returns:
        Metrics ``rsa_reliability`` (≤ 1; negative if there is no agreement), ``rsa_ceiling`` and
        ``rsa_ceiling_squared`` (0–1), and warnings. NaN, with a warning, if no pair was judged by two people in two
        different triplets, or if dissimilarities do not vary.
    """
    showings = Showings.of(protocol) if showings is None else showings
    reliability = Reliability(showings)
    value, comparable = reliability.value, float(reliability.comparable.mean())
    reliabilities = reliability.intervals()
    shown = headline(showings.n_participants)
    ceilings = {name: _squared(interval) for name, interval in reliabilities.items()}
    square = float(np.clip(value, 0.0, 1.0))  # preserves NaN
    n, roots = len(showings), {name: (low**0.5, high**0.5) for name, (low, high) in ceilings.items()}
    metrics = {
        "rsa_reliability": Metric(min(value, 1.0), *reliabilities[shown], n, "reliability", reliabilities),
        "rsa_ceiling": Metric(square**0.5, *roots[shown], n, "Spearman rho", roots),
        "rsa_ceiling_squared": Metric(square, *ceilings[shown], n, "rho squared", ceilings),
    }
    return metrics, _warnings(value, comparable)


def _squared(interval: Interval) -> Interval:
    low, high = np.clip(interval, 0.0, 1.0).tolist()
    return low, high


def _interval(value: float, reach: float) -> tuple[float, float]:
    """value ± reach, computed on log(1 − value), since values near 1 can hardly increase.

    If reach is at least 1 − value, the logarithm is not meaningful: value − reach to 1.
    """
    if value + reach >= 1:
        return value - reach, 1.0
    rest, factor = 1.0 - value, float(np.exp(reach / (1.0 - value)))
    return 1.0 - rest * factor, 1.0 - rest / factor


def _warnings(value: float, comparable: float) -> list[str]:
    if comparable == 0:
        return [
            "RSA ceiling: not available because no pair was judged by two people in two different triplets: effects "
            "of the pair cannot be separated from those of the third clip"
        ]
    if not np.isfinite(value):
        return ["RSA ceiling: not available because human dissimilarities do not vary"]
    if comparable < _FEW_PAIRS:
        return [
            f"RSA ceiling: only {comparable:.0%} of the pairs were judged by two people in two different triplets, so it "
            "applies to these pairs"
        ]
    return []


@dataclass(frozen=True)
class Reliability:
    """σ_f² / Var(D) of a human RDM, and the influence of each showing of a pair on it."""

    showings: Showings

    @cached_property
    def value(self) -> float:
        """The unbounded estimate; NaN without comparisons or variance."""
        variance = float(self.showings.dissimilarity.var())
        signal = sum(share * products.mean for share, products in self._signals())
        return signal / variance if variance > 0 and self.comparable.any() else float("nan")

    def intervals(self) -> dict[str, Interval]:
        """Intervals of each design of :data:`bgs.evaluation.designs.DESIGNS`; NaN with too few clips or participants."""
        value, showings = self.value, self.showings
        if not np.isfinite(value):
            return dict.fromkeys(DESIGNS, NO_INTERVAL)
        sizes = showings.n_clips, showings.n_participants
        reach = reaches(showings.variance(self.influence()), *sizes)
        return intervals(reach, lambda half: _interval(value, half), *sizes)

    @property
    def comparable(self) -> Bool[np.ndarray, " p"]:
        """(p,) pairs judged by two people in two different triplets."""
        return self.elsewhere.comparisons > 0

    def influence(self) -> Float64[np.ndarray, " k"]:
        """(k,) influence of each showing on the value, through its judgment and the weight of its pair."""
        showings, rdm = self.showings, self.showings.dissimilarity
        variance, pair, away = rdm.var(), showings.pair, rdm - rdm.mean()
        of_variance = 2 * away[pair] * (showings.apart - rdm[pair]) + (away**2 - variance)[pair]
        of_variance *= showings.own / showings.shown[pair] / len(rdm)
        of_signal = sum(share * products.influence() for share, products in self._signals())
        influence: Float64[np.ndarray, " k"] = (of_signal - self.value * of_variance) / variance
        return influence

    @property
    def elsewhere(self) -> _Products:
        """Products with judgments of the pair by other people in other triplets."""
        return self._products[0]

    @property
    def again(self) -> _Products:
        """Products with judgments of the pair by other people in the same triplet."""
        return self._products[1]

    @cached_property
    def _products(self) -> tuple[_Products, _Products]:
        """With judgments in other triplets, and in the same triplet.

        For the former, those in the same triplet and those by the same person are subtracted from all showings of the pair, and
        those that are both are added back.
        """
        pair, triplet, person, both = self._cells()
        others = ((1.0, pair), (-1.0, triplet), (-1.0, person), (1.0, both))
        return _Products.of(self.showings, others), _Products.of(
            self.showings, ((1.0, triplet), (-1.0, both))
        )

    def _signals(self) -> list[tuple[float, _Products]]:
        """Terms of σ_f² with their weights: products of judgments in different triplets, and in the same triplet."""
        again = 1.0 / self.showings.n_thirds if self.again.comparisons.any() else 0.0
        return [(1.0 - again, self.elsewhere), (again, self.again)]

    def _cells(self) -> tuple[Int[np.ndarray, " k"], ...]:
        """(k,) codes of the pair, of pair and triplet, of pair and person, and of all three."""
        pair, person = self.showings.pair, self.showings.person
        triplet, people = pair * (self.showings.triplet.max() + 1) + self.showings.triplet, person.max() + 1
        cells = triplet, pair * people + person, triplet * people + person
        return pair, *(np.unique(cell, return_inverse=True)[1] for cell in cells)


@dataclass(frozen=True)
class _Products:
    """Products of two judgments of one pair, as deviations from the mean, over a set of partners.

    Attributes:
        pair: (k,) pair of each showing.
        apart: (k,) judgment of each showing.
        centre: weighted mean of the judgments of pairs.
        partners: (k,) number of partners of each showing.
        sums: (k,) sum of their deviations.
        comparisons: (p,) number of partners of all showings of each pair.
    """

    pair: Int[np.ndarray, " k"]
    apart: Float64[np.ndarray, " k"]
    centre: float
    partners: Float64[np.ndarray, " k"]
    sums: Float64[np.ndarray, " k"]
    comparisons: Float64[np.ndarray, " p"]

    @classmethod
    def of(cls, showings: Showings, cells: Sequence[tuple[float, Int[np.ndarray, " k"]]]) -> _Products:
        """Partners are the showings in the same cells, added or subtracted by sign."""
        pair, n_pairs = showings.pair, len(showings)

        def over_partners(values: Float64[np.ndarray, " k"]) -> Float64[np.ndarray, " k"]:
            total: Float64[np.ndarray, " k"] = sum(
                sign * np.bincount(cell, values)[cell] for sign, cell in cells
            )
            return total

        partners = over_partners(np.ones(len(pair))).round()
        comparisons = np.bincount(pair, partners, n_pairs)
        shares = np.bincount(pair, showings.apart, n_pairs) / np.bincount(pair, minlength=n_pairs)
        mean = float(np.average(shares, weights=np.sqrt(comparisons))) if comparisons.any() else 0.0
        sums = over_partners(showings.apart - mean)
        return cls(pair, showings.apart, mean, partners, sums, comparisons)

    @property
    def deviations(self) -> Float64[np.ndarray, " k"]:
        """(k,) deviation of each judgment from the centre."""
        return self.apart - self.centre

    @property
    def weights(self) -> Float64[np.ndarray, " p"]:
        """(p,) weights of pairs, summing to 1 (0 without comparisons)."""
        roots = np.sqrt(self.comparisons)
        weights: Float64[np.ndarray, " p"] = roots / max(roots.sum(), 1.0)
        return weights

    @property
    def of_pairs(self) -> Float64[np.ndarray, " p"]:
        """(p,) mean product of each pair, 0 if it has none."""
        products = np.bincount(self.pair, self.deviations * self.sums, len(self.comparisons))
        means: Float64[np.ndarray, " p"] = np.divide(
            products, self.comparisons, out=np.zeros_like(products), where=self.comparisons > 0
        )
        return means

    @property
    def mean(self) -> float:
        """Weighted mean over pairs; 0 without comparisons."""
        return float(self.weights @ self.of_pairs)

    def influence(self) -> Float64[np.ndarray, " k"]:
        """(k,) influence of each showing on :attr:`mean`."""
        weights, means, pair = self.weights, self.of_pairs, self.pair
        share = np.divide(weights, self.comparisons, out=np.zeros_like(weights), where=self.comparisons > 0)
        own = 2 * share[pair] * (self.deviations * self.sums - means[pair] * self.partners)
        influence: Float64[np.ndarray, " k"] = own + (weights * (means - self.mean) / np.bincount(pair))[pair]
        return influence
