"""Analytic ceilings: the performance of the best possible model on simulated judgments, computed rather than estimated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bgs._typing import Bool, Float
from bgs.judgments import PairCounts, human_rdm
from bgs.judgments.trials import kept_pair_distances
from bgs.simulation.choice_shares import expected_choices, expected_rdm
from bgs.simulation.judging import SimulatedJudgments


@dataclass(frozen=True)
class AnalyticCeiling:
    """The best possible performance on the judgments of some clips.

    Attributes:
        n_trials: number of similarity judgments among the clips.
        n_pairs: number of pairs of clips that were shown.
        odd_one_out: maximum expected 3AFC accuracy of a fixed answer to each triplet shown, mean over trials of
            max_k p_k(t). Exact.
        odd_one_out_planted: the same for the answers of the planted distances. Exact.
        rsa_planted: Spearman correlation of planted distances with the RDM of infinitely many trials. Below 1, since how
            often a pair is kept also depends on the third clips. Exact.
        rsa_spearman: expected Spearman correlation of the RDM of infinitely many trials with the RDM of a table of this
            size: the mean over ``draws`` new tables by the same observers. The expected score of the truth; with
            almost no noise, a coarser model may score slightly higher, see docs/simulated-observers.md.
        rsa_spearman_low, rsa_spearman_high: 95 % interval of that expectation, mean ± t s / √draws.
        rsa_pearson: the same correlation of values, by formula: √(V / (V + E)), V the variance of D over pairs and E the
            mean of D (1 − D) / times shown, the binomial variance of an observed proportion.
        draws: number of new tables.
    """

    n_trials: int
    n_pairs: int
    odd_one_out: float
    odd_one_out_planted: float
    rsa_planted: float
    rsa_spearman: float
    rsa_spearman_low: float
    rsa_spearman_high: float
    rsa_pearson: float
    draws: int

    def to_json(self) -> dict[str, Any]:
        """JSON types only; NaN becomes null."""
        return {name: None if isinstance(x, float) and np.isnan(x) else x for name, x in asdict(self).items()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AnalyticCeiling:
        """Read what :meth:`to_json` wrote."""
        numbers: dict[str, Any] = {name: float("nan") if x is None else x for name, x in value.items()}
        return cls(**numbers)


def analytic_ceilings(judged: SimulatedJudgments, draws: int = 20) -> dict[str, AnalyticCeiling]:
    """Ceilings over all clips (``all``) and, with a split, over ``train`` and ``test`` clips.

    ``all`` pools the pairs of both sides, as the protocol of that name does.

    Args:
        judged: the simulated judgments.
        draws: number of new tables for the expected Spearman correlation; fewer than two give no interval.
    """
    rdm = expected_rdm(judged)
    parts = {"all": np.ones(len(rdm), dtype=bool), **judged.parts}
    tables = [human_rdm(PairCounts.from_trials(judged.again(draw))) for draw in range(draws)]
    ceilings = {}
    for name, clips in parts.items():
        reached = [rank_correlation(_pairs(rdm, clips), _pairs(observed, clips)) for observed in tables]
        ceilings[name] = _ceiling(judged, rdm, clips, np.array(reached))
    return ceilings


def _ceiling(
    judged: SimulatedJudgments,
    rdm: Float[np.ndarray, "n n"],
    clips: Bool[np.ndarray, " n"],
    reached: Float[np.ndarray, " r"],
) -> AnalyticCeiling:
    judgments = judged.trials.judgments.within(clips)
    chances = expected_choices(judged, judgments.stimuli)
    planted = kept_pair_distances(judged.rdm, judgments.stimuli).argmin(axis=1)
    counts = PairCounts.from_trials(judgments).shown.astype(np.float64)
    shown, expected = _pairs(counts, clips), _pairs(rdm, clips)
    mean, low, high = _expectation(reached)
    return AnalyticCeiling(
        n_trials=len(judgments),
        n_pairs=int((shown > 0).sum()),
        odd_one_out=_mean(chances.max(axis=1, initial=0.0)),
        odd_one_out_planted=_mean(np.take_along_axis(chances, planted[:, None], axis=1)[:, 0]),
        rsa_planted=rank_correlation(_pairs(judged.rdm, clips), expected),
        rsa_spearman=mean,
        rsa_spearman_low=low,
        rsa_spearman_high=high,
        rsa_pearson=_attenuated(expected[shown > 0], shown[shown > 0]),
        draws=len(reached),
    )


def _mean(values: Float[np.ndarray, " n"]) -> float:
    """Mean; NaN for an empty array."""
    return float(values.mean()) if len(values) else float("nan")


def _pairs(rdm: Float[np.ndarray, "n n"], clips: Bool[np.ndarray, " n"]) -> Float[np.ndarray, " p"]:
    part = rdm[np.ix_(clips, clips)]
    above: Float[np.ndarray, " p"] = part[np.triu_indices(len(part), 1)]
    return above


def _attenuated(expected: Float[np.ndarray, " p"], shown: Float[np.ndarray, " p"]) -> float:
    """Correlation of expected with observed proportions (classical test theory); NaN without variance."""
    if len(expected) < 2 or np.ptp(expected) < 1e-12:
        return float("nan")
    variance, noise = expected.var(), (expected * (1.0 - expected) / shown).mean()
    return float(np.sqrt(variance / (variance + noise)))


def rank_correlation(x: Float[np.ndarray, " p"], y: Float[np.ndarray, " p"]) -> float:
    """Spearman correlation over the pairs where neither is NaN; NaN if one side is constant."""
    from scipy.stats import rankdata

    seen = np.isfinite(x) & np.isfinite(y)
    if seen.sum() < 2 or np.ptp(x[seen]) == 0 or np.ptp(y[seen]) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(x[seen]), rankdata(y[seen]))[0, 1])


def _expectation(values: Float[np.ndarray, " r"]) -> tuple[float, float, float]:
    """Mean of the defined values and its 95 % interval, NaN for fewer than two."""
    from scipy.special import stdtrit

    defined = values[np.isfinite(values)]
    mean = _mean(defined)
    if len(defined) < 2:
        return mean, float("nan"), float("nan")
    reach = stdtrit(len(defined) - 1, 0.975) * defined.std(ddof=1) / np.sqrt(len(defined))
    return mean, float(max(mean - reach, -1.0)), float(min(mean + reach, 1.0))
