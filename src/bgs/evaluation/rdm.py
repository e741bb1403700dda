"""Representational dissimilarity matrices of embeddings."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from bgs._errors import ConfigError
from bgs._typing import Float, Float64

Distance = Literal["cosine", "correlation", "euclidean"]
DISTANCES: tuple[str, ...] = get_args(Distance)

#: Distances are rounded to this many decimals: far above the rounding error of a matrix product, far below any
#: difference that 32-bit embeddings can carry. Distances that are equal in exact arithmetic therefore tie.
_DECIMALS = 12

#: A vector shorter than this share of its length before centring is rounding error, not a direction.
_COLLAPSED = 1e-10


def model_rdm(
    values: Float[np.ndarray, "n d"], distance: str = "cosine", center: Float[np.ndarray, " d"] | None = None
) -> Float64[np.ndarray, "n n"]:
    """Pairwise distances between embeddings.

    Ties are exact: identical rows are at identical distances from everything, so that a collapsed model ties
    everywhere and scores at chance. A vector without direction (all zeros, or nothing left of it after
    centring) has similarity 0, hence distance 1, to every vector.

    Args:
        values: (n, d) embeddings.
        distance: "cosine" (1 − cosine similarity), "correlation" (1 − Pearson correlation across the d dimensions), or
            "euclidean", for embeddings whose lengths mean something, such as ordinal ones.
        center: (d,) vector to subtract from every row first, e.g. the mean of the training stimuli.

    Returns:
        (n, n) symmetric distances with a zero diagonal, in 0–2 but for Euclidean ones.

    Raises:
        ConfigError: another distance.
    """
    if distance not in DISTANCES:
        raise ConfigError("unknown distance", expected=" or ".join(DISTANCES), got=distance)
    if distance == "euclidean":
        return _euclidean(values.astype(np.float64))
    # One product over distinct rows: two entries of a matrix product may differ in the last bit though their
    # factors are the same.
    rows, row_of = np.unique(values.astype(np.float64), axis=0, return_inverse=True)
    unit = _directions(rows, distance, center)
    distances = np.clip(np.round(1.0 - unit @ unit.T, _DECIMALS), 0.0, 2.0)
    row_of = row_of.reshape(-1)
    rdm: Float64[np.ndarray, "n n"] = np.maximum(distances, distances.T)[np.ix_(row_of, row_of)]
    np.fill_diagonal(rdm, 0.0)
    return rdm


def _euclidean(values: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, "n n"]:
    """Euclidean distances, rounded relative to the spread of the values; where the middle lies does not matter."""
    from scipy.spatial.distance import pdist, squareform

    values = values - values.mean(axis=0)
    scale = float(np.abs(values).max(initial=0.0))
    if scale == 0:
        return np.zeros((len(values), len(values)))
    rdm: Float64[np.ndarray, "n n"] = squareform(np.round(pdist(values / scale), _DECIMALS) * scale)
    return rdm


def _directions(
    rows: Float64[np.ndarray, "m d"], distance: str, center: Float[np.ndarray, " d"] | None
) -> Float64[np.ndarray, "m d"]:
    """Rows of unit length, or of zeros where centring leaves no direction."""
    scale = np.linalg.norm(rows, axis=1)
    if center is not None:
        scale = np.maximum(scale, np.linalg.norm(center))
        rows = rows - center
    if distance == "correlation":
        rows = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1)
    alive = length > _COLLAPSED * scale
    unit: Float64[np.ndarray, "m d"] = np.divide(
        rows, length[:, None], out=np.zeros_like(rows), where=alive[:, None]
    )
    return unit


def pair_vector(rdm: Float[np.ndarray, "n n"]) -> Float[np.ndarray, " p"]:
    """The p = n(n−1)/2 entries above the diagonal, row by row."""
    return rdm[np.triu_indices(len(rdm), 1)]
