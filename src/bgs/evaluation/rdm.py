"""Representational dissimilarity matrices of embeddings."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from bgs._errors import ConfigError, DataError
from bgs._scale import exponents
from bgs._typing import Float, Float64

Distance = Literal["cosine", "correlation", "euclidean"]
DISTANCES: tuple[str, ...] = get_args(Distance)

#: Distances are rounded to this many decimals: far above the rounding error of a matrix product, far below any
#: difference that 32-bit embeddings can represent. Distances that are equal in exact arithmetic are therefore tied.
_DECIMALS = 12

#: Distances below this are computed from the chord between two directions (d = chord² / 2), which is rounded instead: for
#: 1 − cosine, rounding would leave few or no significant digits. Above it, both methods agree.
_CLOSE = 1e-3

#: Shorter chords have fewer than two significant digits: such pairs cannot be distinguished.
_TOO_CLOSE = 1e-10

#: A vector whose length after centring is below this fraction of its original length is rounding error.
_COLLAPSED = 1e-13

#: Number of pairs whose chords are computed at a time.
_PAIRS = 16_384

#: Upper bound on the relative rounding error of a direction.
_ROUNDING = 8 * np.finfo(np.float64).eps


def model_rdm(
    values: Float[np.ndarray, "n d"], distance: str = "cosine", center: Float[np.ndarray, " d"] | None = None
) -> Float64[np.ndarray, "n n"]:
    """Pairwise distances between embeddings.

    Ties are exact: identical rows have identical distances to all others, so that a collapsed model is tied
    everywhere and scores at chance. A vector without direction (all zeros, or zero after
    centring) has similarity 0, hence distance 1, to every vector.

    Args:
        values: (n, d) embeddings.
        distance: "cosine" (1 − cosine similarity), "correlation" (1 − Pearson correlation across the d dimensions), or
            "euclidean", for embeddings whose norms are meaningful, such as ordinal embeddings.
        center: (d,) vector to subtract from every row first, e.g. the mean of the training stimuli.

    Returns:
        (n, n) symmetric distances with a zero diagonal, in 0–2 except for Euclidean distances.

    Raises:
        ConfigError: unknown distance.
        DataError: a value is not finite, or embeddings are so similar that rounding determines their order.
    """
    if distance not in DISTANCES:
        raise ConfigError("unknown distance", expected=" or ".join(DISTANCES), got=distance)
    if not (np.isfinite(values).all() and (center is None or np.isfinite(center).all())):
        raise DataError("embeddings are not finite", expected="finite numbers", got="NaN or inf")
    if distance == "euclidean":
        return _euclidean(values.astype(np.float64))
    # One product over distinct rows: two entries of a matrix product may differ in the last bit although their
    # factors are equal.
    rows, row_of = np.unique(values.astype(np.float64), axis=0, return_inverse=True)
    distances = _distances(*_directions(rows, distance, center))
    row_of = row_of.reshape(-1)
    rdm: Float64[np.ndarray, "n n"] = distances[np.ix_(row_of, row_of)]
    np.fill_diagonal(rdm, 0.0)
    return rdm


def _euclidean(values: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, "n n"]:
    """Euclidean distances, rounded relative to the spread of the values; invariant to translation."""
    from scipy.spatial.distance import pdist, squareform

    values = values - values.mean(axis=0)
    scale = float(np.abs(values).max(initial=0.0))
    if scale == 0:
        return np.zeros((len(values), len(values)))
    rdm: Float64[np.ndarray, "n n"] = squareform(np.round(pdist(values / scale), _DECIMALS) * scale)
    return rdm


def _directions(
    rows: Float64[np.ndarray, "m d"], distance: str, center: Float[np.ndarray, " d"] | None
) -> tuple[Float64[np.ndarray, "m d"], Float64[np.ndarray, " m"]]:
    """Rows normalised to unit length, or zeros if centring leaves no direction; and the rounding error of each."""
    shift = exponents(rows, axis=1)
    if center is not None:
        middle = center.astype(np.float64)[None]
        shift = np.maximum(shift, exponents(middle, axis=1))
        middle = np.ldexp(middle, -shift)
    rows = np.ldexp(rows, -shift)
    scale = np.linalg.norm(rows, axis=1)
    if center is not None:
        scale = np.maximum(scale, np.linalg.norm(middle, axis=1))
        rows = rows - middle
        _require_apart(np.linalg.norm(rows, axis=1) / np.where(scale > 0, scale, 1.0))
    if distance == "correlation":
        rows = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1)
    alive = length > _COLLAPSED * scale
    length = np.where(alive, length, np.inf)
    return rows / length[:, None], _ROUNDING * scale / length


def _require_apart(share: Float64[np.ndarray, " m"]) -> None:
    """Refuse distinct embeddings that centring reduces to rounding error; ``share``: remaining fraction of their length."""
    lost = int(((share > 0) & (share <= _COLLAPSED)).sum())
    if lost > 1 and 2 * lost > len(share):
        raise DataError(
            "after subtracting their mean, embeddings differ only by rounding error",
            expected=f"differences of more than {_COLLAPSED:g} of their length", got=f"less in {lost} of {len(share)}",
        )  # fmt: skip


def _distances(
    unit: Float64[np.ndarray, "m d"], error: Float64[np.ndarray, " m"]
) -> Float64[np.ndarray, "m m"]:
    """1 − cosine between directions; zero vectors have distance 1 to everything. Exactly equal distances are tied."""
    rounded = np.clip(np.round(1.0 - unit @ unit.T, _DECIMALS), 0.0, 2.0)
    distances: Float64[np.ndarray, "m m"] = np.maximum(rounded, rounded.T)
    first, second = np.nonzero(np.triu(distances < _CLOSE, 1))
    chords = np.empty(len(first))
    for start in range(0, len(first), _PAIRS):
        pairs = slice(start, start + _PAIRS)
        chords[pairs] = np.linalg.norm(unit[first[pairs]] - unit[second[pairs]], axis=1)
    lost = int(((chords < _TOO_CLOSE) & (chords > 10 * (error[first] + error[second]))).sum())
    if lost > max(1, 0.01 * len(unit) * (len(unit) - 1) / 2):
        raise DataError(
            f"{lost} pairs of embeddings are too similar for their distances to be distinguished",
            expected=f"directions that differ by more than {_TOO_CLOSE:g}", got=f"as little as {chords.min():.1g}",
            hint="centre them, or recompute them with higher precision",
        )  # fmt: skip
    distances[first, second] = distances[second, first] = np.round(chords, _DECIMALS) ** 2 / 2
    return distances


def pair_vector(rdm: Float[np.ndarray, "n n"]) -> Float[np.ndarray, " p"]:
    """The p = n(n−1)/2 entries above the diagonal, row by row."""
    return rdm[np.triu_indices(len(rdm), 1)]
