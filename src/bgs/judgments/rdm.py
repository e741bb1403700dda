"""A human dissimilarity matrix without the judgments behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bgs._errors import DataError
from bgs._rdm import require_rdm
from bgs._typing import Float


@dataclass(frozen=True, repr=False)
class RDM:
    """Dissimilarities of n stimuli, indexed by id.

    Attributes:
        values: (n, n) symmetric dissimilarities, NaN where a pair is unknown; the diagonal is ignored.
        stimulus_ids: n distinct ids.
        counts: (n, n) number of judgments of each pair, or None if not known; pairs with 0 are unknown.

    Raises:
        DataError: values are asymmetric or infinite, an id is repeated, or ids or counts do not match the matrix.
    """

    values: Float[np.ndarray, "_ _"]
    stimulus_ids: Sequence[str]
    counts: np.ndarray | None = None

    def __repr__(self) -> str:
        known = int(np.isfinite(self.values[np.triu_indices(len(self.values), 1)]).sum())
        return f"RDM({len(self.values):,} stimuli, {known:,} known pairs)"

    def __post_init__(self) -> None:
        require_rdm(self.values, "RDM", self.stimulus_ids)
        if len(self.stimulus_ids) != len(self.values):
            raise DataError(
                "ids do not match the matrix",
                where="RDM",
                expected=f"{len(self.values)} ids",
                got=len(self.stimulus_ids),
            )
        if self.counts is not None and self.counts.shape != self.values.shape:
            raise DataError(
                "counts do not match the matrix",
                where="RDM",
                expected=self.values.shape,
                got=self.counts.shape,
            )

    @property
    def known(self) -> Float[np.ndarray, "n n"]:
        """(n, n) dissimilarities, NaN where a pair is unknown or has no judgment."""
        values = self.values.astype(np.float64)
        known: Float[np.ndarray, "n n"] = (
            values if self.counts is None else np.where(self.counts > 0, values, np.nan)
        )
        return known
