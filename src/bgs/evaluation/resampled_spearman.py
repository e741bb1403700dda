"""Spearman correlations over many resamples at once: pairs are ranked once, resamples only count copies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isqrt

import numpy as np
from scipy.sparse import csr_array

from bgs._typing import Float64, Int
from bgs.evaluation.resampled_copies import Copies, CopiesBlock, CopiesOfClips, CopiesOfUnits, summing

#: Numbers in an array of a block, and resamples in it, at most: enough that a number fetched brings its neighbours, and few
#: enough that a row of pairs stays in the processor's own cache.
_BLOCK, _MOST = 2**22, 256


@dataclass(frozen=True)
class ResampledSpearman:
    """What :func:`bgs.evaluation.rsa.weighted_spearman` computes, for many weightings of the same p pairs.

    Arrays are (pairs, resamples): what is done for a pair is done for all resamples of a block, which lie together. For whole
    numbers of copies all sums are exact below 2^53, so results equal those of single resamples to the last digit.

    Attributes:
        models: the pairs of each of e models by ascending distance.
        human: (p,) dense ranks of the human dissimilarities.
    """

    models: tuple[_Ascending, ...]
    human: Int[np.ndarray, " p"]

    @classmethod
    def of(cls, models: Int[np.ndarray, "e p"], human: Int[np.ndarray, " p"]) -> ResampledSpearman:
        """Sort the pairs of each model.

        Args:
            models: (e, p) dense ranks of e models' distances, see :func:`bgs.evaluation.rsa.dense_ranks`.
            human: (p,) dense ranks of the human dissimilarities.
        """
        return cls(tuple(_Ascending.of(ranks, human) for ranks in models), human)

    def over_clips(
        self,
        copies: Float64[np.ndarray, "r n"],
        first: Int[np.ndarray, " p"],
        second: Int[np.ndarray, " p"],
    ) -> Float64[np.ndarray, "r e"]:
        """(r, e) correlations with clip i repeated ``copies[:, i]`` times; copies of the same clip form no pairs.

        Args:
            copies: (r, n) numbers ≥ 0.
            first, second: (p,) clips of each pair, which are different ones; no pair is there twice.

        Returns:
            Correlations, NaN where one side is constant over the pairs with positive weight.
        """
        return self._over(CopiesOfClips.of(copies, first, second, self.human))

    def over_units(self, copies: Float64[np.ndarray, "r p"]) -> Float64[np.ndarray, "r e"]:
        """(r, e) correlations with pair i repeated ``copies[:, i]`` times, NaN as in :meth:`over_clips`."""
        return self._over(CopiesOfUnits.of(copies, self.human))

    def _over(self, copies: Copies) -> Float64[np.ndarray, "r e"]:
        n, size = len(copies), copies.size
        rho = np.full((n, len(self.models)), np.nan)
        if any(model.of_runs is not None for model in self.models):
            size = max(size, len(self.human))
        step = max(1, min(_BLOCK // max(size, 1), _MOST, n))
        for begin in range(0, n if len(self.human) else 0, step):
            rows = slice(begin, min(begin + step, n))
            block = copies.block(rows)
            human = _Human.of(block.sums())
            for model, ascending in enumerate(self.models):
                rho[rows, model] = ascending.correlations(block, human)
        return np.clip(rho, -1.0, 1.0, out=rho)


@dataclass(frozen=True)
class _Human:
    """The human side of b resamples.

    Attributes:
        centre: (g, b) mid-rank of each group of tied pairs, minus the mean rank.
        total: (b,) copies of all pairs.
        squares: (b,) twelve times the sum of squared ranks, minus their mean, over all copies.
    """

    centre: Float64[np.ndarray, "g b"]
    total: Float64[np.ndarray, " b"]
    squares: Float64[np.ndarray, " b"]

    @classmethod
    def of(cls, sizes: Float64[np.ndarray, "g b"]) -> _Human:
        """By the copies in each group, of ascending dissimilarity."""
        total = sizes.sum(axis=0)
        centre = np.cumsum(sizes, axis=0) - 0.5 * sizes - 0.5 * total
        return cls(centre, total, _squares(total, (sizes * sizes * sizes).sum(axis=0)))


@dataclass(frozen=True)
class _Ascending:
    """The pairs of a model by ascending distance, in k columns of l, one after the other.

    What ranks below a pair is in the rows above it, which numpy adds whole, and in the columns before it. The last column may
    end with pairs that do not exist.

    Attributes:
        pairs: (l, k).
        human: (l, k) their dense ranks on the human side.
        of_runs: (l'·k', l·k) sums over the pairs that are tied on the model's side, in columns again; None if none is.
        run_rows: l'.
    """

    pairs: Int[np.ndarray, "l k"]
    human: Int[np.ndarray, "l k"]
    of_runs: csr_array | None
    run_rows: int

    @classmethod
    def of(cls, ranks: Int[np.ndarray, " p"], human: Int[np.ndarray, " p"]) -> _Ascending:
        n = len(ranks)
        order = np.argsort(ranks, kind="stable")
        pairs = _in_columns(order, n)
        groups = np.append(human, 0)[pairs]
        n_runs = int(ranks.max(initial=-1)) + 1
        if n_runs == n:
            return cls(pairs, groups, None, len(pairs))
        runs = _in_columns(np.arange(n_runs), n_runs)
        places = np.empty(n_runs + 1, dtype=np.intp)
        places[runs.ravel()] = np.arange(runs.size)
        of_runs = summing(places[np.append(ranks, n_runs - 1)[pairs]].ravel(), runs.size)
        return cls(pairs, groups, of_runs, len(runs))

    def correlations(self, copies: CopiesBlock, human: _Human) -> Float64[np.ndarray, " b"]:
        """(b,) correlation in each resample of a block; the human side is centred, so that this one need not be."""
        if self.of_runs is None:
            products, cubes = _rank_products(self._pairs(copies, human.centre)), copies.cubes
        else:
            runs, ranked = self._runs(copies, human.centre)
            products, cubes = _rank_products(zip(runs, ranked, strict=True)), np.sum(runs**3, axis=(0, 1))
        squares = _squares(human.total, cubes)
        defined = (human.squares > 0) & (squares > 0)
        scale = np.sqrt((human.squares / 12.0) * (squares / 12.0), where=defined, out=np.ones(len(cubes)))
        return np.where(defined, products / scale, np.nan)

    def _pairs(
        self, copies: CopiesBlock, centre: Float64[np.ndarray, "g b"]
    ) -> Iterator[tuple[Float64[np.ndarray, "k b"], Float64[np.ndarray, "k b"]]]:
        """Row after row: copies of each pair, and the sum of their ranks on the human side."""
        ranked = np.empty((self.pairs.shape[1], centre.shape[1]))
        for groups, row in zip(self.human, copies.rows(self.pairs), strict=True):
            centre.take(groups, axis=0, out=ranked, mode="clip")  # without a mode, numpy buffers it
            ranked *= row
            yield row, ranked

    def _runs(
        self, copies: CopiesBlock, centre: Float64[np.ndarray, "g b"]
    ) -> tuple[Float64[np.ndarray, "m j b"], Float64[np.ndarray, "m j b"]]:
        """The same of each run of tied pairs, all rows."""
        sides = np.empty((2, *self.pairs.shape, centre.shape[1]))
        for place, (row, ranked) in enumerate(self._pairs(copies, centre)):
            sides[0, place], sides[1, place] = row, ranked
        runs, ranked = (self.of_runs @ side.reshape(-1, side.shape[-1]) for side in sides)
        shape = (self.run_rows, -1, centre.shape[1])
        return runs.reshape(shape), ranked.reshape(shape)


def _squares(total: Float64[np.ndarray, " b"], cubes: Float64[np.ndarray, " b"]) -> Float64[np.ndarray, " b"]:
    """(b,) twelve times the sum of squares of mid-ranks minus their mean, by the cubes of the numbers that are tied."""
    return np.asarray(total * (total * total) - cubes)


def _rank_products(
    rows: Iterable[tuple[Float64[np.ndarray, "k b"], Float64[np.ndarray, "k b"]]],
) -> Float64[np.ndarray, " b"]:
    """(b,) sum of human times model ranks, over runs in columns."""
    rows = iter(rows)
    copies, ranked = next(rows)
    twice_below, human = copies.copy(), ranked.copy()
    products = np.einsum("kb,kb->b", twice_below, ranked)
    twice_below += copies
    for copies, ranked in rows:
        human += ranked
        twice_below += copies  # in the column, and half of the run itself
        products += np.einsum("kb,kb->b", twice_below, ranked)
        twice_below += copies
    before = np.cumsum(twice_below, axis=0) - twice_below
    return np.asarray(0.5 * (products + np.einsum("kb,kb->b", before, human)))


def _in_columns(order: Int[np.ndarray, " p"], none: int) -> Int[np.ndarray, "l k"]:
    """As square as can be, column after column, filled up with ``none``."""
    columns = max(1, isqrt(len(order)))
    rows = -(-len(order) // columns)
    filled = np.full(rows * columns, none)
    filled[: len(order)] = order
    return np.ascontiguousarray(filled.reshape(columns, rows).T)
