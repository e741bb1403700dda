"""Whether a clip is like those that a model was trained on, or far from anything it has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bgs._scale import mean_of_rows
from bgs._typing import Bool, Float, Float64
from bgs.evaluation.readout.held_out import HeldOut

#: Share of clips of the same kind that is flagged by mistake.
ALPHA = 0.05
_RELATIVE_FLOOR = 1e-10


@dataclass(frozen=True)
class Density:
    """A Gaussian around the clips seen: mean and shrunk covariance, as principal axes and a floor.

    The covariance is Ledoit and Wolf's (2004, Journal of Multivariate Analysis 88:365), which is invertible with fewer clips
    than dimensions.

    Attributes:
        mean: (d,) mean of the clips seen.
        axes: (r, d) orthonormal axes in which they differ.
        variances: (r,) shrunk variance along each.
        floor: shrunk variance in every other direction.
    """

    mean: Float64[np.ndarray, " d"]
    axes: Float64[np.ndarray, "r d"]
    variances: Float64[np.ndarray, " r"]
    floor: float

    @classmethod
    def fit(cls, values: Float[np.ndarray, "n d"]) -> Density:
        """Fit to (n, d) embeddings of n ≥ 2 clips."""
        mean = mean_of_rows(values)
        x = values.astype(np.float64) - mean
        n, d = x.shape
        _, strength, axes = np.linalg.svd(x, full_matrices=False)
        kept = strength > _RELATIVE_FLOOR * max(strength[0], np.finfo(float).tiny)
        raw, axes = strength[kept] ** 2 / n, axes[kept]
        average = raw.sum() / d
        if not average:  # all clips are the same
            return cls(mean, axes, raw, float(np.finfo(float).tiny))
        squares = float(raw @ raw)
        apart = squares - d * average**2
        noise = ((x**2).sum(axis=1) @ (x**2).sum(axis=1) / n - squares) / n
        shrinkage = 1.0 if apart <= 0 else min(noise / apart, 1.0)
        floor = max(shrinkage * average, _RELATIVE_FLOOR * average)
        return cls(mean, axes, (1 - shrinkage) * raw + floor, float(floor))

    def distances(self, values: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, " n"]:
        """(n,) squared Mahalanobis distances from the clips seen, per dimension: about 1 for more clips of the same kind."""
        x = values.astype(np.float64) - self.mean
        along = x @ self.axes.T
        rest = np.maximum((x**2).sum(axis=1) - (along**2).sum(axis=1), 0.0)
        found: Float64[np.ndarray, " n"] = ((along**2) @ (1 / self.variances) + rest / self.floor) / x.shape[
            1
        ]
        return found


@dataclass(frozen=True)
class Familiarity:
    """How far a clip is from those seen, compared with other clips of their kind that the model had not seen.

    Attributes:
        density: of the clips that the model was trained on.
        held: (m,) sorted distances of clips of the same kind that it was not trained on.
    """

    density: Density
    held: Float64[np.ndarray, " m"]

    @classmethod
    def fit(cls, final: Float[np.ndarray, "n d"], parts: Sequence[HeldOut]) -> Familiarity:
        """Fit the density to the final model's embeddings, and the distances of held-out clips to each part's own."""
        held = [Density.fit(part.seen.values).distances(part.held.values) for part in parts]
        return cls(Density.fit(final), np.sort(np.concatenate(held)))

    def p_values(self, values: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, " n"]:
        """(n,) share of held-out clips, the clip itself included, that are as far or farther.

        A conformal p-value (Vovk, Gammerman & Shafer 2005): of clips of the same kind, a share of at most p gets p or less.
        """
        below = np.searchsorted(self.held, self.density.distances(values), side="left")
        found: Float64[np.ndarray, " n"] = (1.0 + len(self.held) - below) / (len(self.held) + 1.0)
        return found

    def is_far(self, values: Float[np.ndarray, "n d"]) -> Bool[np.ndarray, " n"]:
        """(n,) whether a clip is far from anything seen: p ≤ .05, or farther than all held-out clips where these are few."""
        return self.p_values(values) <= max(ALPHA, 1.0 / (len(self.held) + 1.0)) + 1e-12
