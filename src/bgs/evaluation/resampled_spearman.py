"""Spearman correlations over many resamples at once: pairs are ranked once, resamples only count copies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import isqrt

import numpy as np
from scipy.sparse import csr_array

from bgs._typing import Float64, Int

#: Numbers in the array of a block, and resamples in it, at most: enough that a number fetched brings its neighbours, and few
#: enough that a row of pairs stays in the processor's own cache.
_BLOCK, _MOST = 2**23, 64


@dataclass(frozen=True)
class _Copies(ABC):
    """How often each of p pairs is repeated, in r resamples: ``copies`` has a row for each of these."""

    copies: Float64[np.ndarray, "r m"]

    def __len__(self) -> int:
        return len(self.copies)

    @abstractmethod
    def write(
        self, resamples: slice, pairs: Int[np.ndarray, "l k"], out: Float64[np.ndarray, "l k b"]
    ) -> None:
        """Write the copies of these pairs, of which number p is none, in b resamples."""

    @abstractmethod
    def cubes(self, resamples: slice) -> Float64[np.ndarray, " b"]:
        """(b,) the sum over all pairs of the cube of their copies."""


@dataclass(frozen=True)
class ResampledSpearman:
    """What :func:`bgs.evaluation.rsa.weighted_spearman` computes, for many weightings of the same p pairs.

    Arrays are (pairs, resamples): what is done for a pair is done for all resamples of a block, which lie together. For whole
    numbers of copies all sums are exact below 2^53, so results equal those of single resamples to the last digit.

    Attributes:
        models: the pairs of each of e models by ascending distance.
    """

    models: tuple[_Ascending, ...]

    @classmethod
    def of(cls, models: Int[np.ndarray, "e p"], human: Int[np.ndarray, " p"]) -> ResampledSpearman:
        """Sort the pairs of each model.

        Args:
            models: (e, p) dense ranks of e models' distances, see :func:`bgs.evaluation.rsa.dense_ranks`.
            human: (p,) dense ranks of the human dissimilarities.
        """
        return cls(tuple(_Ascending.of(ranks, human) for ranks in models))

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
        return self._over(_CopiesOfClips(copies, first, second))

    def over_units(self, copies: Float64[np.ndarray, "r p"]) -> Float64[np.ndarray, "r e"]:
        """(r, e) correlations with pair i repeated ``copies[:, i]`` times, NaN as in :meth:`over_clips`."""

        return self._over(_CopiesOfUnits(copies))

    def _over(self, copies: _Copies) -> Float64[np.ndarray, "r e"]:
        n = len(copies)
        rho = np.full((n, len(self.models)), np.nan)
        for model, ascending in enumerate(self.models):
            size = ascending.pairs.size
            step = max(1, min(_BLOCK // max(size, 1), _MOST, n))
            room = np.empty(size * step)  # fresh memory for each block takes longer than all sums in it
            for begin in range(0, n if size else 0, step):
                rows = slice(begin, min(begin + step, n))
                counts = room[: size * (rows.stop - begin)].reshape(*ascending.pairs.shape, -1)
                copies.write(rows, ascending.pairs, counts)
                rho[rows, model] = ascending.correlations(counts, copies.cubes(rows))
        return np.clip(rho, -1.0, 1.0, out=rho)


@dataclass(frozen=True)
class _CopiesOfClips(_Copies):
    """A pair is repeated as its clips are together: ``copies`` (r, n) of clips, ``first`` and ``second`` (p,), each pair once."""

    first: Int[np.ndarray, " p"]
    second: Int[np.ndarray, " p"]

    def write(
        self, resamples: slice, pairs: Int[np.ndarray, "l k"], out: Float64[np.ndarray, "l k b"]
    ) -> None:
        of_clips, factor = _with_none(self.copies[resamples]), np.empty_like(out[0])
        one, other = (np.append(clips, self.copies.shape[1])[pairs] for clips in (self.first, self.second))
        for i, j, row in zip(one, other, out, strict=True):
            of_clips.take(i, axis=0, out=row, mode="clip")  # without a mode, numpy buffers it
            row *= of_clips.take(j, axis=0, out=factor, mode="clip")

    def cubes(self, resamples: slice) -> Float64[np.ndarray, " b"]:
        """The cube of a product is that of its factors: of all pairs by sums over clips, less pairs that are not asked for."""
        cubed = np.ascontiguousarray(self.copies[resamples].T) ** 3
        every = (np.sum(cubed, axis=0) ** 2 - np.sum(cubed * cubed, axis=0)) / 2
        return np.asarray(every - np.einsum("nb,nb->b", cubed, self._absent @ cubed))

    @cached_property
    def _absent(self) -> csr_array:
        """(n, n) 1 for pairs of clips that are not among the pairs, once each."""
        absent = np.triu(np.ones((self.copies.shape[1],) * 2, dtype=bool), 1)
        absent[np.minimum(self.first, self.second), np.maximum(self.first, self.second)] = False
        return csr_array(absent, dtype=np.float64)


@dataclass(frozen=True)
class _CopiesOfUnits(_Copies):
    """Each pair is repeated on its own: ``copies`` (r, p)."""

    def write(
        self, resamples: slice, pairs: Int[np.ndarray, "l k"], out: Float64[np.ndarray, "l k b"]
    ) -> None:
        _with_none(self.copies[resamples]).take(pairs, axis=0, out=out, mode="clip")

    def cubes(self, resamples: slice) -> Float64[np.ndarray, " b"]:
        return np.asarray(np.sum(self.copies[resamples] ** 3, axis=1))


@dataclass(frozen=True)
class _Ascending:
    """The pairs of a model by ascending distance, in k columns of l, one after the other.

    What ranks below a pair is in the rows above it, which numpy adds whole, and in the columns before it. The last column may
    end with pairs that do not exist.

    Attributes:
        pairs: (l, k).
        human: (l, k) their dense ranks on the human side.
        of_groups: (g, l·k) sums over the pairs that are tied on the human side.
        of_runs: (l'·k', l·k) sums over those that are tied on the model's side, in columns again; None if none is.
        run_rows: l'.
    """

    pairs: Int[np.ndarray, "l k"]
    human: Int[np.ndarray, "l k"]
    of_groups: csr_array
    of_runs: csr_array | None
    run_rows: int

    @classmethod
    def of(cls, ranks: Int[np.ndarray, " p"], human: Int[np.ndarray, " p"]) -> _Ascending:
        n = len(ranks)
        order = np.argsort(ranks, kind="stable")
        pairs = _in_columns(order, n)
        groups = np.append(human, 0)[pairs]
        of_groups = _summing(groups.ravel(), int(human.max(initial=-1)) + 1)
        n_runs = int(ranks.max(initial=-1)) + 1
        if n_runs == n:
            return cls(pairs, groups, of_groups, None, len(pairs))
        runs = _in_columns(np.arange(n_runs), n_runs)
        places = np.empty(n_runs + 1, dtype=np.intp)
        places[runs.ravel()] = np.arange(runs.size)
        of_runs = _summing(places[np.append(ranks, n_runs - 1)[pairs]].ravel(), runs.size)
        return cls(pairs, groups, of_groups, of_runs, len(runs))

    def correlations(
        self, counts: Float64[np.ndarray, "l k b"], cubes: Float64[np.ndarray, " b"]
    ) -> Float64[np.ndarray, " b"]:
        """(b,) correlation in each resample of a block, by the copies of each pair and the sum of their cubes."""
        size = self.of_groups @ counts.reshape(-1, counts.shape[-1])
        total = size.sum(axis=0)
        centre = np.cumsum(size, axis=0) - 0.5 * size - 0.5 * total  # mid-ranks minus their mean
        # The human side is centred, so the mean rank of the model's side need not be subtracted.
        if self.of_runs is None:
            products = _rank_products(self._pairs(counts, centre))
        else:
            runs, ranked = self._runs(counts, centre)
            products, cubes = _rank_products(zip(runs, ranked, strict=True)), np.sum(runs**3, axis=(0, 1))
        squares = [total * (total * total) - sums for sums in ((size * size * size).sum(axis=0), cubes)]
        defined = (squares[0] > 0) & (squares[1] > 0)
        scale = np.sqrt((squares[0] / 12.0) * (squares[1] / 12.0), where=defined, out=np.ones(len(total)))
        return np.where(defined, products / scale, np.nan)

    def _pairs(
        self, counts: Float64[np.ndarray, "l k b"], centre: Float64[np.ndarray, "g b"]
    ) -> Iterator[tuple[Float64[np.ndarray, "k b"], Float64[np.ndarray, "k b"]]]:
        """Row after row: copies of each pair, and the sum of their ranks on the human side."""
        ranked = np.empty_like(counts[0])
        for groups, row in zip(self.human, counts, strict=True):
            centre.take(groups, axis=0, out=ranked, mode="clip")
            ranked *= row
            yield row, ranked

    def _runs(
        self, counts: Float64[np.ndarray, "l k b"], centre: Float64[np.ndarray, "g b"]
    ) -> tuple[Float64[np.ndarray, "m j b"], Float64[np.ndarray, "m j b"]]:
        """The same of each run of tied pairs, all rows."""
        ranked = centre.take(self.human, axis=0)
        ranked *= counts
        copies, sums = (self.of_runs @ side.reshape(-1, counts.shape[-1]) for side in (counts, ranked))
        shape = (self.run_rows, -1, counts.shape[-1])
        return copies.reshape(shape), sums.reshape(shape)


def _rank_products(
    rows: Iterable[tuple[Float64[np.ndarray, "k b"], Float64[np.ndarray, "k b"]]],
) -> Float64[np.ndarray, " b"]:
    """(b,) sum of human times model ranks, over runs in columns."""
    rows = iter(rows)
    copies, ranked = next(rows)
    products, human = copies * ranked, ranked.copy()
    twice_below, term = 2.0 * copies, np.empty_like(copies)
    for copies, ranked in rows:
        human += ranked
        twice_below += copies  # in the column, and half of the run itself
        products += np.multiply(twice_below, ranked, out=term)
        twice_below += copies
    before = np.cumsum(twice_below, axis=0) - twice_below
    return np.asarray(0.5 * np.sum(products + before * human, axis=0))


def _in_columns(order: Int[np.ndarray, " p"], none: int) -> Int[np.ndarray, "l k"]:
    """As square as can be, column after column, filled up with ``none``."""
    columns = max(1, isqrt(len(order)))
    rows = -(-len(order) // columns)
    filled = np.full(rows * columns, none)
    filled[: len(order)] = order
    return np.ascontiguousarray(filled.reshape(columns, rows).T)


def _with_none(copies: Float64[np.ndarray, "b n"]) -> Float64[np.ndarray, "m b"]:
    """(n + 1, b) copies, of a last one none."""
    padded = np.zeros(
        (copies.shape[1] + 1, len(copies))
    )  # row after row: numpy copies all that it takes from, if it is not
    padded[:-1] = copies.T
    return padded


def _summing(groups: Int[np.ndarray, " p"], n: int) -> csr_array:
    """(n, p) matrix that sums over the members of each of n groups."""
    return csr_array((np.ones(len(groups)), (groups, np.arange(len(groups)))), shape=(n, len(groups)))
