"""Bootstrap of clips and of single units (pairs, triplets), with intervals.

Intervals are percentiles of the draws, shifted to the point estimate (:func:`shifted`) and scaled to the target variance
(:func:`clip_spread`, :func:`refitted_spread`). Agreement with people needs no resampling: see
:mod:`bgs.evaluation.comparison`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bgs._rng import generator
from bgs._typing import Float64
from bgs.evaluation.result import Interval

_TAILS = (0.025, 0.975)

#: A statistic of a resample, as a function of the multiplicities of clips and units (pairs, triplets); None: once each.
Statistic = Callable[
    [Float64[np.ndarray, " m"] | None, Float64[np.ndarray, " u"] | None], Float64[np.ndarray, "..."]
]


def multiplicities(rng: np.random.Generator, n: int, resamples: int) -> Float64[np.ndarray, "r n"]:
    """How often each of n members is in each sample of n drawn with replacement.

    The same numbers whether samples are drawn at once or one by one.
    """
    drawn = rng.integers(n, size=(resamples, n)) + n * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=resamples * n).reshape(resamples, n).astype(np.float64)


def bootstrap(
    statistic: Statistic, n_clips: int, n_units: int, *, design: str, resamples: int, seed: int
) -> Float64[np.ndarray, "r ..."]:
    """A statistic over resamples, computed one by one, so that memory does not grow with their number except for the result.

    All values returned by a statistic use the same resamples, so their differences are paired.

    Args:
        statistic: called with the multiplicities of clips and of units, one of which is None; returns an array.
        n_clips, n_units: sizes of the two samples.
        design: what is resampled, "clips" or "units".
        resamples: number of resamples, at least 1.
        seed: random seed; clips and units have separate streams.

    Returns:
        (r, …) the statistic of each resample; all NaN with fewer than two members to draw from,
        since one member carries no information about variation.
    """
    n = {"clips": n_clips, "units": n_units}[design]
    stream = generator(seed, "bootstrap", {"clips": "clips", "units": "participants"}[design])
    drawn = (multiplicities(stream, n, 1)[0] for _ in range(resamples))
    draws = np.stack([statistic(one, None) if design == "clips" else statistic(None, one) for one in drawn])
    return draws if n > 1 else np.full_like(draws, np.nan)


def clip_copies(n: int, resamples: int, seed: int) -> Float64[np.ndarray, "r n"]:
    """How often each of n clips is in each resample, for all resamples of :func:`bootstrap` at once.

    All NaN for a single clip.
    """
    stream = generator(seed, "bootstrap", "clips")
    if n < 2:
        return np.full((resamples, n), np.nan)
    return multiplicities(stream, n, resamples)


def shifted(draws: Float64[np.ndarray, " r"], value: float) -> Float64[np.ndarray, " r"]:
    """Draws shifted so that their mean is the point estimate; undefined draws (NaN) remain undefined.

    A resample contains about 63 % of the participants, so a pair's dissimilarity is based on fewer people and is
    noisier: bootstrapped correlations lie below the estimate instead of around it, and plain percentiles would
    miss it. Shifting the draws removes that bias and preserves their spread.
    """
    defined = draws[np.isfinite(draws)]
    return draws - defined.mean() + value if len(defined) else draws


def percentile_interval(
    draws: Float64[np.ndarray, " r"], value: float, bounds: tuple[float, float], *, spread: float = 1.0
) -> Interval:
    """95 % percentile interval of the shifted draws (see :func:`shifted`), within the metric's range.

    Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 13, after removal of the bootstrap bias.

    Args:
        draws: (r,) the statistic over resamples; undefined ones (NaN) are ignored.
        value: the point estimate.
        bounds: minimum and maximum possible value of the metric.
        spread: factor on the distance of the draws from the value.

    Returns:
        Low and high; NaN if the value or more than half of the draws are undefined.
    """
    moved = shifted(draws, value)
    moved = moved[np.isfinite(moved)]
    if not np.isfinite(value) or 2 * len(moved) < len(draws):
        return float("nan"), float("nan")
    low, high = np.clip(value + spread * (np.quantile(moved, _TAILS) - value), *bounds)
    return float(low), float(high)


def without_each(statistic: Statistic, n_clips: int) -> Float64[np.ndarray, "n ..."]:
    """(n, …) leave-one-clip-out values of a statistic."""
    return np.stack([statistic(row, None) for row in 1.0 - np.eye(n_clips)])


def clip_spread(
    draws: Float64[np.ndarray, " r"],
    without: Float64[np.ndarray, " n"],
    units: Float64[np.ndarray, " s"],
    clips_a_unit: int = 2,
) -> float:
    """Factor on the clip draws of a statistic of pairs (or triplets) whose individual judges are unknown.

    The multiplicity of a pair in a resample is the product of its clips' copies, so raw draws count the noise j of single
    pairs three times (Owen 2007, Annals of Applied Statistics 1:386). The jackknife over
    clips (with k per unit) has variance c + k·j, the bootstrap of units has j, and the draws are scaled
    to max(c + j, j). For pairs this is the variance of Aronow, Samii & Assenova 2015 (Political Analysis 23:564), but
    for terms of higher order.

    Args:
        draws: (r,) the statistic over resamples of clips.
        without: (n,) leave-one-clip-out values (:func:`without_each`).
        units: (s,) the statistic over resamples of single pairs (triplets).
        clips_a_unit: k, 2 for pairs, 3 for triplets.

    Returns:
        The factor, including :func:`few_clips`; only that if draws are NaN or infinite.
    """
    noise, n = _variance(units), len(without)
    wanted = max((n - 1) * _variance(without) - (clips_a_unit - 1) * noise, noise)
    return few_clips(n) * _ratio(wanted, _variance(draws))


def few_clips(n: int) -> float:
    """Ratio of the widths of a t-interval and a normal interval: t(n − 1) / 1.96.

    Hesterberg 2015, The American Statistician 69:371.
    """
    from scipy.special import ndtri

    return t_quantile(n - 1) / float(ndtri(_TAILS[1])) if n > 1 else 1.0


def t_quantile(degrees: int) -> float:
    """97.5 % quantile of Student's t; NaN without degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, _TAILS[1])) if degrees > 0 else float("nan")


