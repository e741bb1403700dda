"""Cross-validation: every stimulus is held out once, and held-out pairs are pooled over folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bgs._errors import DataError
from bgs._rng import generator
from bgs._typing import Float, Float64, Int
from bgs.evaluation.rdm import pair_vector
from bgs.evaluation.resampled_spearman import ResampledSpearman
from bgs.evaluation.resampling import multiplicities, percentile_interval, shifted
from bgs.evaluation.result import Metric
from bgs.evaluation.rsa import dense_ranks


@dataclass(frozen=True)
class HeldOutFold:
    """The held-out stimuli of a fold, with human dissimilarities and model distances.

    Attributes:
        positions: (m,) positions in the stimulus set.
        human: (m, m) human dissimilarities, NaN where unknown.
        models: (e, m, m) distances of e models.
    """

    positions: Int[np.ndarray, " m"]
    human: Float[np.ndarray, "m m"]
    models: Float[np.ndarray, "e m m"]


@dataclass(frozen=True)
class _Prepared:
    first: Int[np.ndarray, " p"]
    second: Int[np.ndarray, " p"]
    ranked: ResampledSpearman

    @classmethod
    def of(cls, fold: HeldOutFold) -> _Prepared:
        rows, columns = np.triu_indices(len(fold.positions), 1)
        human = pair_vector(fold.human)
        known = np.isfinite(human)
        models = np.stack([dense_ranks(pair_vector(rdm)[known]) for rdm in fold.models])
        first, second = fold.positions[rows[known]], fold.positions[columns[known]]
        return cls(first, second, ResampledSpearman.of(models, dense_ranks(human[known])))

    def spearman(self, copies: Float64[np.ndarray, "r n"]) -> Float64[np.ndarray, "r e"]:
        return self.ranked.over_clips(copies, self.first, self.second)


def pooled_rsa(
    folds: Sequence[HeldOutFold], n_stimuli: int, *, resamples: int = 2000, seed: int = 0
) -> tuple[list[Metric], list[Metric]]:
    """Held-out Spearman RSA of e models over folds (and repeats with other seeds).

    Each fold has separately trained models, whose distances have no common scale, so pairs are ranked within their fold and
    correlations are averaged over folds. Intervals resample clips, the same clips in every fold and
    repeat, and are shifted percentiles (:func:`bgs.evaluation.resampling.percentile_interval`).

    Args:
        folds: every fold of every repeat, with the same models in the same order.
        n_stimuli: size of the stimulus set that ``positions`` index.
        resamples: bootstrap resamples of clips.
        seed: seed of the resamples.

    Returns:
        A metric per model and, for each model except the first, its paired difference from the first.

    Raises:
        DataError: there are no folds, or they have different numbers of models.
    """
    if not folds or len({len(fold.models) for fold in folds}) != 1:
        raise DataError(
            "folds do not match", expected="one or more folds with the same models", got=f"{len(folds)} folds"
        )
    prepared = [_Prepared.of(fold) for fold in folds]
    n_pairs = sum(len(fold.first) for fold in prepared)
    copies = multiplicities(generator(seed, "bootstrap", "folds"), n_stimuli, resamples)
    value = _mean([fold.spearman(np.ones((1, n_stimuli))) for fold in prepared])[0]
    draws = _mean([fold.spearman(copies) for fold in prepared])
    metrics = [
        _metric(value[i], draws[:, i], (-1.0, 1.0), n_pairs, "Spearman rho") for i in range(len(value))
    ]
    moved = np.stack([shifted(draws[:, i], float(value[i])) for i in range(len(value))], axis=1)
    differences = [
        _metric(
            value[i] - value[0], moved[:, i] - moved[:, 0], (-2.0, 2.0), n_pairs, "difference in Spearman rho"
        )
        for i in range(1, len(value))
    ]
    return metrics, differences


def _mean(correlations: Sequence[Float64[np.ndarray, "r e"]]) -> Float64[np.ndarray, "r e"]:
    """Mean over folds of each resample and model, ignoring NaN; NaN where undefined in all folds."""
    stacked = np.stack(correlations)
    defined = np.isfinite(stacked)
    total, count = np.where(defined, stacked, 0.0).sum(axis=0), defined.sum(axis=0)
    mean: Float64[np.ndarray, "r e"] = np.divide(
        total, count, out=np.full(total.shape, np.nan), where=count > 0
    )
    return mean


def _metric(
    value: float, draws: Float64[np.ndarray, " r"], bounds: tuple[float, float], n: int, unit: str
) -> Metric:
    low, high = percentile_interval(draws, float(value), bounds)
    return Metric(float(value), low, high, n, unit, {"clips": (low, high)})
