"""Triplets on which a model and people part, clip by clip, without drawing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from bgs._errors import DataError
from bgs.evaluation.disagreement import Disagreement
from bgs.report.numbers import plain

#: Who chooses, in the order shown, and what they are called.
CHOOSERS = {"people": "people", "base": "base", "tuned": "tuned"}


@dataclass(frozen=True)
class TripletClip:
    """One of the three clips.

    Attributes:
        name: its id.
        frames: (k, h, w, 3) a strip of frames, time from left to right.
        caption: what it shows, or empty.
    """

    name: str
    frames: UInt8[np.ndarray, "k h w 3"]
    caption: str = ""


@dataclass(frozen=True)
class TripletSpec:
    """Three clips and who left which of them out.

    Attributes:
        clips: the three, left to right.
        odd: chooser (``people``, ``base``, ``tuned``) -> slot 0–2 that they left out.
        note: how sure the choices are.

    Raises:
        DataError: a chooser that is none of the three, or a slot outside 0–2.
    """

    clips: tuple[TripletClip, TripletClip, TripletClip]
    odd: Mapping[str, int]
    note: str = ""

    def __post_init__(self) -> None:
        wrong = {who: slot for who, slot in self.odd.items() if who not in CHOOSERS or slot not in (0, 1, 2)}
        if wrong:
            raise DataError(
                "not a choice among three clips",
                expected=f"{', '.join(CHOOSERS)} with slot 0, 1 or 2",
                got=wrong,
            )

    def choosers(self, slot: int) -> tuple[str, ...]:
        """Who left this clip out, in the order of :data:`CHOOSERS`."""
        return tuple(who for who in CHOOSERS if self.odd.get(who) == slot)

    def describe(self) -> str:
        """The triplet in words."""
        clips = ", ".join(clip.name for clip in self.clips)
        chosen = "; ".join(
            f"{CHOOSERS[who]} left out {self.clips[self.odd[who]].name}"
            for who in CHOOSERS
            if who in self.odd
        )
        return f"{clips}: {chosen}"


def triplet_spec(
    found: Disagreement,
    names: Sequence[str],
    frames: Mapping[int, UInt8[np.ndarray, "k h w 3"]],
    captions: Sequence[str] = (),
) -> TripletSpec:
    """A ranked disagreement with its clips' frames.

    Args:
        found: the disagreement.
        names: (n,) ids of the stimulus set.
        frames: stimulus position -> frames of that clip.
        captions: (n,) captions, or empty.

    Raises:
        DataError: no frames for one of its clips.
    """
    missing = [names[position] for position in found.stimuli if position not in frames]
    if missing:
        raise DataError("no frames for a clip to show", where=missing[0])
    first, second, third = (
        TripletClip(names[position], frames[position], captions[position] if captions else "")
        for position in found.stimuli
    )
    votes, total = found.votes[found.people], sum(found.votes)
    people = f"{votes} of {total} people" if total > 1 else "one person"
    note = f"{people} chose so; certainty {plain(found.certainty)}"
    odd = {"people": found.people, "base": found.base, "tuned": found.tuned}
    return TripletSpec((first, second, third), odd, note)
