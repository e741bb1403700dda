"""How often each pair is repeated in each of many resamples, computed where it is asked for: all of it stays in no cache."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from bgs._typing import Float64, Int

#: Resamples whose products are summed at once: few enough that their memory is not new each time, which takes as long again.
_FEW = 16


@dataclass(frozen=True)
class Copies(ABC):
    """Copies of p pairs in r resamples, of which a block of b is taken at a time.

    Attributes:
        copies: (r, n) of what is drawn.
    """

    copies: Float64[np.ndarray, "r n"]

    def __len__(self) -> int:
        return len(self.copies)

    @property
    @abstractmethod
    def size(self) -> int:
        """Numbers that a block holds for each resample, about."""

    @abstractmethod
    def block(self, resamples: slice) -> CopiesBlock:
        """Those of b resamples."""


class CopiesBlock(ABC):
    """Copies of p pairs in b resamples; what is computed for a pair is computed for all resamples, which lie together."""

    @abstractmethod
    def rows(self, pairs: Int[np.ndarray, "l k"]) -> Iterator[Float64[np.ndarray, "k b"]]:
        """Row after row of pairs, of which number p is none; each is overwritten by the next."""

    @abstractmethod
    def sums(self) -> Float64[np.ndarray, "g b"]:
        """Sums over the pairs of each group."""

    @property
    @abstractmethod
    def cubes(self) -> Float64[np.ndarray, " b"]:
        """Sums over all pairs of the cube of their copies."""


@dataclass(frozen=True)
class CopiesOfClips(Copies):
    """A pair is repeated as often as its clips are together.

    The sum over a group is a quadratic form in the copies of clips: each clip's copies times the sum over its partners in the
    group. There are fewer clips with a partner in a group than pairs, where groups are large.

    Attributes:
        copies: (r, n) of the clips that pairs have.
        ends: (2, p + 1) the clips of each pair; of the last one, which is none, clip n.
        of_partners: (m, n + 1) sums over the partners of m clips in a group each.
        owners: (m,) these clips.
        of_groups: (g, m) sums over the clips of a group.
        absent: (n, n) 1 for pairs of clips that are not among the pairs, once each.
    """

    ends: Int[np.ndarray, "2 q"]
    of_partners: csr_array
    owners: Int[np.ndarray, " m"]
    of_groups: csr_array
    absent: csr_array

    @classmethod
    def of(
        cls,
        copies: Float64[np.ndarray, "r n"],
        first: Int[np.ndarray, " p"],
        second: Int[np.ndarray, " p"],
        groups: Int[np.ndarray, " p"],
    ) -> CopiesOfClips:
        """Of pairs of different clips, each once, in ``groups`` from 0 without gaps."""
        clips, ends = np.unique([first, second], return_inverse=True)
        (first, second), n = ends.reshape(2, -1), len(clips)
        members, place = np.unique(groups * n + first, return_inverse=True)
        of_partners = csr_array((np.ones(len(first)), (place, second)), shape=(len(members), n + 1))
        absent = np.triu(np.ones((n, n), dtype=bool), 1)
        absent[np.minimum(first, second), np.maximum(first, second)] = False
        return cls(
            copies[:, clips], np.append([first, second], [[n], [n]], axis=1), of_partners, members % n,
            summing(members // n, int(groups.max(initial=-1)) + 1), csr_array(absent, dtype=np.float64),
        )  # fmt: skip

    @property
    def size(self) -> int:
        return len(self.owners)

    def block(self, resamples: slice) -> CopiesBlock:
        return _BlockOfClips(self, _with_none(self.copies[resamples]))


@dataclass(frozen=True)
class _BlockOfClips(CopiesBlock):
    """``table`` (n + 1, b) has the copies of clips, and none of a last one."""

    pairs: CopiesOfClips
    table: Float64[np.ndarray, "m b"]

    def rows(self, pairs: Int[np.ndarray, "l k"]) -> Iterator[Float64[np.ndarray, "k b"]]:
        row, factor = np.empty((2, pairs.shape[1], self.table.shape[1]))
        for one, other in zip(*self.pairs.ends.take(pairs, axis=1), strict=True):
            self.table.take(one, axis=0, out=row, mode="clip")  # without a mode, numpy buffers it
            row *= self.table.take(other, axis=0, out=factor, mode="clip")
            yield row

    def sums(self) -> Float64[np.ndarray, "g b"]:
        parts = [self.table[:, begin : begin + _FEW] for begin in range(0, self.table.shape[1], _FEW)]
        return np.concatenate([self._sums(np.ascontiguousarray(part)) for part in parts], axis=1)

    def _sums(self, table: Float64[np.ndarray, "m f"]) -> Float64[np.ndarray, "g f"]:
        products = self.pairs.of_partners @ table
        products *= table.take(self.pairs.owners, axis=0)
        return np.asarray(self.pairs.of_groups @ products)

    @cached_property
    def cubes(self) -> Float64[np.ndarray, " b"]:
        """The cube of a product is that of its factors: of all pairs by sums over clips, less pairs that are not asked for."""
        cubed = self.table[:-1] ** 3
        every = (np.sum(cubed, axis=0) ** 2 - np.sum(cubed * cubed, axis=0)) / 2
        return np.asarray(every - np.einsum("nb,nb->b", cubed, self.pairs.absent @ cubed))


@dataclass(frozen=True)
class CopiesOfUnits(Copies):
    """Each pair is repeated on its own.

    Attributes:
        copies: (r, p).
        of_groups: (g, p + 1) sums over the pairs of a group.
    """

    of_groups: csr_array

    @classmethod
    def of(cls, copies: Float64[np.ndarray, "r p"], groups: Int[np.ndarray, " p"]) -> CopiesOfUnits:
        """Of pairs in ``groups`` from 0 without gaps."""
        n = int(groups.max(initial=-1)) + 1
        return cls(copies, summing(np.append(groups, 0), n))

    @property
    def size(self) -> int:
        return int(self.copies.shape[1])

    def block(self, resamples: slice) -> CopiesBlock:
        return _BlockOfUnits(self, _with_none(self.copies[resamples]))


@dataclass(frozen=True)
class _BlockOfUnits(CopiesBlock):
    """``table`` (p + 1, b) has the copies of pairs, and none of a last one."""

    pairs: CopiesOfUnits
    table: Float64[np.ndarray, "m b"]

    def rows(self, pairs: Int[np.ndarray, "l k"]) -> Iterator[Float64[np.ndarray, "k b"]]:
        row = np.empty((pairs.shape[1], self.table.shape[1]))
        for chosen in pairs:
            yield self.table.take(chosen, axis=0, out=row, mode="clip")

    def sums(self) -> Float64[np.ndarray, "g b"]:
        return np.asarray(self.pairs.of_groups @ self.table)

    @cached_property
    def cubes(self) -> Float64[np.ndarray, " b"]:
        return np.asarray(np.sum(self.table**3, axis=0))


def _with_none(copies: Float64[np.ndarray, "b n"]) -> Float64[np.ndarray, "m b"]:
    """(n + 1, b) copies, of a last one none, row after row: numpy copies all that it takes from, if it is not."""
    padded = np.zeros((copies.shape[1] + 1, len(copies)))
    padded[:-1] = copies.T
    return padded


def summing(groups: Int[np.ndarray, " p"], n: int) -> csr_array:
    """(n, p) matrix that sums over the members of each of n groups."""
    return csr_array((np.ones(len(groups)), (groups, np.arange(len(groups)))), shape=(n, len(groups)))
