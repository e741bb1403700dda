"""What practice mode shows: what people, or a model, chose in each triplet, and how a group rated each clip.

Pure functions; see :mod:`bgs.collection.web.practice_routes` for how a browser gets it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import comb, floor, log10

import numpy as np

from bgs._errors import DataError
from bgs._files import damage_as_error, sha256_of
from bgs._rng import generator
from bgs._typing import Float, Int
from bgs.collection.settings import FARTHEST, ScaleSettings, StudySettings
from bgs.judgments import Trials
from bgs.judgments.rated import choice_probabilities, draw_trials
from bgs.stimuli import StimulusSet

#: Ratings that are practised where ``study.yaml`` names none, and what the ends of their scales mean.
AFFECT = {"valence": ("negative", "positive"), "arousal": ("calm", "excited"), "dominance": ("low", "high")}
#: Ending of the column with the standard deviation over raters.
_SPREAD = "_sd"
#: Of a softmax over a model's cosine distances: the default of the choice likelihood with which ``bgs train`` tunes.
TEMPERATURE = 0.1
#: Triplets drawn for a model: more than anybody goes through.
_MODEL_TRIPLETS = 1000


@dataclass(frozen=True)
class Shares:
    """What was chosen as the odd one in each of t triplets.

    Attributes:
        triplets: (t, 3) positions into the stimulus set, ascending in each row.
        chosen: (t, 3) proportion that chose each of the three; rows sum to 1.
        people: (t,) number of people; 0 where the proportions are a model's probabilities.
    """

    triplets: Int[np.ndarray, "t 3"]
    chosen: Float[np.ndarray, "t 3"]
    people: Int[np.ndarray, " t"]

    def __len__(self) -> int:
        return len(self.triplets)

    def followed_by(self, others: Shares) -> Shares:
        """These triplets, then those of ``others`` that are not among them."""
        known = set(map(tuple, self.triplets.tolist()))
        new = np.array([tuple(row) not in known for row in others.triplets.tolist()], dtype=bool)
        pairs = (
            (self.triplets, others.triplets),
            (self.chosen, others.chosen),
            (self.people, others.people),
        )
        return Shares(*(np.concatenate([mine, theirs[new]]) for mine, theirs in pairs))

    def order(self, seed: int) -> Int[np.ndarray, " t"]:
        """(t,) order in which somebody sees them: most people first, a model's last, random among equals."""
        mixed = generator(seed, "practice", "triplets").permutation(len(self))
        order: Int[np.ndarray, " t"] = mixed[np.argsort(-self.people[mixed], kind="stable")]
        return order


@dataclass(frozen=True, repr=False)
class Scale:
    """A rating of clips, and the scale on which it is placed.

    Attributes:
        name: as it is shown.
        low, high: ends of the scale.
        low_label, high_label: what they mean; may be empty.
        mean: (n,) rating of each clip by the group; NaN where it has none.
        spread: (n,) standard deviation over raters; NaN where it is not known.
    """

    name: str
    low: float
    high: float
    low_label: str
    high_label: str
    mean: Float[np.ndarray, " n"]
    spread: Float[np.ndarray, " n"]


@dataclass(frozen=True, repr=False)
class Practice:
    """Everything that practice mode shows of a folder.

    Attributes:
        title: of the study.
        stimuli: with their captions.
        shares: what people or a model chose.
        scales: ratings to be placed; empty where the folder has none, and the second exercise is then absent.
        simulated: whether clips or judgments are.
    """

    title: str
    stimuli: StimulusSet
    shares: Shares
    scales: tuple[Scale, ...]
    simulated: bool

    @cached_property
    def key(self) -> str:
        """Names the folder's clips: a browser keeps a score for each set of clips."""
        return sha256_of("\n".join(self.stimuli.ids))[:16]

    @cached_property
    def rated(self) -> Int[np.ndarray, " r"]:
        """(r,) positions of the clips that have a rating."""
        has = np.zeros(len(self.stimuli), dtype=bool)
        for scale in self.scales:
            has |= np.isfinite(scale.mean)
        return np.flatnonzero(has)

    def order_of_rated(self, seed: int) -> Int[np.ndarray, " r"]:
        """(r,) positions of the clips with a rating, in the order in which somebody sees them."""
        order: Int[np.ndarray, " r"] = generator(seed, "practice", "clips").permutation(self.rated)
        return order


