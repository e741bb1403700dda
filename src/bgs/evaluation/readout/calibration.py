"""How far probabilities are from what happens as often as they say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bgs._rng import generator
from bgs._typing import Bool, Float64, Int
from bgs.evaluation.resampling import percentile_interval
from bgs.evaluation.result import Metric

BINS = 10


def calibration_error(
    probabilities: Float64[np.ndarray, " k"],
    happened: Bool[np.ndarray, " k"],
    weights: Float64[np.ndarray, "r k"] | None = None,
    bins: int = BINS,
) -> Float64[np.ndarray, " r"]:
    """Expected calibration error: mean distance between predicted and observed share in bins of equal size.

    Guo et al. 2017, On calibration of modern neural networks, with bins of equal size; equal probabilities may be in two
    bins. Unlike the error itself, its estimate is above 0 for perfect probabilities: see :func:`error_if_perfect`.

    Args:
        probabilities: (k,) predicted, 0–1.
        happened: (k,) what happened.
        weights: (r, k) how often each counts in each of r resamples; None: once.
        bins: their number.

    Returns:
        (r,) errors, 0–1; a single one without weights. NaN for a resample in which nothing is left, as happens with few clips.
    """
    order, edges = _bins(probabilities, bins)
    gap = (probabilities - happened)[order]
    weights = np.ones((1, len(order))) if weights is None else weights[:, order]
    total = np.add.reduceat(weights * gap, edges, axis=1)
    with np.errstate(invalid="ignore"):
        found: Float64[np.ndarray, " r"] = np.abs(total).sum(axis=1) / weights.sum(axis=1)
    return found


def error_if_perfect(probabilities: Float64[np.ndarray, " k"], draws: int = 200, seed: int = 0) -> float:
    """Mean calibration error of the same probabilities if events happened exactly as often as they say."""
    stream = generator(seed, "perfect calibration")
    drawn = (stream.random(len(probabilities)) < probabilities for _ in range(draws))
    return float(np.mean([calibration_error(probabilities, happened) for happened in drawn]))


@dataclass(frozen=True)
class Reliability:
    """One bin of a reliability diagram (DeGroot & Fienberg 1983).

    Attributes:
        predicted: mean probability.
        observed: share of events that happened.
    """

    predicted: float
    observed: Metric


def reliability(
    probabilities: Float64[np.ndarray, " k"],
    happened: Bool[np.ndarray, " k"],
    weights: Float64[np.ndarray, "r k"],
    unit: str,
    bins: int = BINS,
) -> list[Reliability]:
    """What happened in bins of equal size, from the least to the most probable; intervals from resamples ``weights``."""
    order, edges = _bins(probabilities, bins)
    found = []
    for part in np.split(order, edges[1:]):
        value = float(happened[part].mean())
        with np.errstate(invalid="ignore"):
            draws = weights[:, part] @ happened[part] / weights[:, part].sum(axis=1)
        interval = percentile_interval(draws, value, (0.0, 1.0))
        found.append(
            Reliability(float(probabilities[part].mean()), Metric(value, *interval, len(part), unit))
        )
    return found


def _bins(
    probabilities: Float64[np.ndarray, " k"], bins: int
) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " b"]]:
    """The order of the probabilities, and where each bin begins in it."""
    order = np.argsort(probabilities, kind="stable")
    return order, np.linspace(0, len(order), min(bins, len(order)), endpoint=False).astype(int)
