"""The first screen of a page: three clips, who finds which of them odd, and the headline figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bgs._errors import DataError
from bgs.reports.triplets import CHOOSERS, TripletClip, TripletSpec

#: What the three clips are called.
LETTERS = ("A", "B", "C")
QUESTION = "Which of these three clips is the odd one out?"


@dataclass(frozen=True)
class Verdict:
    """One chooser's answer in words.

    Attributes:
        who: ``people``, ``base`` or ``tuned``; gives colour and mark.
        text: the clip chosen and, for a model, whether it agrees with the majority.
    """

    who: str
    text: str


@dataclass(frozen=True)
class Opening:
    """One triplet of held-out clips as an example.

    Attributes:
        triplet: the clips and what each chooser leaves out.
        names: chooser (``people``, ``base``, ``tuned``) -> what it is called.
        majority: who chose as most did, e.g. "3 of 4 people".
        agreement: how often each model agrees with the judges over all held-out trials.
        rule: how the triplet was chosen.

    Raises:
        DataError: a chooser without a choice or a name.
    """

    triplet: TripletSpec
    names: Mapping[str, str]
    majority: str
    agreement: str
    rule: str

    def __post_init__(self) -> None:
        missing = [who for who in CHOOSERS if who not in self.triplet.odd or who not in self.names]
        if missing:
            raise DataError("an opening needs the choice and the name of everybody", got=f"no {missing[0]}")

    @property
    def lettered(self) -> tuple[tuple[str, TripletClip], ...]:
        """The clips with their letters."""
        return tuple(zip(LETTERS, self.triplet.clips, strict=True))

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """People's choice, then each model's and whether it agrees."""
        odd, judges = self.triplet.odd, self.names["people"]
        verdicts = [Verdict("people", f"{self.majority}: clip {LETTERS[odd['people']]}.")]
        for who in ("base", "tuned"):
            agrees = "agrees" if odd[who] == odd["people"] else "disagrees"
            name = f"{self.names[who][:1].upper()}{self.names[who][1:]}"
            verdicts.append(Verdict(who, f"{name}: clip {LETTERS[odd[who]]}, {agrees} with {judges}."))
        return tuple(verdicts)

    def describe(self) -> str:
        """The example in words."""
        clips = "; ".join(
            f"clip {letter}: {(clip.caption or clip.name).rstrip('.')}" for letter, clip in self.lettered
        )
        return f"{clips}. {' '.join(verdict.text for verdict in self.verdicts)}"
