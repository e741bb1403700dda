"""What encoders are measured on: training clips, and held-out clips judged by people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from bgs._errors import DataError
from bgs._typing import Float, Float64, Int
from bgs.datasets import Dataset, load_dataset
from bgs.datasets.heider_simmel import VERBS
from bgs.datasets.phase import RELATIONS
from bgs.judgments import RDM, PairCounts, human_rdm
from bgs.judgments.rated import hellinger_rdm
from bgs.runs.external_test import without_stimuli_of
from bgs.stimuli import StimulusSet


@dataclass(frozen=True)
class HeldOut:
    """Held-out clips: the test split of a data set, or all of it where it has none.

    Attributes:
        data: name of the data set, or a folder.
        ratings: columns with the shares of labels, whose Hellinger distances are predicted; none: odd-one-out choices are.
        own_mean: centre embeddings on these clips themselves rather than on the training clips, of which they are unlike.
    """

    data: str
    ratings: tuple[str, ...] = ()
    own_mean: bool = False


@dataclass(frozen=True)
class Track:
    """Training clips, on which layers are chosen and transforms trained, and what is measured without any more training.

    Attributes:
        data: name of the data set with the training clips, or a folder; its test split is never trained on.
        ratings: columns of labels as in :class:`HeldOut`; none: odd-one-out choices.
        held_out: what is measured.
        trials: number of trials drawn from ratings for training.
    """

    data: str
    held_out: tuple[HeldOut, ...]
    ratings: tuple[str, ...] = ()
    trials: int = 40_000


#: Everyday social scenes; and animations of two triangles, from verbs to choices and to another kind of animation.
TRACKS = (
    Track("garcia-isik-2025", (HeldOut("garcia-isik-2025"),)),
    Track(
        "heider-simmel-verbs",
        (
            HeldOut("heider-simmel-triplets"),
            HeldOut("heider-simmel-verbs", VERBS),
            HeldOut("phase-genset", RELATIONS, own_mean=True),
        ),
        ratings=VERBS,
    ),
)


@dataclass(frozen=True)
class LoadedTrack:
    """A track with its data.

    Attributes:
        track: the track.
        train: the training clips alone.
        held_out: what can be measured, with its data set.
        missing: name of a data set that cannot be measured -> why.
    """

    track: Track
    train: Dataset
    held_out: tuple[tuple[HeldOut, Dataset], ...]
    missing: dict[str, str]

    @cached_property
    def target(self) -> Float[np.ndarray, "n n"]:
        """(n, n) human dissimilarities of the training clips, NaN where unknown."""
        if self.track.ratings:
            return rated_rdm(self.train.stimuli, self.track.ratings)
        return human_rdm(PairCounts.from_trials(self.train.need_trials()))


def load_track(
    track: Track, mirror: str | Path | None = None, ratings: str | Path | None = None
) -> LoadedTrack:
    """Load the data of a track; training clips that are held out anywhere, by id or by content, are left out.

    Args:
        track: the track.
        mirror: as in :func:`bgs.load_dataset`.
        ratings: table of ratings of ``phase-genset``.

    Raises:
        DataError: the training data cannot be loaded.
    """
    found, missing = [], {}
    for held_out in track.held_out:
        try:
            found.append((held_out, load_held_out(held_out, mirror, ratings)))
        except DataError as error:
            missing[held_out.data] = error.what
    whole = next((data for held, data in found if held.data == track.data), None)
    train = _training_split(whole or load_dataset(track.data, mirror=mirror))
    for held_out, data in found:
        if held_out.data != track.data:
            train = without_stimuli_of(train, data)
    return LoadedTrack(track, train, tuple(found), missing)


def load_held_out(held_out: HeldOut, mirror: str | Path | None, ratings: str | Path | None) -> Dataset:
    """The whole data set of some held-out clips.

    Raises:
        DataError: it cannot be loaded, or lacks the judgments.
    """
    table = ratings if held_out.data == "phase-genset" else None
    data = load_dataset(held_out.data, mirror=mirror, ratings=table)
    if not held_out.ratings:
        data.need_trials()
    elif not set(held_out.ratings) <= set(data.stimuli.ratings):
        raise DataError("no ratings: give a table of them (--ratings)", where=data.name)
    return data


def _training_split(data: Dataset) -> Dataset:
    kept = np.flatnonzero(data.stimuli.train)
    trials = None if data.trials is None else data.trials.among(kept)
    return replace(data, stimuli=replace(data.stimuli.subset(kept), split=None), trials=trials)


def evaluated(stimuli: StimulusSet) -> Int[np.ndarray, " m"]:
    """Positions of the clips that are measured: the test split, or all."""
    chosen: Int[np.ndarray, " m"] = np.flatnonzero(stimuli.test if stimuli.test.any() else stimuli.train)
    return chosen


def rated_rdm(stimuli: StimulusSet, columns: tuple[str, ...]) -> Float64[np.ndarray, "n n"]:
    """(n, n) Hellinger distances between label distributions."""
    shares = np.stack([stimuli.ratings[name] for name in columns], axis=1)
    return hellinger_rdm(shares).astype(np.float64)


def held_out_rdm(held_out: HeldOut, data: Dataset) -> RDM:
    """The RDM of held-out clips that are rated."""
    stimuli = data.stimuli.subset(evaluated(data.stimuli))
    return RDM(rated_rdm(stimuli, held_out.ratings), stimuli.ids)


def votes_of(held_out: HeldOut, data: Dataset) -> Int[np.ndarray, "m k"] | None:
    """(m, k) number of raters who chose each label; None where the number of raters is not known."""
    stimuli = data.stimuli.subset(evaluated(data.stimuli))
    if "n_raters" not in stimuli.ratings:
        return None
    shares = np.stack([stimuli.ratings[name] for name in held_out.ratings], axis=1)
    votes: Int[np.ndarray, "m k"] = np.rint(shares * stimuli.ratings["n_raters"][:, None]).astype(np.int64)
    return votes
