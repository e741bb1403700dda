"""The noise ceiling of an RSA: how well the best fixed prediction of pairs would correlate with this human RDM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bgs._typing import Bool, Float64, Int
from bgs.evaluation.protocols import Protocol
from bgs.evaluation.resampling import t_quantile
from bgs.evaluation.result import Metric
from bgs.evaluation.variance_components import membership, variance_of_mean
from bgs.judgments.trials import KEPT_PAIR

_FEW_PAIRS = 0.5


def rsa_ceiling(protocol: Protocol) -> tuple[dict[str, Metric], list[str]]:
    """Reliability of the human RDM, and the correlation that each pair's *expected* share would reach with it.

    The share f of a pair that is expected over people and third clips is the best that any fixed prediction of pairs can
    be. Its correlation with the observed RDM D is √(σ_f² / Var(D)), since D has the mean f. Var(D) is there to
    see. σ_f² is the mean product of two judgments of one pair, as deviations from the mean, by *different people in
    different triplets*: all that two such judgments have in common is the pair. Correlating two halves of the people
    instead takes for reliable what the third clip does, wherever people judge the same triplets, and leaves out pairs that
    one half did not see. Two different third clips of K are a little less alike than two drawn freely, so one K-th of
    σ_f² is the mean product of judgments by different people in the *same* triplet, where there are any.

    Judgments of pairs of the RDM count whatever their third clip, so ``held-out-trials`` learns σ_f² from all
    judgments that show both clips. A pair weighs as the root of its number of comparisons, between the best weights where
    judgments are noise (the number) and where they are not (one). That takes for granted that how often a pair
    was shown has nothing to do with how alike its clips are, as in any random design.

    The interval is about other clips, people and answers: ± t · SE on the squared ceiling, SE from the influence of each
    judgment. Parts for clips and for single pairs by :func:`bgs.evaluation.variance_components.variance_of_mean`; what
    judgments of one person have in common beyond their clips by Cameron, Gelbach & Miller 2011 (Journal of Business
    & Economic Statistics 29:238).

    For rank correlations the ceiling is the same number: in three worlds with the design of the published data, expected
    shares reached it within 2 % (``docs/statistics.md``).

    Args:
        protocol: the judgments, from :func:`bgs.evaluation.protocols.select_protocol`.

    Returns:
        Metrics ``rsa_reliability`` (≤ 1; negative where people agree on no pair), ``rsa_ceiling`` and
        ``rsa_ceiling_squared`` (0–1), and warnings. NaN, with a warning, where no pair was judged by two people in two
        different triplets, or where dissimilarities do not vary.
    """
    showings = Showings.of(protocol)
    value, comparable = showings.reliability(), float(showings.comparable.mean())
    se = showings.standard_error() if np.isfinite(value) else float("nan")
    reach = t_quantile(showings.n_clips - 1) * se
    bounds = [value, max(value - reach, -1.0), min(value + reach, 1.0)]
    squared = [float(np.clip(x, 0.0, 1.0)) for x in bounds]  # NaN stays NaN
    metrics = {
        name: _metric(numbers, len(showings.first), unit)
        for name, numbers, unit in (
            ("rsa_reliability", [min(bounds[0], 1.0), *bounds[1:]], "reliability"),
            ("rsa_ceiling", np.sqrt(squared).tolist(), "Spearman rho"),
            ("rsa_ceiling_squared", squared, "rho squared"),
        )
    }
    return metrics, _warnings(value, comparable)


def _warnings(value: float, comparable: float) -> list[str]:
    if comparable == 0:
        return [
            "RSA ceiling: no pair was judged by two people in two different triplets, so there is none: what "
            "belongs to a pair cannot be told from what belongs to its third clip"
        ]
    if not np.isfinite(value):
        return ["RSA ceiling: human dissimilarities do not vary, so there is none"]
    if comparable < _FEW_PAIRS:
        return [
            f"RSA ceiling: only {comparable:.0%} of the pairs were judged by two people in two different triplets, so it "
            "is that of these pairs"
        ]
    return []


def _metric(bounds: list[float], n: int, unit: str) -> Metric:
    value, low, high = bounds
    return Metric(value, low, high, n, unit, {"both": (low, high)})


@dataclass(frozen=True)
class Showings:
    """k showings of the p pairs of a human RDM, one row each time that a pair was shown.

    Attributes:
        first, second: (p,) the pair, as indices into the protocol's stimuli.
        n_clips: how many stimuli that are.
        n_thirds: how many third clips a pair is met with in the design.
        pair, triplet, person: (k,) which pair, in which triplet, to whom.
        apart: (k,) 1 where the pair was not kept, else 0.
        own: (k,) whether the judgment is one of those that make the RDM.
    """

    first: Int[np.ndarray, " p"]
    second: Int[np.ndarray, " p"]
    n_clips: int
    n_thirds: int
    pair: Int[np.ndarray, " k"]
    triplet: Int[np.ndarray, " k"]
    person: Int[np.ndarray, " k"]
    apart: Float64[np.ndarray, " k"]
    own: Bool[np.ndarray, " k"]

    @classmethod
    def of(cls, protocol: Protocol) -> Showings:
        """What the protocol's witnesses say about the pairs of its RDM."""
        size, judgments = len(protocol.positions), protocol.witnesses
        local = np.sort(protocol.local(judgments.stimuli)[:, np.array(KEPT_PAIR)], axis=2)  # (n, 3 slots, 2)
        inside = local[..., 0] >= 0
        code = local[..., 0] * size + local[..., 1]
        own = np.broadcast_to(protocol.own[:, None], inside.shape) & inside
        pairs = np.unique(code[own])
        inside &= np.isin(code, pairs)
        row = np.nonzero(inside)[0]
        _, triplet = np.unique(judgments.triplet_codes, return_inverse=True)
        return cls(
            first=pairs // size,
            second=pairs % size,
            n_clips=size,
            n_thirds=len(np.unique(judgments.stimuli)) - 2,
            pair=np.searchsorted(pairs, code[inside]),
            triplet=triplet.reshape(-1)[row],
            person=judgments.participant_codes[row],
            apart=(judgments.odd[:, None] != np.arange(3))[inside].astype(np.float64),
            own=own[inside],
        )

    def reliability(self) -> float:
        """σ_f² / Var(D), not bounded; NaN where there is nothing to compare or to explain."""
        variance = float(self._rdm()[1].var())
        signal = sum(share * products.mean for share, products in self._signals())
        return signal / variance if variance > 0 and self.comparable.any() else float("nan")

    def standard_error(self) -> float:
        """Of :meth:`reliability`, over clips, people and answers."""
        influence = self.influence()
        of_pair = np.bincount(self.pair, influence, len(self.first))
        clips = membership(np.stack([self.first, self.second], axis=1))
        # Influences sum to the deviation; their mean is that over p.
        parts = variance_of_mean(of_pair * len(of_pair), {"clips": clips})
        return float(np.sqrt(sum(parts.values()) + max(0.0, self._of_people(influence))))

    def influence(self) -> Float64[np.ndarray, " k"]:
        """(k,) by how much each showing moves the reliability: itself, and the weight of its pair."""
        shown, rdm = self._rdm()
        variance, pair, away = rdm.var(), self.pair, rdm - rdm.mean()
        of_variance = 2 * away[pair] * (self.apart - rdm[pair]) + (away**2 - variance)[pair]
        of_variance *= self.own / shown[pair] / len(rdm)
        of_signal = sum(share * products.influence() for share, products in self._signals())
        influence: Float64[np.ndarray, " k"] = (of_signal - self.reliability() * of_variance) / variance
        return influence

    @cached_property
    def comparable(self) -> Bool[np.ndarray, " p"]:
        """(p,) pairs judged by two people in two different triplets."""
        return self._elsewhere.comparisons > 0

    def _rdm(self) -> tuple[Float64[np.ndarray, " p"], Float64[np.ndarray, " p"]]:
        """(p,) times shown in the RDM's own judgments, and the dissimilarities."""
        pair, apart = self.pair[self.own], self.apart[self.own]
        shown = np.bincount(pair, minlength=len(self.first)).astype(np.float64)
        return shown, np.bincount(pair, apart, len(self.first)) / shown

    def _signals(self) -> list[tuple[float, _Products]]:
        """What σ_f² is made of, with its shares: products of judgments in different triplets, and in the same."""
        again = 1.0 / self.n_thirds if self._again.comparisons.any() else 0.0
        return [(1.0 - again, self._elsewhere), (again, self._again)]

    @cached_property
    def _elsewhere(self) -> _Products:
        """Judgments of a pair by other people in other triplets.

        Of all showings of the pair, take away those in the same triplet and those to the same person; what is both was
        taken away twice.
        """
        pair, triplet, person, both = self._cells()
        return _Products.of(self, ((1.0, pair), (-1.0, triplet), (-1.0, person), (1.0, both)))

    @cached_property
    def _again(self) -> _Products:
        """Judgments of a pair by other people in the same triplet."""
        _, triplet, _, both = self._cells()
        return _Products.of(self, ((1.0, triplet), (-1.0, both)))

    def _cells(self) -> tuple[Int[np.ndarray, " k"], ...]:
        """(k,) numbers of the pair, and of pair and triplet, pair and person, and all three."""
        triplet, people = self.pair * (self.triplet.max() + 1) + self.triplet, self.person.max() + 1
        cells = self.pair, triplet, self.pair * people + self.person, triplet * people + self.person
        return tuple(np.unique(cell, return_inverse=True)[1].reshape(-1) for cell in cells)

    def _of_people(self, influence: Float64[np.ndarray, " k"]) -> float:
        """Variance that one person's judgments give by hanging together where they share no clip."""
        size, clips = self.n_clips, np.stack([self.first, self.second])[:, self.pair]
        of_person = np.bincount(self.person, influence)
        _, person_clip = np.unique(self.person * size + clips, return_inverse=True)
        of_clip = np.bincount(person_clip.reshape(-1), np.tile(influence, 2))
        _, person_pair = np.unique(self.person * len(self.first) + self.pair, return_inverse=True)
        of_pair = np.bincount(person_pair, influence)
        # Two pairs share a clip: one of the sums over clips has their product; a pair with itself is in two.
        return float(of_person @ of_person - (of_clip @ of_clip - of_pair @ of_pair))


