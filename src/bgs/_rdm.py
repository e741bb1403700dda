"""The check that every function applies to a dissimilarity matrix it is given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bgs._errors import DataError, listed
from bgs._typing import Float

#: Tolerated asymmetry, as a fraction of the largest entry: rounding error of single precision.
_ASYMMETRY = 1e-6


def require_rdm(rdm: Float[np.ndarray, "_ _"], where: str, stimulus_ids: Sequence[str] | None = None) -> None:
    """Check that a matrix is a dissimilarity matrix: square, symmetric, finite or NaN, with one id per stimulus.

    Args:
        rdm: (n, n) dissimilarities, NaN where unknown; the diagonal is ignored.
        where: its name in error messages.
        stimulus_ids: n ids, if it has any.

    Raises:
        DataError: it is not.
    """
    n = len(rdm)
    if rdm.shape != (n, n):
        raise DataError("not a dissimilarity matrix", where=where, expected="a square matrix", got=rdm.shape)
    if stimulus_ids is not None and len(set(stimulus_ids)) != len(stimulus_ids):
        names = list(stimulus_ids)
        twice = sorted({name for name in names if names.count(name) > 1})
        raise DataError(
            f"stimulus listed twice: {listed(twice)}", where=where, expected="distinct stimulus ids"
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
            "not symmetric", where=where, expected="the same value for a pair in either order",
            got=f"{rdm[first, second]:g} at ({first}, {second}) and {rdm[second, first]:g} at ({second}, {first})",
        )  # fmt: skip
