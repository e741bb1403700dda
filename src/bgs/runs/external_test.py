"""A study whose held-out clips are those of another data set, judged by its people: nothing of it is trained on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bgs._errors import DataError
from bgs._progress import note
from bgs._typing import Bool, Float
from bgs.datasets import Dataset
from bgs.judgments import Trials
from bgs.stimuli import StimulusSet
from bgs.stimuli.content_hashes import clip_hashes


def without_stimuli_of(dataset: Dataset, test: Dataset) -> Dataset:
    """What may be trained on: the data set without the stimuli that ``test`` has too, by id or by the content of a clip.

    All that are left are training stimuli, whatever the data set's own split.

    Raises:
        DataError: fewer than three are left.
    """
    shared = _shared(dataset.stimuli, test.stimuli)
    kept = np.flatnonzero(~shared)
    if len(kept) < 3:
        raise DataError(
            f"nothing to train on beside {test.name}", where=dataset.name,
            expected="3 stimuli or more that are not in it", got=len(kept),
        )  # fmt: skip
    if shared.any():
        note(
            f"{shared.sum():,} of {len(shared):,} stimuli of {dataset.name} are in {test.name} too, and are not trained on"
        )
    stimuli = replace(dataset.stimuli.subset(kept), split=("train",) * len(kept))
    trials = None if dataset.trials is None else dataset.trials.among(kept)
    return replace(dataset, stimuli=stimuli, trials=trials)


def joined(train: Dataset, test: Dataset) -> Dataset:
    """One data set: the stimuli and trials of ``train``, then those of ``test``, which are its test split.

    Ratings that one of the two lacks are NaN there, and labels empty.

    Args:
        train: with trials.
        test: with trials; it has no stimulus of ``train``.

    Raises:
        DataError: one of them has no trials.
    """
    trials = _joined_trials(train.need_trials(), test.need_trials())
    return replace(
        train, stimuli=_joined_stimuli(train.stimuli, test.stimuli), trials=trials,
        name=f"{train.name}, tested on {test.name}", simulated=train.simulated or test.simulated,
        hashes={**train.hashes, **test.hashes},
        citation=" ".join(dict.fromkeys((train.citation, test.citation))),
        licence="; ".join(dict.fromkeys((train.licence, test.licence))),
    )  # fmt: skip


def joined_rdm(rdm: Float[np.ndarray, "n n"], added: int) -> Float[np.ndarray, "m m"]:
    """Dissimilarities that are known apart from judgments, NaN for ``added`` test stimuli: m = n + added."""
    return np.pad(rdm, (0, added), constant_values=np.nan)


def _shared(ours: StimulusSet, theirs: StimulusSet) -> Bool[np.ndarray, " n"]:
    names, contents = set(theirs.ids), set(clip_hashes(theirs).values())
    known = clip_hashes(ours)
    return np.array([name in names or known.get(name) in contents for name in ours.ids], dtype=bool)


def _joined_stimuli(train: StimulusSet, test: StimulusSet) -> StimulusSet:
    n, m = len(train), len(test)

    def rating(stimuli: StimulusSet, name: str) -> Float[np.ndarray, " n"]:
        return stimuli.ratings.get(name, np.full(len(stimuli), np.nan))

    def label(stimuli: StimulusSet, name: str) -> tuple[str, ...]:
        return stimuli.labels.get(name, ("",) * len(stimuli))

    captioned = train.captions is not None and test.captions is not None
    filmed = train.videos is not None or test.videos is not None
    return StimulusSet(
        ids=(*train.ids, *test.ids),
        captions=(*(train.captions or ()), *(test.captions or ())) if captioned else None,
        videos=(*(train.videos or (None,) * n), *(test.videos or (None,) * m)) if filmed else None,
        split=("train",) * n + ("test",) * m,
        ratings={
            name: np.concatenate([rating(train, name), rating(test, name)])
            for name in dict.fromkeys((*train.ratings, *test.ratings))
        },
        labels={
            name: (*label(train, name), *label(test, name))
            for name in dict.fromkeys((*train.labels, *test.labels))
        },
    )


def _joined_trials(train: Trials, test: Trials) -> Trials:
    n = train.n_stimuli + test.n_stimuli
    moved = replace(test, stimuli=test.stimuli + train.n_stimuli, n_stimuli=n)
    return replace(train, n_stimuli=n).followed_by(moved)