@dataclass(frozen=True)
class _Products:
    """Products of two judgments of one pair, as deviations from the mean, over partners of some kind.

    Attributes:
        pair: (k,) pair of each showing.
        deviations: (k,) of the judgment from the weighted mean of pairs.
        partners: (k,) number of partners of each showing.
        sums: (k,) sum of their deviations.
        comparisons: (p,) partners of all showings of each pair.
    """

    pair: Int[np.ndarray, " k"]
    deviations: Float64[np.ndarray, " k"]
    partners: Float64[np.ndarray, " k"]
    sums: Float64[np.ndarray, " k"]
    comparisons: Float64[np.ndarray, " p"]

    @classmethod
    def of(cls, showings: Showings, cells: Sequence[tuple[float, Int[np.ndarray, " k"]]]) -> _Products:
        """Partners are the showings in the cells of a showing, added and taken away by sign."""
        pair, n_pairs = showings.pair, len(showings.first)

        def over_partners(values: Float64[np.ndarray, " k"]) -> Float64[np.ndarray, " k"]:
            total: Float64[np.ndarray, " k"] = sum(
                sign * np.bincount(cell, values)[cell] for sign, cell in cells
            )
            return total

        partners = over_partners(np.ones(len(pair))).round()
        comparisons = np.bincount(pair, partners, n_pairs)
        shares = np.bincount(pair, showings.apart, n_pairs) / np.bincount(pair, minlength=n_pairs)
        mean = np.average(shares, weights=np.sqrt(comparisons)) if comparisons.any() else 0.0
        deviations = showings.apart - mean
        return cls(pair, deviations, partners, over_partners(deviations), comparisons)

    @property
    def weights(self) -> Float64[np.ndarray, " p"]:
        """(p,) weights of pairs, of sum 1 (0 where nothing can be compared)."""
        roots = np.sqrt(self.comparisons)
        return roots / roots.sum() if roots.any() else roots

    @property
    def of_pairs(self) -> Float64[np.ndarray, " p"]:
        """(p,) mean product of each pair, 0 where it has none."""
        products = np.bincount(self.pair, self.deviations * self.sums, len(self.comparisons))
        return np.divide(products, self.comparisons, out=np.zeros_like(products), where=self.comparisons > 0)

    @property
    def mean(self) -> float:
        """Weighted mean over pairs; 0 where nothing can be compared."""
        return float(self.weights @ self.of_pairs)

    def influence(self) -> Float64[np.ndarray, " k"]:
        """(k,) by how much each showing moves :attr:`mean`."""
        weights, means, pair = self.weights, self.of_pairs, self.pair
        share = np.divide(weights, self.comparisons, out=np.zeros_like(weights), where=self.comparisons > 0)
        own = 2 * share[pair] * (self.deviations * self.sums - means[pair] * self.partners)
        influence: Float64[np.ndarray, " k"] = own + (weights * (means - self.mean) / np.bincount(pair))[pair]
        return influence
