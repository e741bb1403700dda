"""The names that `bgs select` takes, and what they mean: ratings, measurements of the picture, a model's space."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bgs._errors import DataError, listed
from bgs._typing import Float, Float64
from bgs.library.selecting.low_level import contrast, luminance, motion_energy
from bgs.library.selecting.variables import Variable, main_axis, unit
from bgs.stimuli import StimulusSet

#: Names of what is measured, by the baseline that measures it; and of the model's space.
MOTION, PIXELS, SOCIAL = "motion", "pixels", "social"
_NUMBERS = {MOTION: ("motion_energy",), PIXELS: ("luminance", "contrast")}
_READERS = {"motion_energy": motion_energy, "luminance": luminance, "contrast": contrast}
#: What the main axis of the model's space is called.
AXIS = "social axis"


def source_of(name: str, stimuli: StimulusSet) -> str | None:
    """Where a name's values come from: ``motion``, ``pixels``, ``social``; None for a rating.

    Raises:
        DataError: nothing has this name, it is a label, or a rating has a reserved name.
    """
    if name in (MOTION, PIXELS, SOCIAL):
        if name in stimuli.ratings:
            raise DataError("a rating has a reserved name", where=name, hint="rename the column")
        return name
    if name in stimuli.ratings:
        return None
    for source, numbers in _NUMBERS.items():
        if name in numbers:
            return source
    known = [*stimuli.ratings, *_READERS, MOTION, PIXELS, SOCIAL]
    if name in stimuli.labels:
        raise DataError(
            "a label, not a rating", where=name, expected=f"a number per clip: {listed(known, 12)}"
        )
    raise DataError("unknown attribute", where=name, expected=f"one of {listed(known, 12)}")


def require_ratings(stimuli: StimulusSet, names: Iterable[str]) -> dict[str, list[str]]:
    """Id of a stimulus without one of the ratings -> the ratings that it lacks."""
    lacking: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        if name in stimuli.ratings:
            for i in np.flatnonzero(np.isnan(stimuli.ratings[name])):
                lacking.setdefault(stimuli.ids[i], []).append(name)
    return lacking


@dataclass(frozen=True)
class Measures:
    """Everything that is known of n clips.

    Attributes:
        stimuli: the clips and their ratings.
        profiles: ``motion``, ``pixels``, ``social`` -> (n, d), those that are needed.
    """

    stimuli: StimulusSet
    profiles: Mapping[str, Float[np.ndarray, "n d"]] = field(default_factory=dict)

    def measured(self) -> dict[str, Float64[np.ndarray, " n"]]:
        """Name -> (n,) of each number that can be read from the profiles."""
        return {
            name: _READERS[name](self.profiles[source])
            for source, names in _NUMBERS.items()
            if source in self.profiles
            for name in names
        }

    @property
    def space(self) -> Variable:
        """Directions of the clips in the model's space: squared distances are twice the cosine distances."""
        return Variable(SOCIAL, unit(self.profiles[SOCIAL]))

    def matched(self, name: str) -> list[Variable]:
        """What it means to be matched in ``name``: of motion and pixels the profile and the numbers, otherwise the one itself."""
        if name not in (MOTION, PIXELS, SOCIAL):
            return [self.number(name)]
        numbers = [self.number(each) for each in _NUMBERS.get(name, ())]
        return [
            self.space if name == SOCIAL else Variable(f"{name} (profile)", self.profiles[name]),
            *numbers,
        ]

    def number(self, name: str) -> Variable:
        """A rating or a measured number."""
        if name in self.stimuli.ratings:
            return Variable.of(name, self.stimuli.ratings[name])
        return Variable.of(name, self.measured()[name])

    def asked(self, name: str, matched: Sequence[Variable]) -> Variable:
        """The number in which sets are to differ in ``name``: of motion its energy, of a model's space its main axis."""
        if name == SOCIAL:
            return Variable.of(AXIS, main_axis(self.space, matched))
        return self.number(_NUMBERS[name][0] if name == MOTION else name)
