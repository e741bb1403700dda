"""Representational similarity analysis: how well model distances predict human dissimilarities.

Kriegeskorte, Mur & Bandettini 2008, Frontiers in Systems Neuroscience 2:4.
"""

from __future__ import annotations

import numpy as np

from bgs._typing import Float, Float64, Int, Shaped
from bgs.evaluation.rdm import model_rdm, pair_vector

#: A variance below this fraction of the second moment is rounding error of a constant.
_CONSTANT = 1e-12


def spearman(x: Float[np.ndarray, " p"], y: Float[np.ndarray, " p"]) -> float:
    """Spearman rank correlation with mid-ranks over the pairs where neither is NaN; −1 to 1.

    NaN if one side is constant or fewer than two pairs are left.
    """
    seen = ~(np.isnan(x) | np.isnan(y))
    codes = dense_ranks(x[seen]), dense_ranks(y[seen])
    return float(weighted_spearman(codes[0][None], codes[1], np.ones(len(codes[0])))[0])


def pearson(x: Float[np.ndarray, " p"], y: Float[np.ndarray, " p"]) -> float:
    """Pearson correlation over the pairs where neither is NaN; −1 to 1, NaN as in :func:`spearman`."""
    seen = ~(np.isnan(x) | np.isnan(y))
    weights = np.ones(int(seen.sum()))
    return float(weighted_pearson(centred(x[seen])[None], centred(y[seen]), weights)[0])


def validation_rsa(
    values: Float[np.ndarray, "n d"],
    human_rdm: Float[np.ndarray, "n n"],
    distance: str = "cosine",
    center: Float[np.ndarray, " d"] | None = None,
) -> float:
    """Spearman RSA of embeddings with the human RDM of the same stimuli, without intervals: fast enough for
    every training step.

    Args:
        values: (n, d) embeddings.
        human_rdm: (n, n) human dissimilarities, NaN where unseen.
        distance, center: as in :func:`bgs.evaluation.rdm.model_rdm`.
    """
    return spearman(pair_vector(model_rdm(values, distance, center)), pair_vector(human_rdm))


def dense_ranks(values: Float[np.ndarray, " p"]) -> Int[np.ndarray, " p"]:
    """Ranks 0, 1, 2, … without gaps; equal values share a rank. They identify tie groups for all resamples."""
    return np.unique(values, return_inverse=True)[1].reshape(-1)


def mid_ranks(values: Float[np.ndarray, " p"]) -> Float64[np.ndarray, " p"]:
    """Ranks 1–p; ties get their mean rank."""
    codes = dense_ranks(values)
    return centred_mid_ranks(codes, np.ones(len(codes)))[0] + (len(codes) + 1) / 2


def centred(values: Float[np.ndarray, " p"]) -> Float64[np.ndarray, " p"]:
    """Values minus their mean; exactly zero if constant."""
    # The mean of p equal numbers may differ from them in the last bit, but not the mean of p zeros.
    shifted = values.astype(np.float64) - (values[0] if len(values) else 0.0)
    deviations: Float64[np.ndarray, " p"] = shifted - (shifted.mean() if len(values) else 0.0)
    return deviations


def standardised(values: Float[np.ndarray, " p"]) -> Float64[np.ndarray, " p"]:
    """Values scaled to mean 0 and variance 1; exactly zero if constant."""
    deviations = centred(values)
    spread = deviations.std()
    return deviations / spread if spread > 0 else deviations


def weighted_spearman(
    x: Int[np.ndarray, "e p"], y: Int[np.ndarray, " p"], weights: Float64[np.ndarray, " p"]
) -> Float64[np.ndarray, " e"]:
    """Spearman correlation of each row of ``x`` with ``y``, with pair i repeated ``weights[i]`` times.

    Exactly the correlation of the replicated list, without creating it: a tie group of total weight t after a
    total of c has mid-rank c + (t + 1)/2, and the squared deviations of N ranks sum to (N³ − Σt³)/12
    (Kendall 1970, Rank Correlation Methods, ch. 3). Linear in p; no sorting.

    Args:
        x: (e, p) dense ranks of e models' distances, see :func:`dense_ranks`.
        y: (p,) dense ranks of the human dissimilarities.
        weights: (p,) numbers ≥ 0; integers are replications, others interpolate.

    Returns:
        (e,) correlations, NaN if one side is constant over the pairs with positive weight.
    """
    rho = np.full(len(x), np.nan)
    ranks_y, squares_y = centred_mid_ranks(y, weights)
    weighted_y = weights * ranks_y
    for model, codes in enumerate(x):
        ranks_x, squares_x = centred_mid_ranks(codes, weights)
        if squares_x > 0 and squares_y > 0:
            rho[model] = dot(weighted_y, ranks_x) / np.sqrt(squares_x * squares_y)
    return np.clip(rho, -1.0, 1.0, out=rho)


def centred_mid_ranks(
    codes: Int[np.ndarray, " p"], weights: Float64[np.ndarray, " p"]
) -> tuple[Float64[np.ndarray, " p"], float]:
    """(p,) mid-ranks minus their mean, and the weighted sum of their squares."""
    size = np.bincount(codes, weights)
    total = size.sum()
    centre = np.cumsum(size) - 0.5 * size - 0.5 * total
    return centre[codes], float(total * (total * total) - dot(size, size * size)) / 12.0


def dot(a: Shaped[np.ndarray, " p"], b: Shaped[np.ndarray, " p"]) -> float:
    """a · b on one thread: BLAS starts its threads for vectors of 10,000, which then wait for each other most of the time."""
    return float(np.einsum("p,p->", a, b))


def weighted_pearson(
    x: Float64[np.ndarray, "e p"], y: Float64[np.ndarray, " p"], weights: Float64[np.ndarray, " p"]
) -> Float64[np.ndarray, " e"]:
    """Pearson correlation of each row of ``x`` with ``y``, with pair i repeated ``weights[i]`` times.

    Args:
        x: (e, p) distances of e models, each row centred (see :func:`centred`) for numerical stability.
        y: (p,) human dissimilarities.
        weights: (p,) numbers ≥ 0.

    Returns:
        (e,) correlations, NaN if one side is constant over the pairs with positive weight.
    """
    total = weights.sum()
    if total <= 0:
        return np.full(len(x), np.nan)
    moment_x, moment_y = np.array([weights @ (row * row) for row in x]), weights @ (y * y)
    y = y - weights @ y / total
    weighted_y = weights * y
    squares_x, squares_y = moment_x - (x @ weights) ** 2 / total, weighted_y @ y
    defined = (squares_x > _CONSTANT * moment_x) & (squares_y > _CONSTANT * moment_y)
    rho = np.full(len(x), np.nan)
    np.divide(x @ weighted_y, np.sqrt(np.maximum(squares_x * squares_y, 0.0)), out=rho, where=defined)
    return np.clip(rho, -1.0, 1.0, out=rho)
