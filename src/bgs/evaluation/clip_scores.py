"""Scores that are sums over clips, on the data and on all resamples of clips at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bgs._typing import Float, Float64, Int, Shaped
from bgs.evaluation.resampling import percentile_interval, shifted, two_sided_p
from bgs.evaluation.result import Interval, Metric
from bgs.evaluation.rsa import centred

#: A variance below this share of the second moment is rounding error of a constant.
_CONSTANT = 1e-12


def clip_pearson(
    x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"], copies: Float[np.ndarray, "r n"]
) -> Float64[np.ndarray, " r"]:
    """(r,) Pearson correlations when clip i is there ``copies[:, i]`` times; NaN where one side is constant."""
    x, y, total = centred(x), centred(y), copies.sum(axis=1)
    mean_x, mean_y = copies @ x / total, copies @ y / total
    square_x, square_y = copies @ (x * x) / total, copies @ (y * y) / total
    variance_x, variance_y = square_x - mean_x**2, square_y - mean_y**2
    defined = (variance_x > _CONSTANT * square_x) & (variance_y > _CONSTANT * square_y)
    scale = np.sqrt(np.maximum(variance_x * variance_y, 0.0))
    r = np.divide(
        copies @ (x * y) / total - mean_x * mean_y, scale, out=np.full(len(copies), np.nan), where=defined
    )
    clipped: Float64[np.ndarray, " r"] = np.clip(r, -1.0, 1.0)
    return clipped


def clip_r_squared(
    predicted: Float[np.ndarray, " n"], observed: Float[np.ndarray, " n"], copies: Float[np.ndarray, "r n"]
) -> Float64[np.ndarray, " r"]:
    """(r,) 1 − Σ (observed − predicted)² / Σ observed², both being deviations from the mean of the training clips."""
    spread = copies @ observed**2
    share = np.divide(
        copies @ (observed - predicted) ** 2, spread, out=np.full(len(copies), np.nan), where=spread > 0
    )
    r_squared: Float64[np.ndarray, " r"] = 1.0 - share
    return r_squared


def clip_balanced_accuracy(
    hits: Shaped[np.ndarray, " n"], classes: Int[np.ndarray, " n"], copies: Float[np.ndarray, "r n"]
) -> Float64[np.ndarray, " r"]:
    """(r,) mean over classes of the share of their clips that are hit (True, or a share 0–1); NaN where a class has no clip."""
    member = np.eye(int(classes.max()) + 1)[classes]
    size = copies @ member
    shares = np.divide(
        copies @ (member * hits[:, None]), size, out=np.full(size.shape, np.nan), where=size > 0
    )
    accuracy: Float64[np.ndarray, " r"] = shares.mean(axis=1)
    return accuracy


def paired_metrics(
    values: Sequence[float],
    draws: Sequence[Float64[np.ndarray, " r"]],
    bounds: Interval,
    n: int,
    unit: str,
) -> tuple[list[Metric], Metric | None]:
    """A metric a model, and of two models the first minus the second with its two-sided bootstrap p.

    Args:
        values: point estimate of each model.
        draws: the same over resamples of clips, the same ones for each model.
        bounds: range of the metric.
        n: clips.
        unit: of the metric.
    """
    metrics = [_metric(value, sample, bounds, n, unit) for value, sample in zip(values, draws, strict=True)]
    if len(metrics) < 2:
        return metrics, None
    first, second = (shifted(sample, value) for value, sample in zip(values, draws, strict=True))
    span, value = bounds[1] - bounds[0], values[0] - values[1]
    difference = _metric(value, first - second, (-span, span), n, f"difference in {unit}")
    return metrics, replace(difference, p=two_sided_p(first - second, value))


def _metric(value: float, draws: Float64[np.ndarray, " r"], bounds: Interval, n: int, unit: str) -> Metric:
    low, high = percentile_interval(draws, float(value), bounds)
    return Metric(float(value), low, high, n, unit, {"clips": (low, high)})