def _ratio(wanted: float, raw: float) -> float:
    """Square root of a ratio of variances; 1 if undefined."""
    return float(np.sqrt(wanted / raw)) if raw > 0 and np.isfinite(wanted) else 1.0


def refitted_spread(
    draws: Float64[np.ndarray, " r"], without: Float64[np.ndarray, " n"] | None, n: int
) -> float:
    """Factor on the draws of a prediction score, for predictors fitted to the same clips.

    Resampling predictions ignores that other clips would have given other predictors, so intervals of
    cross-validated scores are too narrow (Bates, Hastie & Tibshirani 2023, JASA 119:1434). The draws are
    widened to the standard deviation of the jackknife with refitting: (n − 1)/n Σ (T_(−i) − mean)²
    (Efron & Tibshirani 1993, ch. 11), never narrowed.

    Args:
        draws: (r,) the score over resamples of predictions.
        without: (n,) leave-one-clip-out scores; None if predictors were trained on other clips.
        n: number of scored clips.

    Returns:
        The factor, including :func:`few_clips`.
    """
    raw = _variance(draws)
    wanted = raw * n / max(n - 1, 1) if without is None else max((n - 1) * _variance(without), raw)
    return few_clips(n) * _ratio(wanted, raw)


def two_sided_p(draws: Float64[np.ndarray, " r"], value: float, *, spread: float = 1.0) -> float:
    """Bootstrap p-value of "the difference is 0": twice the smaller proportion of shifted draws on either side of 0.

    Inverts :func:`percentile_interval`: below .05 if the interval excludes 0. Never 0.

    Returns:
        2/(r + 1) to 1; NaN if the value or more than half of the draws are undefined.
    """
    moved = shifted(draws, value)
    moved = value + spread * (moved[np.isfinite(moved)] - value)
    if not np.isfinite(value) or 2 * len(moved) < len(draws):
        return float("nan")
    rarer = min(int((moved <= 0).sum()), int((moved >= 0).sum()))
    return min(1.0, 2 * (1 + rarer) / (1 + len(moved)))


def _variance(draws: Float64[np.ndarray, " r"]) -> float:
    defined = draws[np.isfinite(draws)]
    return float(defined.var()) if len(defined) else float("nan")