def people_shares(trials: Trials) -> Shares:
    """Shares of people who chose each clip of a triplet as the odd one.

    A person who judged a triplet more than once (repeats within a block) counts once, by the first answer; attention checks
    do not count.
    """
    judgments = trials.judgments
    order = np.argsort(judgments.stimuli, axis=1, kind="stable")
    odd = (order == judgments.odd[:, None]).argmax(axis=1)
    answers = np.column_stack([judgments.triplet_codes, judgments.participant_codes])
    first = np.sort(np.unique(answers, axis=0, return_index=True)[1])
    _, row, triplet = np.unique(judgments.triplet_codes[first], return_index=True, return_inverse=True)
    counts = np.bincount(triplet * 3 + odd[first], minlength=3 * len(row)).reshape(-1, 3)
    people = counts.sum(axis=1)
    stimuli = np.sort(judgments.stimuli[first], axis=1)[row].astype(np.int64)
    return Shares(stimuli, counts / people[:, None], people)


def model_shares(distances: Float[np.ndarray, "n n"], temperature: float) -> Shares:
    """A model's probabilities that each clip of a triplet is the odd one, for triplets drawn at random.

    Args:
        distances: (n, n) between the clips.
        temperature: of the softmax over the distances of the pairs that are left, in their units, above 0.

    Raises:
        ConfigError: the temperature is not above 0.
        DataError: fewer than three clips, or a distance is missing.
    """
    wanted = min(_MODEL_TRIPLETS, comb(len(distances), 3))
    drawn = draw_trials(distances, max(wanted, 1), seed=0).stimuli
    triplets = np.sort(drawn, axis=1).astype(np.int64)
    chances = choice_probabilities(distances, triplets, temperature)
    return Shares(triplets, chances, np.zeros(len(triplets), dtype=np.int64))


def scales_of(stimuli: StimulusSet, settings: StudySettings, where: object) -> tuple[Scale, ...]:
    """The ratings that are practised: those that ``study.yaml`` names, else valence, arousal and dominance where there are any.

    Without a range in ``study.yaml``, that of the ratings, rounded outwards, is the scale; a rating that is the same for all
    clips is then left out. A column ``valence_sd`` is the spread of ``valence``.

    Raises:
        DataError: ``study.yaml`` names a rating that the clips have not, or a rating is outside its range; or a spread is
            negative.
    """
    columns = {name.lower(): name for name in stimuli.ratings}
    for name in settings.scales:
        if name.lower() not in columns:
            raise DataError(
                "scales: a rating that stimuli.csv has not", where=where,
                expected=f"one of {', '.join(stimuli.ratings) or 'none'}", got=name,
            )  # fmt: skip
    wanted: Mapping[str, ScaleSettings | None] = settings.scales or dict.fromkeys(AFFECT)
    made = (
        _scale(name, given, columns, stimuli, where)
        for name, given in wanted.items()
        if name.lower() in columns
    )
    return tuple(scale for scale in made if scale is not None)


def _scale(
    name: str, given: ScaleSettings | None, columns: Mapping[str, str], stimuli: StimulusSet, where: object
) -> Scale | None:
    mean = stimuli.ratings[columns[name.lower()]]
    spread = np.full(len(mean), np.nan)
    if f"{name.lower()}{_SPREAD}" in columns:
        spread = stimuli.ratings[columns[f"{name.lower()}{_SPREAD}"]]
    if (spread < 0).any():
        raise DataError("a negative standard deviation", where=where, got=f"column {name}{_SPREAD}")
    labels = AFFECT.get(name.lower(), ("", ""))
    if given is None:
        with damage_as_error(f"{where}, column {name}"):
            ends = rounded_range(mean)
        return None if ends is None else Scale(name, *ends, *labels, mean, spread)
    outside = np.flatnonzero((mean < given.low) | (mean > given.high))
    if len(outside):
        raise DataError(
            f"scales.{name}: a rating outside the range", where=where, expected=f"{given.low:g} to {given.high:g}",
            got=f"{mean[outside[0]]:g} for {stimuli.ids[outside[0]]}",
        )  # fmt: skip
    labels = given.low_label or labels[0], given.high_label or labels[1]
    return Scale(name, given.low, given.high, *labels, mean, spread)


def rounded_range(values: Float[np.ndarray, " n"]) -> tuple[float, float] | None:
    """Smallest and largest value, rounded outwards to the power of ten below their difference; None where that is 0.

    Raises:
        DataError: a value or the difference is beyond what a scale, and means over it, can be computed with.
    """
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if low == high:
        return None
    if high - low < 1 / FARTHEST or max(-low, high) > FARTHEST:
        raise DataError("no scale can show these ratings", got=f"{low:g} to {high:g}")
    step = 10.0 ** floor(log10(high - low))
    # Rounding first, since .3 / .1 is a little below 3.
    down, up = floor(round(low / step, 6)), -floor(round(-high / step, 6))
    return round(down * step, 12), round(up * step, 12)
