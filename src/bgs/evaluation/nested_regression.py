"""Non-negative regressions of one pair vector on subsets of others, from moments shared by resamples and folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from bgs._errors import ConfigError
from bgs._typing import Bool, Float, Float64, Int, Shaped
from bgs.evaluation.rsa import centred_mid_ranks, dense_ranks, standardised

#: Transforms of dissimilarities before regression.
TRANSFORMS = ("ranks", "z-scores")

#: Eigenvalues below this fraction of the largest indicate collinear predictors.
_COLLINEAR = 1e-10


@dataclass(frozen=True)
class NestedRegression:
    """v pair vectors, of which the first is regressed on the others, prepared for resampling.

    Attributes:
        codes: (v, p) dense ranks (transform "ranks") or centred values ("z-scores"), with pairs ordered by block.
        first, second: (p,) clips of each pair.
        starts: (b + 1,) start of the block of each combination of folds. A fit needs only the sums of products
            of the blocks among training clips and among held-out clips.
        train, test: (f + 1, b) training and test blocks of each fold; the last row has all blocks.
    """

    codes: Shaped[np.ndarray, "v p"]
    first: Int[np.ndarray, " p"]
    second: Int[np.ndarray, " p"]
    starts: Int[np.ndarray, " c"]
    train: Bool[np.ndarray, "g b"]
    test: Bool[np.ndarray, "g b"]

    @classmethod
    def of(
        cls,
        vectors: Float[np.ndarray, "v p"],
        first: Int[np.ndarray, " p"],
        second: Int[np.ndarray, " p"],
        folds: Sequence[Int[np.ndarray, " _"]],
        transform: str,
    ) -> NestedRegression:
        """Sort pairs by the folds of their two clips.

        Pairs of a training and a held-out clip are in neither set of a fold.
        """
        if transform not in TRANSFORMS:
            raise ConfigError("unknown transform", expected=" or ".join(TRANSFORMS), got=transform)
        fold_of = np.empty(sum(len(part) for part in folds), dtype=np.int64)
        for fold, part in enumerate(folds):
            fold_of[part] = fold
        low, high = np.sort(np.stack([fold_of[first], fold_of[second]]), axis=0)
        rows, columns = np.triu_indices(len(folds))
        block = (low * len(folds) + high).astype(np.int64)
        order = np.argsort(block, kind="stable")
        edges = np.append(rows * len(folds) + columns, len(folds) ** 2)
        number = np.arange(len(folds))[:, None]
        every = np.ones((1, len(rows)), dtype=bool)
        prepare = dense_ranks if transform == "ranks" else standardised
        return cls(
            codes=np.stack([prepare(vector[order]) for vector in vectors]),
            first=first[order],
            second=second[order],
            starts=np.searchsorted(block[order], edges),
            train=np.concatenate([(rows != number) & (columns != number), every]),
            test=np.concatenate([(rows == number) & (columns == number), every]),
        )

    def __call__(
        self,
        clips: Float64[np.ndarray, " n"] | None = None,
        units: Float64[np.ndarray, " p"] | None = None,
    ) -> Float64[np.ndarray, "b w w"]:
        """Sums of products of every block; the first column and row are those of the intercept (w = v + 1).

        Args:
            clips: (n,) copies of each clip; pair (i, j) has weight clips[i]·clips[j]; copies of the same clip form no pairs.
            units: (p,) copies of each pair. Ranks are recomputed in every resample.
        """
        weights = np.ones(self.codes.shape[1])
        if clips is not None:
            weights = clips[self.first] * clips[self.second]
        if units is not None:
            weights = weights * units
        values = self._values(weights)
        weighted = values * weights
        return np.stack(
            [
                weighted[:, a:b] @ values[:, a:b].T
                for a, b in zip(self.starts[:-1], self.starts[1:], strict=True)
            ]
        )

    def _values(self, weights: Float64[np.ndarray, " p"]) -> Float64[np.ndarray, "w p"]:
        rows = self.codes.astype(np.float64)
        if np.issubdtype(self.codes.dtype, np.integer):
            total = max(weights.sum(), 1.0)
            # Scaled to about unit variance, so that no predictor dominates the intercept in a pseudo-inverse.
            rows = np.stack([centred_mid_ranks(row, weights)[0] for row in self.codes]) * (12**0.5 / total)
        return np.concatenate([np.ones((1, len(weights))), rows])

    def held_out(
        self, moments: Float64[np.ndarray, "r b w w"], models: Sequence[Sequence[int]]
    ) -> Float64[np.ndarray, "r t"]:
        """(r, t) 1 − Σ residual² / Σ (y − training mean)² over the held-out pairs of all folds.

        Each of the t models is given by the positions of its predictors.
        """
        return _r_squared(moments, self.train[:-1], self.test[:-1], models)

    def in_sample(
        self, moments: Float64[np.ndarray, "r b w w"], models: Sequence[Sequence[int]]
    ) -> Float64[np.ndarray, "r t"]:
        """(r, t) R² of one regression over all pairs."""
        return _r_squared(moments, self.train[-1:], self.test[-1:], models)

    @property
    def n_held_out(self) -> int:
        """Number of pairs that are held out in some fold."""
        return int(np.diff(self.starts)[self.test[:-1].any(axis=0)].sum())


def _r_squared(
    moments: Float64[np.ndarray, "r b w w"],
    train: Bool[np.ndarray, "f b"],
    test: Bool[np.ndarray, "f b"],
    models: Sequence[Sequence[int]],
) -> Float64[np.ndarray, "r t"]:
    """R² of non-negative least squares regressions (Lawson & Hanson 1974, Solving Least Squares Problems, ch. 23).

    The non-negative solution is the ordinary regression on the predictors with positive slopes, and every ordinary regression
    without negative slopes is feasible. So each subset of predictors is fitted once, and a model uses the feasible subset
    with the best fit to the training pairs: exact, but the work doubles with every predictor.
    """
    fit, held = (np.einsum("fb,rbvw->rfvw", rows.astype(np.float64), moments) for rows in (train, test))
    sets = sorted({inner for model in models for inner in subsets(sorted(model))}, key=lambda s: (len(s), s))
    loss, residual = (np.stack(found) for found in zip(*(_regress(fit, held, s) for s in sets), strict=True))
    spread = residual[0].sum(axis=1)  # for the empty set, which predicts the mean of the training pairs
    explained = np.full((len(moments), len(models)), np.nan)
    for column, model in enumerate(models):
        inside = [row for row, inner in enumerate(sets) if set(inner) <= set(model)]
        best = loss[inside].argmin(axis=0)[None]
        left = np.take_along_axis(residual[inside], best, axis=0)[0].sum(axis=1)
        explained[:, column] = 1.0 - np.divide(left, spread, out=explained[:, column], where=spread > 0)
    return explained


def subsets(items: Sequence[int]) -> list[tuple[int, ...]]:
    """All subsets in order of size, starting with the empty one."""
    return [inner for size in range(len(items) + 1) for inner in combinations(items, size)]


def _regress(
    fit: Float64[np.ndarray, "r f w w"], held: Float64[np.ndarray, "r f w w"], predictors: Sequence[int]
) -> tuple[Float64[np.ndarray, "r f"], Float64[np.ndarray, "r f"]]:
    """Squared errors on the training pairs (infinite if a slope is negative) and on the held-out pairs.

    Column 0 is the intercept, column 1 the response, column 2 + i predictor i.
    """
    used = [0, *(2 + i for i in predictors)]
    design, product = fit[..., used, :][..., used], fit[..., used, 1]
    slopes = (np.linalg.pinv(design, rcond=_COLLINEAR, hermitian=True) @ product[..., None])[..., 0]
    with_people = (slopes[..., 1:] >= 0).all(axis=-1)
    return np.where(with_people, _squares(fit, slopes, used), np.inf), _squares(held, slopes, used)


def _squares(
    moments: Float64[np.ndarray, "r f w w"], slopes: Float64[np.ndarray, "r f c"], used: Sequence[int]
) -> Float64[np.ndarray, "r f"]:
    """(r, f) Σ (y − ŷ)²."""
    curved = np.einsum("rfi,rfij,rfj->rf", slopes, moments[..., used, :][..., used], slopes)
    squares: Float64[np.ndarray, "r f"] = (
        moments[..., 1, 1] - 2 * (slopes * moments[..., used, 1]).sum(axis=-1) + curved
    )
    return squares
