"""Triplets of clips with the choices of people and models, as specs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from bgs._errors import DataError
from bgs._numbers import plain
from bgs.evaluation.disagreement import Disagreement
from bgs.reports.vocabulary import PEOPLE, Vocabulary

#: Who chooses, in the order shown.
CHOOSERS = ("people", "base", "tuned")


def chooser_names(words: Vocabulary = PEOPLE) -> dict[str, str]:
    """Chooser -> its name."""
    return {who: words.judges if who == "people" else who for who in CHOOSERS}


@dataclass(frozen=True)
class TripletClip:
    """One of the three clips.

    Attributes:
        name: its id.
        frames: (k, h, w, 3) a strip of frames, time from left to right; None where there is no clip to show.
        caption: what it shows, or empty.
    """

    name: str
    frames: UInt8[np.ndarray, "k h w 3"] | None
    caption: str = ""


@dataclass(frozen=True)
class TripletSpec:
    """Three clips, and the clip that each chooser left out.

    Attributes:
        clips: the three, left to right.
        odd: chooser (``people``, ``base``, ``tuned``) -> slot 0–2 that they left out.
        note: certainty of the choices.

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

    def describe(self, words: Vocabulary = PEOPLE) -> str:
        """The triplet in words."""
        clips, names = ", ".join(clip.name for clip in self.clips), chooser_names(words)
        chosen = "; ".join(
            f"{names[who]} left out {self.clips[self.odd[who]].name}" for who in CHOOSERS if who in self.odd
        )
        return f"{clips}: {chosen}"


def triplet_spec(
    found: Disagreement,
    names: Sequence[str],
    frames: Mapping[int, UInt8[np.ndarray, "k h w 3"]],
    captions: Sequence[str] = (),
    words: Vocabulary = PEOPLE,
) -> TripletSpec:
    """A ranked disagreement with its clips' frames.

    Args:
        found: the disagreement.
        names: (n,) ids of the stimulus set.
        frames: stimulus position -> frames of that clip; empty where there are no clips to show.
        captions: (n,) captions, or empty.
        words: what those who judged are called.

    Raises:
        DataError: no frames for one of its clips.
    """
    missing = [names[position] for position in found.stimuli if position not in frames]
    if missing and frames:
        raise DataError("no frames for a clip to show", where=missing[0])
    first, second, third = (
        TripletClip(names[position], frames.get(position), captions[position] if captions else "")
        for position in found.stimuli
    )
    votes, total = found.votes[found.people], sum(found.votes)
    people = f"{votes} of {total} {words.judges}" if total > 1 else words.judge
    note = f"Chosen by {people}; certainty {plain(found.certainty)}."
    odd = {"people": found.people, "base": found.base, "tuned": found.tuned}
    return TripletSpec((first, second, third), odd, note)
