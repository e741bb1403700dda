"""A trial schedule, and how well it covers pairs of clips."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from bgs._codec import JsonDataclass, Number
from bgs._typing import Bool, Int, Shaped
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
        block: (t,) block numbers from 0, ascending.
        trial: (t,) number within the block, from 0, ascending.
        stimuli: (t, 3) positions into ``stimulus_ids``; the order on screen is drawn anew by whatever shows them.
        kind: (t,) :class:`Shown`.
    """

    stimulus_ids: tuple[str, ...]
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
        return int(self.block[-1]) + 1 if len(self) else 0

    def count(self, kind: Shown) -> int:
        """Number of trials of a kind."""
        return int((self.kind == kind).sum())

    def block_names(self) -> Shaped[np.ndarray, " t"]:
        """(t,) names as in ``schedule.csv``: ``block-0001`` and so on."""
        width = max(4, len(str(self.n_blocks)))  # so that they sort as they are numbered
        names = np.array([f"block-{number + 1:0{width}d}" for number in range(self.n_blocks)], dtype=np.str_)
        found: Shaped[np.ndarray, " t"] = names[self.block]
        return found

    def unanswered(self) -> Trials:
        """The schedule as trials of one participant a block; the first slot stands in for every answer."""
        names = self.block_names()
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
