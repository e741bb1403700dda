"""Part of the judgments to train on: fewer trials, fewer participants, or fewer clips; what is held out stays whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from bgs._rng import generator
from bgs._typing import Bool, Int
from bgs.judgments import Trials
from bgs.runs.study import Study

Along = Literal["trials", "participants", "clips"]
#: Fewer training clips have no geometry to speak of.
FEWEST_CLIPS = 10


@dataclass(frozen=True)
class Part:
    """A study with fewer judgments to train on.

    Attributes:
        study: its test stimuli and their trials are those of the whole study.
        judgments: trials among its training stimuli.
    """

    study: Study
    judgments: int


def part_of(study: Study, along: Along, share: float, seed: int) -> Part | None:
    """A random part of what there is to train on; subsets of one seed are nested, so that curves are smooth.

    Args:
        study: the whole.
        along: what there is less of.
        share: how much of it is left, above 0, at most 1.
        seed: which subsets.

    Returns:
        The part; None where so little has no judgment in it, or too few clips.
    """
    train = study.stimuli.train
    random = generator(seed, "learning-curve", along)
    if along == "clips":
        clips = random.permutation(np.flatnonzero(train))[: round(share * train.sum())]
        if len(clips) < FEWEST_CLIPS:
            return None
        left = ~train
        left[clips] = True
        part = of_stimuli(study, np.flatnonzero(left))
    else:
        inside = study.trials.judgments.count_in(train) == 3
        kept = _of_participants(study.trials.judgments, inside, share, random)
        if along == "trials":
            rows = random.permutation(np.flatnonzero(inside))[: round(share * inside.sum())]
            kept = np.isin(np.arange(len(inside)), rows)
        part = replace(study, trials=study.trials.judgments.where(kept | ~inside))
    judgments = int((part.trials.count_in(part.stimuli.train) == 3).sum())
    return Part(part, judgments) if judgments else None


def _of_participants(
    trials: Trials, inside: Bool[np.ndarray, " n"], share: float, random: np.random.Generator
) -> Bool[np.ndarray, " n"]:
    """Trials of a share of those who judged training clips, at least one of them."""
    people = random.permutation(np.unique(trials.participant_codes[inside]))
    return inside & np.isin(trials.participant_codes, people[: max(1, round(share * len(people)))])


def of_stimuli(study: Study, kept: Int[np.ndarray, " k"]) -> Study:
    trials = study.trials.judgments.among(kept)
    rdm = None if study.rdm is None else study.rdm[np.ix_(kept, kept)]
    return replace(study, stimuli=study.stimuli.subset(kept), trials=trials, rdm=rdm)
