"""Estimators of the human RDM as targets of training: each is what it is called, and no other clip leaks in."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from drawn_trials import make_trials
from scipy.spatial.distance import pdist, squareform

from bgs._errors import ConfigError
from bgs.judgments import Geometry, PairCounts, Trials, choice_model_rdm, human_rdm, ordinal_embedding
from bgs.judgments.estimators import ESTIMATORS
from bgs.judgments.rated import draw_trials
from bgs.objective import ObjectiveSettings

POSITIONS = np.array([1, 2, 4, 7, 10])


def judged(seed: int = 0) -> Trials:
    """1,500 judgments of 12 stimuli on a plane."""
    places = np.random.default_rng(seed).normal(size=(12, 2)) * 2
    return draw_trials(squareform(pdist(places)), 1500, seed, temperature=1.0)


def inside(trials: Trials) -> np.ndarray:
    return np.isin(trials.stimuli, POSITIONS).all(axis=1)


def test_settings_of_the_objective_name_every_estimator() -> None:
    assert get_args(ObjectiveSettings.model_fields["target"].annotation) == ESTIMATORS


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_judgments_that_touch_other_clips_change_no_bit(estimator: str) -> None:
    trials = judged()
    touching = ~inside(trials)
    assert touching.sum() > 300
    odd = np.where(touching, (trials.odd + 1) % 3, trials.odd)
    found = Geometry.from_trials(trials, POSITIONS, estimator)
    again = Geometry.from_trials(replace(trials, odd=odd), POSITIONS, estimator)
    np.testing.assert_array_equal(again.rdm, found.rdm)
    np.testing.assert_array_equal(again.weights, found.weights)
    odd = np.where(touching, trials.odd, (trials.odd + 1) % 3)
    changed = Geometry.from_trials(replace(trials, odd=odd), POSITIONS, estimator)
    assert not np.array_equal(changed.rdm, found.rdm)  # the judgments that do count, do


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_target_is_what_the_estimator_says_of_the_judgments_inside(estimator: str) -> None:
    trials = judged()
    kept = trials.where(inside(trials))
    local = make_trials(np.searchsorted(POSITIONS, kept.stimuli), kept.odd, len(POSITIONS))
    geometry = Geometry.from_trials(trials, POSITIONS, estimator)
    counts = PairCounts.from_trials(local)
    expected = {
        "shares": lambda: human_rdm(counts),
        "choice-model": lambda: choice_model_rdm(local),
        "ordinal": lambda: ordinal_embedding(local).rdm(),
    }[estimator]()
    np.testing.assert_array_equal(geometry.rdm, expected)
    if estimator != "ordinal":
        np.testing.assert_array_equal(geometry.weights, counts.shown)


def test_an_ordinal_target_fills_in_pairs_that_were_not_shown() -> None:
    trials = make_trials([[0, 1, 2], [0, 1, 2], [1, 2, 3], [1, 2, 3], [0, 1, 2]], [2, 2, 0, 0, 1], 5)
    shares = Geometry.from_trials(trials, np.arange(5))
    assert np.isnan(shares.rdm[0, 3])
    assert shares.weights[0, 3] == 0
    more = make_trials(
        np.vstack([trials.stimuli, [[0, 2, 1], [1, 3, 2]] * 4, [[0, 1, 4], [1, 2, 4], [2, 3, 4], [1, 3, 4]]]),
        np.append(trials.odd, [1, 2] * 4 + [2, 2, 2, 2]), 5,
    )  # fmt: skip
    geometry = Geometry.from_trials(more, np.arange(5), "ordinal")
    assert np.isnan(human_rdm(PairCounts.from_trials(more))[0, 3])
    assert geometry.rdm[0, 3] > 0
    assert (geometry.weights == 1).all()


def test_an_unknown_estimator_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected shares or choice-model or ordinal, got means"):
        Geometry.from_trials(judged(), POSITIONS, "means")
