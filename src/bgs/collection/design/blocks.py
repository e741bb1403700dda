"""Blocks: how many judgments, repeats and checks each participant sees, and in which order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bgs._errors import ConfigError
from bgs._typing import Int
from bgs.collection.design.settings import DesignSettings, RepeatsIn
from bgs.collection.schedule import Shown


@dataclass(frozen=True)
class BlockSizes:
    """Numbers of new triplets, repeats and attention checks in each of b blocks."""

    judgments: Int[np.ndarray, " b"]
    repeats: Int[np.ndarray, " b"]
    checks: Int[np.ndarray, " b"]

    def __len__(self) -> int:
        """Number of trials of all kinds."""
        return int((self.judgments + self.repeats + self.checks).sum())

    @classmethod
    def of_trials(cls, n: int, settings: DesignSettings) -> BlockSizes:
        """The fewest blocks for n trials of any kind; their sizes differ by at most one.

        Raises:
            ConfigError: too many repeats or checks for the blocks.
        """
        sizes = _evenly(n, -(-n // settings.block_trials))
        repeats = np.round(settings.repeats * sizes).astype(np.int64)
        checks = np.round(settings.checks * sizes).astype(np.int64)
        return cls(sizes - repeats - checks, repeats, checks)._checked(settings)

    @classmethod
    def of_judgments(cls, n: int, settings: DesignSettings) -> BlockSizes:
        """The fewest blocks for n new triplets, with repeats and checks in addition.

        Raises:
            ConfigError: too many repeats or checks for the blocks.
        """
        size = settings.block_trials
        repeats, checks = round(settings.repeats * size), round(settings.checks * size)
        new = size - repeats - checks
        if new < 1:
            raise _crowded(settings)
        judgments = _evenly(n, -(-n // new))
        full = (np.full(len(judgments), number) for number in (repeats, checks))
        return cls(judgments, *full)._checked(settings)

    def _checked(self, settings: DesignSettings) -> BlockSizes:
        if (self.judgments < np.maximum(2 * self.repeats, self.checks)).any() or (self.judgments < 1).any():
            raise _crowded(settings)
        if settings.repeats_in == "other" and self.repeats.any() and len(self.judgments) == 1:
            raise ConfigError(
                "there is no other block to repeat", where="repeats_in", expected="several blocks",
                hint="more trials, or fewer in a block",
            )  # fmt: skip
        return self


def _crowded(settings: DesignSettings) -> ConfigError:
    return ConfigError(
        "too many repeats or checks", where=f"blocks of {settings.block_trials} trials",
        expected="at least two new triplets for each repeat, and one for each check",
        got=f"repeats {settings.repeats:g}, checks {settings.checks:g}",
    )  # fmt: skip


def _evenly(n: int, parts: int) -> Int[np.ndarray, " b"]:
    return n // parts + (np.arange(parts) < n % parts).astype(np.int64)


def lay_out(
    triplets: Int[np.ndarray, "j 3"], sizes: BlockSizes, repeats_in: RepeatsIn, rng: np.random.Generator
) -> tuple[Int[np.ndarray, " t"], Int[np.ndarray, " t"], Int[np.ndarray, "t 3"], Int[np.ndarray, " t"]]:
    """Put new triplets, repeats and checks into blocks, in random order.

    A triplet that is repeated in its block is first shown in the first half and again in the second. A check shows one
    clip of a triplet of its block twice, and one other, so that a block shows no more clips than without.

    Args:
        triplets: new triplets, as many as ``sizes`` has; they fill one block after the other.
        sizes: numbers of trials of each kind.
        repeats_in: where repeated triplets come from.
        rng: random generator.

    Returns:
        (t,) block, trial within block from 0, (t, 3) clips in random order and (t,) :class:`Shown`, sorted by block and trial.
    """
    number = np.arange(len(sizes.judgments))
    block = np.repeat(number, sizes.judgments)
    place = (rank_within(block, rng.random(len(block))) + 0.5) / sizes.judgments[block]
    again, where = _repeated(block, place, sizes, repeats_in, rng)
    check = _first(block, rng.random(len(block)), sizes.checks)
    doubled = rng.permuted(triplets[check], axis=1)[:, [0, 0, 1]]
    shown = np.concatenate([triplets, triplets[again], doubled])
    kind = np.repeat([Shown.JUDGMENT, Shown.REPEAT, Shown.CHECK], [len(triplets), len(again), len(check)])
    blocks = np.concatenate([block, where, block[check]])
    # In the block: repeats in its second half; checks anywhere.
    places = np.concatenate([place, 0.5 + rng.random(len(again)) / 2, rng.random(len(check))])
    order = np.lexsort([places, blocks])
    trial = rank_within(blocks, places)[order]
    return blocks[order], trial, rng.permuted(shown[order], axis=1), kind[order].astype(np.int64)


def _repeated(
    block: Int[np.ndarray, " j"],
    place: np.ndarray,
    sizes: BlockSizes,
    repeats_in: RepeatsIn,
    rng: np.random.Generator,
) -> tuple[Int[np.ndarray, " r"], Int[np.ndarray, " r"]]:
    """Rows of the triplets that are repeated, and the block in which they are."""
    late = np.where(place < 0.5, 0.0, 1.0)
    if repeats_in == "block" or not sizes.repeats.any():
        again = _first(block, rng.random(len(block)) + late, sizes.repeats)
        return again, block[again]
    shift = int(rng.integers(1, len(sizes.judgments)))  # block b repeats triplets of block b − shift
    again = _first(block, rng.random(len(block)), np.roll(sizes.repeats, -shift))
    return again, (block[again] + shift) % len(sizes.judgments)


def rank_within(block: Int[np.ndarray, " t"], key: np.ndarray) -> Int[np.ndarray, " t"]:
    """(t,) rank from 0 of each key within its block; blocks are numbered from 0."""
    order = np.lexsort([key, block])
    starts = np.concatenate([[0], np.cumsum(np.bincount(block))])
    rank = np.empty(len(block), dtype=np.int64)
    rank[order] = np.arange(len(block)) - starts[block[order]]
    return rank


def _first(
    block: Int[np.ndarray, " j"], key: np.ndarray, numbers: Int[np.ndarray, " b"]
) -> Int[np.ndarray, " r"]:
    """Rows with the lowest keys, so many of each block."""
    return np.flatnonzero(rank_within(block, key) < numbers[block])
