"""What every function that takes a dissimilarity matrix asks of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bgs._errors import DataError, some
from bgs._typing import Float

#: Two triangles may differ by this share of the largest entry: what single precision leaves.
_ASYMMETRY = 1e-6


def require_rdm(rdm: Float[np.ndarray, "_ _"], where: str, stimulus_ids: Sequence[str] | None = None) -> None:
    """See that a matrix says one thing of each pair: symmetric, finite or NaN, one name a stimulus.

    Args:
        rdm: (n, n) dissimilarities, NaN where unknown; the diagonal is not looked at.
        where: what to call it in an error.
        stimulus_ids: n names, where it comes with some.

    Raises:
        DataError: it does not.
    """
    n = len(rdm)
    if rdm.shape != (n, n):
        raise DataError(
            "not a dissimilarity matrix", where=where, expected="rows and columns alike", got=rdm.shape
        )
    if stimulus_ids is not None and len(set(stimulus_ids)) != len(stimulus_ids):
        names = list(stimulus_ids)
        twice = sorted({name for name in names if names.count(name) > 1})
        raise DataError(
            f"stimulus listed twice: {some(twice)}", where=where, expected="distinct stimulus ids"
        )
    above, below = (side[np.triu_indices(n, 1)].astype(np.float64) for side in (rdm, rdm.T))
    if np.isinf(above).any() or np.isinf(below).any():
        raise DataError(
            "an infinite dissimilarity", where=where, expected="finite numbers, or NaN for unknown"
        )
    slack = _ASYMMETRY * np.nanmax(np.abs(above), initial=0.0)
    same = (np.abs(above - below) <= slack) | (np.isnan(above) & np.isnan(below))
    if not same.all():
        first, second = (int(side[np.argmin(same)]) for side in np.triu_indices(n, 1))
        raise DataError(
            "not symmetric", where=where, expected="the same for a pair in either order",
            got=f"{rdm[first, second]:g} at ({first}, {second}) and {rdm[second, first]:g} at ({second}, {first})",
        )  # fmt: skip
