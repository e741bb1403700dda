"""Part of the ratings to train on, where judgments are drawn from ratings: fewer raters of each clip, or fewer clips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bgs._rng import generator
from bgs._typing import Float, Int
from bgs.evaluation.raters import rater_votes
from bgs.experiments.chapters.chapter import NotApplicable
from bgs.experiments.chapters.learning_curve.subsets import FEWEST_CLIPS, Along, Part, of_stimuli
from bgs.judgments.rated import draw_trials, hellinger_rdm
from bgs.runs.study import Study
from bgs.training.settings import RatedSettings

#: Rating column with the number of raters.
RATERS = "n_raters"


def rated_part_of(
    study: Study, rated: RatedSettings, along: Along, share: float, seed: int, drawn_with: int
) -> Part | None:
    """A random part of the ratings of training clips; parts of one seed are nested.

    Dissimilarities are computed from what is left, and the trials are drawn from these: as many as from all ratings, where
    there are as many triplets. Who gave which rating is not on record, so that fewer participants are fewer raters of each
    clip, at least one.

    Args:
        study: the whole, trained on ratings.
        rated: how its judgments are drawn.
        along: what there is less of; trials drawn from the same ratings are no judgments of people.
        share: how much of it is left, above 0, at most 1.
        seed: which part.
        drawn_with: seed of the drawn trials.

    Returns:
        The part, and the number of its ratings; None of ``trials``, and where too few clips are left.

    Raises:
        NotApplicable: how many raters a clip had is not known.
        DataError: shares of raters are not those of whole votes.
    """
    if along == "trials":
        return None
    if RATERS not in study.stimuli.ratings:
        raise NotApplicable(f"ratings without the column {RATERS}: how many there are is not known")
    train, random = np.flatnonzero(study.stimuli.train), generator(seed, "learning-curve", along)
    if along == "clips":
        train = np.sort(random.permutation(train)[: round(share * len(train))])
        if len(train) < FEWEST_CLIPS:
            return None
    votes = rater_votes(study.stimuli, rated.columns, RATERS, train)
    if along == "participants":
        votes = fewer_votes(votes, share, random)
    return Part(_redrawn(study, rated, train, votes, drawn_with), int(votes.sum()))


def fewer_votes(
    votes: Int[np.ndarray, "n k"], share: float, random: np.random.Generator
) -> Int[np.ndarray, "n k"]:
    """Votes of a share of each clip's raters, rounded, at least one; drawn without replacement."""
    clip, label = np.nonzero(votes)
    each = votes[clip, label]
    clip, label = np.repeat(clip, each), np.repeat(label, each)
    order = np.lexsort((random.random(len(clip)), clip))
    raters = votes.sum(axis=1)
    rank = np.arange(len(clip)) - np.repeat(np.cumsum(raters) - raters, raters)
    kept = order[rank < np.maximum(1, np.round(share * raters))[clip]]
    left = np.zeros_like(votes)
    np.add.at(left, (clip[kept], label[kept]), 1)
    return left


def _redrawn(
    study: Study, rated: RatedSettings, train: Int[np.ndarray, " t"], votes: Int[np.ndarray, "t k"], seed: int
) -> Study:
    """The study with these training stimuli and votes, and its test stimuli and their judgments."""
    kept = np.sort(np.concatenate([train, np.flatnonzero(~study.stimuli.train)]))
    part = of_stimuli(study, kept)
    assert part.rdm is not None
    where = np.searchsorted(kept, train)
    among: Float[np.ndarray, "t t"] = hellinger_rdm(votes / votes.sum(axis=1, keepdims=True))
    rdm = part.rdm.copy()
    rdm[np.ix_(where, where)] = among
    others = part.trials.judgments.where(part.trials.judgments.count_in(part.stimuli.train) < 3)
    drawn = draw_trials(among, rated.trials, seed, rated.temperature)
    drawn = replace(drawn, stimuli=where[drawn.stimuli], n_stimuli=len(kept))
    return replace(part, rdm=rdm, trials=drawn.followed_by(others))
