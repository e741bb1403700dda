"""Few-shot probes: decoding of ratings from embeddings with only a few training clips."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bgs._errors import DataError
from bgs._rng import generator
from bgs._typing import Float, Float64, Int
from bgs.evaluation.clip_scores import clip_pearson, clip_r_squared, column_correlations
from bgs.evaluation.ridge import Ridge


def shot_groups(n: int, shots: int, seed: int, where: str) -> list[Int[np.ndarray, " s"]]:
    """As many random groups of ``shots`` clips as possible among n; the rest are only scored.

    Raises:
        DataError: fewer than two groups.
    """
    if n < 2 * shots:
        raise DataError(
            "too few rated clips", where=where, expected=f"at least {2 * shots}, two groups of {shots}", got=n
        )
    shuffled = generator(seed, "few-shot").permutation(n)
    return [np.sort(shuffled[first : first + shots]) for first in range(0, n - shots + 1, shots)]


def group_copies(groups: int, resamples: int, seed: int) -> Float64[np.ndarray, "r g"]:
    """How often each group trains a probe in each resample; the first row is the original data."""
    drawn = generator(seed, "bootstrap", "few-shot").multinomial(groups, [1 / groups] * groups, resamples)
    return np.concatenate([np.ones((1, groups)), drawn])


def few_shot(
    features: Float[np.ndarray, "n d"],
    columns: Float[np.ndarray, "n t"],
    groups: Sequence[Int[np.ndarray, " s"]],
    copies: Float[np.ndarray, "r n"],
    trained: Float[np.ndarray, "r g"],
) -> tuple[Float64[np.ndarray, " r"], Float64[np.ndarray, " r"], Float64[np.ndarray, " t"]]:
    """Train a probe on each group in turn and score it on all other clips; scores are means over groups.

    A probe with constant predictions has r = 0.

    Args:
        features: one row per clip.
        columns: ratings, followed by permuted ones.
        groups: training clips.
        copies: how often each clip is scored in each resample.
        trained: how often each group trains in each resample, from :func:`group_copies`.

    Returns:
        (r,) Pearson r and (r,) R² of the first column in each resample, and (t,) Pearson r of each column.
    """
    pearson, squared, correlations = (list[Float64[np.ndarray, " _"]]() for _ in range(3))
    for group in groups:
        others = np.setdiff1d(np.arange(len(features)), group)
        x = Ridge.fit(features[group], columns[group], features[others]).deviations()
        y = columns[others] - columns[group].mean(axis=0)
        pearson.append(np.nan_to_num(clip_pearson(x[:, 0], y[:, 0], copies[:, others])))
        squared.append(clip_r_squared(x[:, 0], y[:, 0], copies[:, others]))
        correlations.append(column_correlations(x, y))
    share = trained / len(groups)
    return (
        (share * np.stack(pearson, axis=1)).sum(axis=1),
        (share * np.stack(squared, axis=1)).sum(axis=1),
        np.mean(correlations, axis=0),
    )
