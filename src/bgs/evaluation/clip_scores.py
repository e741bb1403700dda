"""Scores that are sums over clips, computed for all resamples at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bgs._typing import Float, Float64, Int, Shaped
from bgs.evaluation.resampling import percentile_interval, refitted_spread, shifted, two_sided_p
from bgs.evaluation.result import Interval, Metric

#: A variance below this fraction of the second moment is rounding error of a constant.
_CONSTANT = 1e-12


def clip_pearson(
    x: Float[np.ndarray, "... n"], y: Float[np.ndarray, "... n"], copies: Float[np.ndarray, "r n"]
) -> Float64[np.ndarray, " r"]:
    """Pearson correlations with clip i repeated ``copies[:, i]`` times; NaN if one side is constant.

    Args:
        x, y: (n,) values, or (r, n) for different values in each resample.
        copies: (r, n) multiplicities.
    """
    total = copies.sum(axis=1)
    x, y = (_centred_rows(side) for side in (x, y))

    def mean(values: Float64[np.ndarray, "... n"]) -> Float64[np.ndarray, " r"]:
        means: Float64[np.ndarray, " r"] = (copies * values).sum(axis=1) / total
        return means

    mean_x, mean_y, square_x, square_y = mean(x), mean(y), mean(x * x), mean(y * y)
    variance_x, variance_y = square_x - mean_x**2, square_y - mean_y**2
    defined = (variance_x > _CONSTANT * square_x) & (variance_y > _CONSTANT * square_y)
    scale = np.sqrt(np.maximum(variance_x * variance_y, 0.0))
    r = np.divide(mean(x * y) - mean_x * mean_y, scale, out=np.full(len(copies), np.nan), where=defined)
    clipped: Float64[np.ndarray, " r"] = np.clip(r, -1.0, 1.0)
    return clipped


def column_correlations(
    x: Float64[np.ndarray, "n t"], y: Float64[np.ndarray, "n t"]
) -> Float64[np.ndarray, " t"]:
    """(t,) Pearson r of each column of x with that of y; undefined correlations (a side is constant) are 0."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    scale = np.sqrt((x**2).sum(axis=0) * (y**2).sum(axis=0))
    r: Float64[np.ndarray, " t"] = np.divide(
        (x * y).sum(axis=0), scale, out=np.zeros(x.shape[1]), where=scale > 0
    )
    return r


def _centred_rows(values: Float[np.ndarray, "... n"]) -> Float64[np.ndarray, "... n"]:
    """Rows minus their mean; exactly zero for constant rows."""
    moved = values.astype(np.float64) - values[..., :1]
    rows: Float64[np.ndarray, "... n"] = moved - moved.mean(axis=-1, keepdims=True)
    return rows


def clip_r_squared(
    predicted: Float[np.ndarray, "... n"],
    observed: Float[np.ndarray, "... n"],
    copies: Float[np.ndarray, "r n"],
) -> Float64[np.ndarray, " r"]:
    """(r,) 1 − Σ (observed − predicted)² / Σ observed², both as deviations from the mean of the training clips."""
    spread = (copies * observed**2).sum(axis=1)
    residual = (copies * (observed - predicted) ** 2).sum(axis=1)
    share = np.divide(residual, spread, out=np.full(len(copies), np.nan), where=spread > 0)
    r_squared: Float64[np.ndarray, " r"] = 1.0 - share
    return r_squared


def clip_balanced_accuracy(
    hits: Shaped[np.ndarray, "... n"], classes: Int[np.ndarray, " n"], copies: Float[np.ndarray, "r n"]
) -> Float64[np.ndarray, " r"]:
    """(r,) mean over classes of the proportion of hits (True, or a value 0–1) among their clips; NaN if a class has
    no clip. ``hits`` as x in :func:`clip_pearson`."""
    member = np.eye(int(classes.max()) + 1)[classes]
    size = copies @ member
    shares = np.divide((copies * hits) @ member, size, out=np.full(size.shape, np.nan), where=size > 0)
    accuracy: Float64[np.ndarray, " r"] = shares.mean(axis=1)
    return accuracy


def paired_metrics(
    values: Sequence[float],
    draws: Sequence[Float64[np.ndarray, " r"]],
    bounds: Interval,
    n: int,
    unit: str,
    without: Sequence[Float64[np.ndarray, " n"]] | None = None,
) -> tuple[list[Metric], Metric | None]:
    """A metric per model and, for two models, the first minus the second with its two-sided bootstrap p.

    Args:
        values: point estimate of each model.
        draws: values over resamples of clips, the same resamples for each model.
        bounds: range of the metric.
        n: number of clips.
        unit: unit of the metric.
        without: leave-one-clip-out scores of each model with refitting, which widen the intervals
            (:func:`bgs.evaluation.resampling.refitted_spread`).
    """
    refits = [None] * len(values) if without is None else list(without)
    metrics = [
        _metric(value, sample, bounds, n, unit, refitted_spread(sample, refit, n))
        for value, sample, refit in zip(values, draws, refits, strict=True)
    ]
    if len(metrics) < 2:
        return metrics, None
    first, second = (shifted(sample, value) for value, sample in zip(values, draws, strict=True))
    gap, span, value = first - second, bounds[1] - bounds[0], values[0] - values[1]
    spread = refitted_spread(gap, None if without is None else without[0] - without[1], n)
    difference = _metric(value, gap, (-span, span), n, f"difference in {unit}", spread)
    return metrics, replace(difference, p=two_sided_p(gap, value, spread=spread))


def _metric(
    value: float, draws: Float64[np.ndarray, " r"], bounds: Interval, n: int, unit: str, spread: float
) -> Metric:
    low, high = percentile_interval(draws, float(value), bounds, spread=spread)
    return Metric(float(value), low, high, n, unit, {"clips": (low, high)})
