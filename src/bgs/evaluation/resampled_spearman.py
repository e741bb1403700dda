"""Spearman correlations over many resamples at once: pairs are ranked once, resamples only count copies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bgs._typing import Float64, Int

#: Numbers in one array of a block of resamples: enough to make calls of numpy cheap, few enough to stay in the cache.
_BLOCK = 2**15


@dataclass(frozen=True)
class ResampledSpearman:
    """What :func:`bgs.evaluation.rsa.weighted_spearman` computes, for many weightings of the same p pairs.

    The pairs of each model are sorted by its distances, so that the copies that rank below a pair are a cumulative sum. For
    whole numbers of copies all sums are exact below 2^53, so results equal those of single resamples to the last digit.

    Attributes:
        order: (e, p) pairs by ascending distance, of each model.
        starts: first of each run of tied pairs in that order, of each model.
        human: (p,) dense ranks of the human dissimilarities.
    """

    order: Int[np.ndarray, "e p"]
    starts: tuple[Int[np.ndarray, " _"], ...]
    human: Int[np.ndarray, " p"]

    @classmethod
    def of(cls, models: Int[np.ndarray, "e p"], human: Int[np.ndarray, " p"]) -> ResampledSpearman:
        """Sort the pairs of each model.

        Args:
            models: (e, p) dense ranks of e models' distances, see :func:`bgs.evaluation.rsa.dense_ranks`.
            human: (p,) dense ranks of the human dissimilarities.
        """
        order = np.argsort(models, axis=1, kind="stable")
        ordered = np.take_along_axis(models, order, axis=1)
        starts = tuple(np.flatnonzero(np.diff(row, prepend=-1)) for row in ordered)
        return cls(order, starts, human)

    def over_clips(
        self,
        copies: Float64[np.ndarray, "r n"],
        first: Int[np.ndarray, " p"],
        second: Int[np.ndarray, " p"],
    ) -> Float64[np.ndarray, "r e"]:
        """(r, e) correlations with clip i repeated ``copies[:, i]`` times; copies of the same clip form no pairs.

        Args:
            copies: (r, n) numbers ≥ 0.
            first, second: (p,) clips of each pair.

        Returns:
            Correlations, NaN where one side is constant over the pairs with positive weight.
        """

        def weights(rows: slice, pairs: Int[np.ndarray, " p"]) -> Float64[np.ndarray, "b p"]:
            taken: Float64[np.ndarray, "b p"] = copies[rows].take(first[pairs], axis=1)
            taken *= copies[rows].take(second[pairs], axis=1)
            return taken

        return self._over(len(copies), weights)

    def over_units(self, copies: Float64[np.ndarray, "r p"]) -> Float64[np.ndarray, "r e"]:
        """(r, e) correlations with pair i repeated ``copies[:, i]`` times, NaN as in :meth:`over_clips`."""
        return self._over(len(copies), lambda rows, pairs: copies[rows].take(pairs, axis=1))

    def _over(
        self, n: int, weights: Callable[[slice, Int[np.ndarray, " p"]], Float64[np.ndarray, "b p"]]
    ) -> Float64[np.ndarray, "n e"]:
        n_models, n_pairs = self.order.shape
        rho = np.full((n, n_models), np.nan)
        if not n_pairs:
            return rho
        step = max(1, _BLOCK // n_pairs)
        for model, (order, starts) in enumerate(zip(self.order, self.starts, strict=True)):
            groups = self.human[order] + (int(self.human.max()) + 1) * np.arange(step)[:, None]
            for begin in range(0, n, step):
                rows = slice(begin, min(begin + step, n))
                rho[rows, model] = _correlations(weights(rows, order), starts, groups[: rows.stop - begin])
        return np.clip(rho, -1.0, 1.0, out=rho)


def _correlations(
    weights: Float64[np.ndarray, "b p"], starts: Int[np.ndarray, " t"], groups: Int[np.ndarray, "b p"]
) -> Float64[np.ndarray, " b"]:
    """(b,) correlation in each resample of a block.

    Args:
        weights: (b, p) copies of each pair, by ascending distance of the model.
        starts: (t,) first of each run of tied pairs.
        groups: (b, p) tie group of each pair on the human side, numbered on from resample to resample.
    """
    size = np.bincount(groups.ravel(), weights.ravel(), groups[-1].max() + 1).reshape(len(weights), -1)
    total = size.sum(axis=1)
    centre = np.cumsum(size, axis=1) - 0.5 * size - 0.5 * total[:, None]  # mid-ranks minus their mean
    weighted = centre.ravel().take(groups)
    weighted *= weights
    if len(starts) < weights.shape[1]:
        weights, weighted = (np.add.reduceat(rows, starts, axis=1) for rows in (weights, weighted))
    # The human side is centred, so the mean rank of the model side need not be subtracted.
    products = _row_products(weighted, np.cumsum(weights, axis=1)) - 0.5 * _row_products(weighted, weights)
    squares = [total * (total * total) - _row_products(counts, counts * counts) for counts in (size, weights)]
    defined = (squares[0] > 0) & (squares[1] > 0)
    scale = np.sqrt((squares[0] / 12.0) * (squares[1] / 12.0), where=defined, out=np.ones(len(total)))
    return np.where(defined, products / scale, np.nan)


def _row_products(a: Float64[np.ndarray, "b t"], b: Float64[np.ndarray, "b t"]) -> Float64[np.ndarray, " b"]:
    """(b,) dot product of each two rows."""
    products: Float64[np.ndarray, " b"] = np.einsum("bt,bt->b", a, b)
    return products
