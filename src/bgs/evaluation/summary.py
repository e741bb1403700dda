"""From bootstrap draws to metrics: intervals of every design, squares, differences."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bgs._typing import Float64
from bgs.evaluation.comparison import MEASURES
from bgs.evaluation.resampling import design_intervals, shifted
from bgs.evaluation.result import Interval, Metric

#: Unit and range of each measure, and how many clips each of the things has that it averages over.
_UNITS: dict[str, tuple[str, Interval, int]] = {
    "rsa_spearman": ("Spearman rho", (-1.0, 1.0), 2),
    "rsa_spearman_squared": ("rho squared", (0.0, 1.0), 2),
    "rsa_pearson": ("Pearson r", (-1.0, 1.0), 2),
    "rsa_pearson_squared": ("r squared", (0.0, 1.0), 2),
    "odd_one_out_3afc": ("proportion of trials (chance 1/3)", (0.0, 1.0), 3),
    "odd_one_out_two_way": ("proportion of comparisons (chance 1/2)", (0.0, 1.0), 3),
}


def summarise(
    values: Float64[np.ndarray, "4"],
    draws: Mapping[str, Float64[np.ndarray, "r 4"]],
    counts: Mapping[str, int],
) -> dict[str, Metric]:
    """Metrics of one model, correlations squared too.

    Args:
        values: (4,) point estimates, in the order of :data:`MEASURES`.
        draws: design -> (r, 4) bootstrap draws.
        counts: measure -> pairs or trials.
    """
    metrics = {}
    for row, (name, value) in enumerate(zip(MEASURES, values.tolist(), strict=True)):
        unit, bounds, clips_a_unit = _UNITS[name]
        intervals = design_intervals(
            {d: sample[:, row] for d, sample in draws.items()}, value, bounds, clips_a_unit
        )
        metrics[name] = _metric(value, intervals, counts[name], unit)
        if (squared := f"{name}_squared") in _UNITS:
            squares = {design: _square(interval) for design, interval in intervals.items()}
            metrics[squared] = _metric(value**2, squares, counts[name], _UNITS[squared][0])
    return metrics


def summarise_difference(
    values: Float64[np.ndarray, "4 2"],
    draws: Mapping[str, Float64[np.ndarray, "r 4 2"]],
    counts: Mapping[str, int],
) -> dict[str, Metric]:
    """First model minus second, resample by resample: what both share, the clips and people drawn, cancels.

    Args:
        values: (4, 2) point estimates.
        draws: design -> (r, 4, 2) bootstrap draws, both models on the same resamples.
        counts: measure -> pairs or trials.
    """
    metrics = {}
    for row, name in enumerate(MEASURES):
        models = {design: _shift_both(sample[:, row], values[row]) for design, sample in draws.items()}
        metrics[name] = _difference(name, values[row], models, counts[name])
        if (squared := f"{name}_squared") in _UNITS:
            squares = {design: sample**2 for design, sample in models.items()}
            metrics[squared] = _difference(squared, values[row] ** 2, squares, counts[name])
    return metrics


def _shift_both(
    draws: Float64[np.ndarray, "r 2"], values: Float64[np.ndarray, "2"]
) -> Float64[np.ndarray, "r 2"]:
    """Both models' draws around their own estimates, so that squares are of the right size."""
    return np.stack([shifted(draws[:, model], float(values[model])) for model in (0, 1)], axis=1)


def _difference(
    name: str, values: Float64[np.ndarray, "2"], draws: Mapping[str, Float64[np.ndarray, "r 2"]], n: int
) -> Metric:
    unit, (least, greatest), clips_a_unit = _UNITS[name]
    value, span = float(values[0] - values[1]), greatest - least
    differences = {design: sample[:, 0] - sample[:, 1] for design, sample in draws.items()}
    return _metric(
        value, design_intervals(differences, value, (-span, span), clips_a_unit), n, f"difference in {unit}"
    )


def _square(interval: Interval) -> Interval:
    """The interval of the square: from 0 where the interval spans 0."""
    squares = sorted(bound**2 for bound in interval)
    return (0.0 if interval[0] <= 0 <= interval[1] else squares[0], squares[1])


def _metric(value: float, intervals: dict[str, Interval], n: int, unit: str) -> Metric:
    low, high = intervals["both"]
    return Metric(value, low, high, n, unit, intervals)
