"""The trial table: one row per odd-one-out trial. All readers convert to this type."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import IntEnum
from functools import cached_property

import numpy as np

from bgs._errors import DataError
from bgs._files import sha256_of
from bgs._typing import Bool, Float, Int, Shaped

#: Slot pairs of a trial; pair k is kept together when slot k is odd.
KEPT_PAIR: tuple[tuple[int, int], ...] = ((1, 2), (0, 2), (0, 1))


def kept_pair_distances(
    rdm: Float[np.ndarray, "n n"], triplets: Int[np.ndarray, "t 3"]
) -> Float[np.ndarray, "t 3"]:
    """(t, 3) distance of the pair kept together when slot 0, 1 or 2 is odd."""
    first, second = np.array(KEPT_PAIR).T
    distances: Float[np.ndarray, "t 3"] = rdm[triplets[:, first], triplets[:, second]]
    return distances


class Kind(IntEnum):
    """Kind of trial: a similarity judgment, an attention check (one clip shown twice), or degenerate (one clip three times)."""

    JUDGMENT = 0
    CATCH = 1
    DEGENERATE = 2


@dataclass(frozen=True, repr=False)
class Trials:
    """n odd-one-out trials over a stimulus set. Immutable; filters return new tables.

    Attributes:
        participant: (n,) names.
        block: (n,) names of the block or session.
        trial: (n,) trial numbers within block.
        stimuli: (n, 3) positions into the stimulus set, in the order shown.
        odd: (n,) slot of the chosen odd one, 0–2.
        rt: (n,) response times in seconds, NaN where unknown.
        n_stimuli: size of the stimulus set that ``stimuli`` indexes.

    Raises:
        DataError: columns differ in length, a position is outside the set, or an odd slot is outside 0–2.
    """

    participant: Shaped[np.ndarray, " n"]
    block: Shaped[np.ndarray, " n"]
    trial: Int[np.ndarray, " n"]
    stimuli: Int[np.ndarray, "n 3"]
    odd: Int[np.ndarray, " n"]
    rt: Float[np.ndarray, " n"]
    n_stimuli: int

    def __repr__(self) -> str:
        people = len(np.unique(self.participant))
        return f"Trials({len(self):,} trials of {self.n_stimuli:,} stimuli by {people:,} participants)"

    def __post_init__(self) -> None:
        for name in ("participant", "block", "trial", "odd", "rt"):
            if len(getattr(self, name)) != len(self.stimuli):
                raise DataError(
                    f"trial column {name!r} is not aligned",
                    expected=f"{len(self.stimuli)} rows",
                    got=len(getattr(self, name)),
                )
        if self.stimuli.size and not (self.stimuli.min() >= 0 and self.stimuli.max() < self.n_stimuli):
            row = int(np.flatnonzero(((self.stimuli < 0) | (self.stimuli >= self.n_stimuli)).any(axis=1))[0])
            raise DataError(
                "stimulus position outside the set", where=f"trial {row}",
                expected=f"0 to {self.n_stimuli - 1}", got=self.stimuli[row].tolist(),
            )  # fmt: skip
        if self.odd.size and not (self.odd.min() >= 0 and self.odd.max() <= 2):
            row = int(np.flatnonzero((self.odd < 0) | (self.odd > 2))[0])
            raise DataError(
                "odd slot outside the trial",
                where=f"trial {row}",
                expected="0, 1 or 2",
                got=int(self.odd[row]),
            )

    def __len__(self) -> int:
        return len(self.stimuli)

    @cached_property
    def kind(self) -> Int[np.ndarray, " n"]:
        """(n,) :class:`Kind` of each trial, from the number of distinct stimuli."""
        a, b, c = self.stimuli.T
        equal = (a == b).astype(np.int64) + (a == c) + (b == c)  # 0, 1 or 3 equal pairs
        kind: Int[np.ndarray, " n"] = np.minimum(equal, 2)
        return kind

    @property
    def judgments(self) -> Trials:
        """Only the trials that are similarity judgments: three distinct stimuli."""
        return self.where(self.kind == Kind.JUDGMENT)

    def where(self, mask: Bool[np.ndarray, " n"]) -> Trials:
        """The trials for which ``mask`` holds: these trials themselves, not a copy, if it holds for all."""
        if mask.all():
            return self
        picked = {f.name: getattr(self, f.name)[mask] for f in fields(self) if f.name != "n_stimuli"}
        return Trials(**picked, n_stimuli=self.n_stimuli)

    def followed_by(self, others: Trials) -> Trials:
        """These trials, then others over the same stimulus set.

        Raises:
            DataError: the stimulus sets differ in size.
        """
        if others.n_stimuli != self.n_stimuli:
            raise DataError(
                "trials over another stimulus set", expected=f"{self.n_stimuli} stimuli", got=others.n_stimuli
            )
        names = [field.name for field in fields(self) if field.name != "n_stimuli"]
        both = {name: np.concatenate([getattr(self, name), getattr(others, name)]) for name in names}
        return Trials(**both, n_stimuli=self.n_stimuli)

    def within(self, stimuli: Bool[np.ndarray, " s"]) -> Trials:
        """The trials whose three stimuli all belong to the (n_stimuli,) mask."""
        return self.where(self.count_in(stimuli) == 3)

    def among(self, positions: Int[np.ndarray, " m"]) -> Trials:
        """The trials whose three stimuli are all at ``positions``, which must ascend; stimuli are positions in these."""
        inside = np.zeros(self.n_stimuli, dtype=bool)
        inside[positions] = True
        left = self.within(inside)
        return replace(left, stimuli=np.searchsorted(positions, left.stimuli), n_stimuli=len(positions))

    def count_in(self, stimuli: Bool[np.ndarray, " s"]) -> Int[np.ndarray, " n"]:
        """(n,) number of each trial's three slots that show a stimulus of the (n_stimuli,) mask."""
        inside: Int[np.ndarray, " n"] = stimuli[self.stimuli].sum(axis=1)
        return inside

    @cached_property
    def kept(self) -> Int[np.ndarray, "n 2"]:
        """(n, 2) positions of the two stimuli that were kept together."""
        slots = np.array(KEPT_PAIR)[self.odd]
        return np.take_along_axis(self.stimuli, slots, axis=1)

    @cached_property
    def participant_codes(self) -> Int[np.ndarray, " n"]:
        """(n,) participant numbers 0..P−1, in the order of their sorted names."""
        return np.unique(self.participant, return_inverse=True)[1]

    @cached_property
    def triplet_codes(self) -> Int[np.ndarray, " n"]:
        """(n,) integer code of each unordered triplet, equal for trials of the same three stimuli."""
        a, b, c = np.sort(self.stimuli, axis=1).astype(np.int64).T
        codes: Int[np.ndarray, " n"] = (a * self.n_stimuli + b) * self.n_stimuli + c
        return codes

    def hash(self) -> str:
        """SHA-256 over every column."""
        names = "\n".join(self.participant.tolist()), "\n".join(self.block.tolist())
        numbers = [np.ascontiguousarray(x).tobytes() for x in (self.trial, self.stimuli, self.odd, self.rt)]
        return sha256_of(*names, *numbers, str(self.n_stimuli))
