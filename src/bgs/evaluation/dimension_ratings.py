"""Interpretation of dimensions by their correlations with ratings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bgs._codec import JsonDataclass, Number
from bgs._errors import DataError
from bgs._false_discovery import benjamini_hochberg
from bgs._rng import generator
from bgs._typing import Float64
from bgs.evaluation.clip_scores import clip_pearson
from bgs.evaluation.dimensions import Dimensions
from bgs.evaluation.resampled_spearman import ResampledSpearman
from bgs.evaluation.resampling import clip_copies, percentile_interval
from bgs.evaluation.result import Metric
from bgs.evaluation.rsa import dense_ranks, mid_ranks
from bgs.stimuli import StimulusSet


@dataclass(frozen=True)
class DimensionRating(JsonDataclass):
    """Correlation of a dimension with a rating, over the rated clips.

    Attributes:
        dimension: index of the dimension, from 0.
        attribute: the rating.
        pearson, spearman: correlations with intervals over clips and p (two-sided, clips permuted).
        q_pearson, q_spearman: p adjusted over all dimensions and attributes.
    """

    dimension: int
    attribute: str
    pearson: Metric
    spearman: Metric
    q_pearson: Number
    q_spearman: Number


def rate_dimensions(
    dimensions: Dimensions,
    stimuli: StimulusSet,
    attributes: Sequence[str] | None = None,
    *,
    resamples: int = 2000,
    permutations: int = 1000,
    seed: int = 0,
) -> list[DimensionRating]:
    """Correlation of every dimension with every rating.

    Dimensions are treated as fixed: intervals resample clips but do not refit the dimensions.

    Args:
        dimensions: aligned with ``stimuli`` by id.
        stimuli: stimuli with ratings; clips without a rating are ignored for it.
        attributes: rating columns; None: all.
        resamples: bootstrap resamples of clips.
        permutations: permutations of clips, for p.
        seed: seed of both.

    Raises:
        DataError: unknown stimulus or rating, or fewer than three rated clips.
    """
    rows = stimuli.positions(dimensions.stimulus_ids)
    tables: list[tuple[int, str, tuple[Metric, Metric]]] = []
    for name in stimuli.rating_names(attributes):
        values = stimuli.ratings[name][rows].astype(np.float64)
        rated = np.isfinite(values)
        if rated.sum() < 3:
            raise DataError("too few rated clips", where=name, expected="3 or more", got=int(rated.sum()))
        copies = clip_copies(int(rated.sum()), resamples, seed)
        shuffle = generator(seed, "permutation", "dimensions", name)
        orders = (
            np.stack([shuffle.permutation(len(copies[0])) for _ in range(permutations)])
            if permutations
            else None
        )
        for k in range(dimensions.rank):
            pair = dimensions.loadings[rated, k], values[rated]
            tables.append(
                (k, name, (_metric(*pair, copies, orders, False), _metric(*pair, copies, orders, True)))
            )
    q = [
        benjamini_hochberg(
            np.array([np.nan if m[kind].p is None else m[kind].p for _, _, m in tables], dtype=float)
        )
        for kind in (0, 1)
    ]
    return [
        DimensionRating(k, name, *metrics, float(q[0][i]), float(q[1][i]))
        for i, (k, name, metrics) in enumerate(tables)
    ]


def _metric(
    loadings: Float64[np.ndarray, " n"],
    values: Float64[np.ndarray, " n"],
    copies: Float64[np.ndarray, "r n"],
    orders: np.ndarray | None,
    ranked: bool,
) -> Metric:
    x, y = (mid_ranks(loadings), mid_ranks(values)) if ranked else (loadings, values)
    value = float(clip_pearson(x, y, np.ones((1, len(x))))[0])
    if ranked:  # ranks are recomputed in each resample
        resampled = ResampledSpearman.of(dense_ranks(loadings)[None], dense_ranks(values))
        draws = resampled.over_units(copies)[:, 0]
    else:
        draws = clip_pearson(x, y, copies)
    low, high = percentile_interval(draws, value, (-1.0, 1.0))
    p = None
    if orders is not None:
        p = _two_sided(x, y[orders], value)
    unit = "Spearman rho" if ranked else "Pearson r"
    return Metric(value, low, high, len(x), unit, {"clips": (low, high)}, p)


def _two_sided(x: Float64[np.ndarray, " n"], shuffled: Float64[np.ndarray, "r n"], value: float) -> float:
    if np.isnan(value):
        return float("nan")
    x, y = x - x.mean(), shuffled - shuffled.mean(axis=1, keepdims=True)
    null = np.abs(y @ x) / np.sqrt((x @ x) * (y**2).sum(axis=1))
    return float((1 + (null >= abs(value) - 1e-12).sum()) / (1 + len(null)))
