"""A trial schedule: what each participant sees, and how well it covers pairs of clips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

import numpy as np

from bgs._codec import JsonDataclass, Number
from bgs._errors import DataError
from bgs._typing import Bool, Int
from bgs.judgments import PairCounts, Trials


class Shown(IntEnum):
    """Kind of trial: a new triplet, one that was shown before (in its block or another), or one clip twice."""

    JUDGMENT = 0
    REPEAT = 1
    CHECK = 2

    @property
    def label(self) -> str:
        """Its name in ``schedule.csv``."""
        return self.name.lower()


class ScheduledTrial(NamedTuple):
    """A triplet of a block; its order on screen is drawn anew for each participant.

    Attributes:
        number: within its block, from 0.
        stimuli: ids.
        kind: as in ``schedule.csv``.
    """

    number: int
    stimuli: tuple[str, str, str]
    kind: str


@dataclass(frozen=True)
class Coverage(JsonDataclass):
    """How often pairs of clips are shown together, repeats included.

    Attributes:
        pairs: number of pairs that the design may show: all, or those on one side of the split.
        shown: number of pairs shown at least once.
        smallest, median, largest: times that a pair is shown.
        clip_smallest, clip_largest: new triplets that show a clip.
        triplets: number of distinct triplets.
        relative_size: judgments, relative to the fewest that could show each pair ``smallest`` times (pairs · smallest /
            3); NaN if a pair is not shown.
    """

    pairs: int
    shown: int
    smallest: int
    median: float
    largest: int
    clip_smallest: int
    clip_largest: int
    triplets: int
    relative_size: Number


@dataclass(frozen=True, repr=False)
class Schedule:
    """t trials in blocks; a block is what one participant sees in one session.

    Attributes:
        stimulus_ids: n clips.
        names: of the blocks, in the order in which they are handed out.
        block: (t,) positions into ``names``, ascending.
        trial: (t,) number within the block, from 0, ascending.
        stimuli: (t, 3) positions into ``stimulus_ids``; the order on screen is drawn anew by whatever shows them.
        kind: (t,) :class:`Shown`.
    """

    stimulus_ids: tuple[str, ...]
    names: tuple[str, ...]
    block: Int[np.ndarray, " t"]
    trial: Int[np.ndarray, " t"]
    stimuli: Int[np.ndarray, "t 3"]
    kind: Int[np.ndarray, " t"]

    def __repr__(self) -> str:
        return (
            f"Schedule({len(self):,} trials of {len(self.stimulus_ids):,} clips in {self.n_blocks:,} blocks)"
        )

    def __len__(self) -> int:
        return len(self.block)

    @property
    def n_blocks(self) -> int:
        """Number of blocks, and so of participants."""
        return len(self.names)

    @property
    def blocks(self) -> Blocks:
        """Name -> trials, in the order in which blocks are handed out."""
        return Blocks(self)

    @cached_property
    def positions(self) -> dict[str, int]:
        """Name of a block -> its position."""
        return {name: k for k, name in enumerate(self.names)}

    @cached_property
    def bounds(self) -> Int[np.ndarray, " b_and_1"]:
        """(b + 1,) first row of each block, and the number of all rows."""
        return np.searchsorted(self.block, np.arange(self.n_blocks + 1))

    def rows_of(self, block: str) -> range:
        """Rows of a block, by its name."""
        position = self.positions[block]
        return range(int(self.bounds[position]), int(self.bounds[position + 1]))

    def row(self, block: str, trial: int) -> int:
        """Row of a trial, by its block and its number."""
        return int(self.bounds[self.positions[block]]) + trial

    def at(self, row: int) -> ScheduledTrial:
        """The trial of a row."""
        first, second, third = (self.stimulus_ids[k] for k in self.stimuli[row].tolist())
        return ScheduledTrial(int(self.trial[row]), (first, second, third), Shown(int(self.kind[row])).label)

    def count(self, kind: Shown) -> int:
        """Number of trials of a kind."""
        return int((self.kind == kind).sum())

    def first(self, n_blocks: int) -> Schedule:
        """The first blocks alone; all of them where there are fewer."""
        t = int(self.bounds[min(n_blocks, self.n_blocks)])
        return Schedule(
            self.stimulus_ids, self.names[:n_blocks], self.block[:t], self.trial[:t], self.stimuli[:t], self.kind[:t]
        )  # fmt: skip

    def followed_by(self, other: Schedule) -> Schedule:
        """The blocks of this schedule, then those of another one of the same clips.

        Raises:
            DataError: it is of other clips, or has a block of the same name.
        """
        if other.stimulus_ids != self.stimulus_ids:
            raise DataError("schedules of other clips cannot be joined")
        twice = set(self.names) & set(other.names)
        if twice:
            raise DataError("two blocks have the same name", got=sorted(twice)[0])
        pairs = ((getattr(self, name), getattr(other, name)) for name in ("trial", "stimuli", "kind"))
        block = np.concatenate([self.block, other.block + self.n_blocks])
        return Schedule(self.stimulus_ids, self.names + other.names, block, *map(np.concatenate, pairs))

    def unanswered(self) -> Trials:
        """The schedule as trials of one participant a block; the first slot stands in for every answer."""
        names = np.array(self.names, dtype=np.str_)[self.block]
        none = np.zeros(len(self), dtype=np.int64)
        times = np.full(len(self), np.nan)
        return Trials(names, names, self.trial, self.stimuli, none, times, len(self.stimulus_ids))

    def coverage(self, allowed: Bool[np.ndarray, "n n"] | None = None) -> Coverage:
        """How often pairs are shown together.

        Args:
            allowed: (n, n) pairs that the design may show; None: all.
        """
        trials, upper = self.unanswered(), np.triu_indices(len(self.stimulus_ids), 1)
        counts = PairCounts.from_trials(trials).shown[upper]
        counts = counts if allowed is None else counts[allowed[upper]]
        judged = trials.judgments
        new = self.stimuli[self.kind == Shown.JUDGMENT]
        clips = np.bincount(new.ravel(), minlength=len(self.stimulus_ids))
        least = int(counts.min())
        return Coverage(
            pairs=len(counts),
            shown=int((counts > 0).sum()),
            smallest=least,
            median=float(np.median(counts)),
            largest=int(counts.max()),
            clip_smallest=int(clips.min()),
            clip_largest=int(clips.max()),
            triplets=len(np.unique(judged.triplet_codes)),
            relative_size=3 * len(judged) / (len(counts) * least) if least else float("nan"),
        )


def numbered_blocks(n_blocks: int, first: int = 1) -> tuple[str, ...]:
    """Names of blocks: ``block-0001`` and so on, so that they sort as they are numbered."""
    width = max(4, len(str(first + n_blocks - 1)))
    return tuple(f"block-{number:0{width}d}" for number in range(first, first + n_blocks))


class Blocks(Mapping[str, tuple[ScheduledTrial, ...]]):
    """The blocks of a schedule by name, made when they are asked for: a schedule may have millions of trials."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def __getitem__(self, name: str) -> tuple[ScheduledTrial, ...]:
        return tuple(map(self._schedule.at, self._schedule.rows_of(name)))

    def __iter__(self) -> Iterator[str]:
        return iter(self._schedule.names)

    def __len__(self) -> int:
        return self._schedule.n_blocks
