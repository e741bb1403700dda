"""The planted geometry: what it promises can be measured."""

from __future__ import annotations

import numpy as np
import pytest

from bgs._errors import ConfigError
from bgs.judgments import PairCounts, human_rdm
from bgs.judgments.trial_audit import audit
from bgs.simulation import planted_dataset
from bgs.simulation.responses import choose_odd
from bgs.simulation.scenes import ACTIONS, LATENTS


def test_the_same_seed_gives_the_same_data() -> None:
    first, second, other = (planted_dataset(n_trials=300, seed=seed) for seed in (1, 1, 2))
    assert (first[0].hash(), first[1].hash()) == (second[0].hash(), second[1].hash())
    assert first[0].hash() != other[0].hash()
    assert first[1].hash() != other[1].hash()


def test_counts_split_and_audit() -> None:
    stimuli, trials = planted_dataset()
    assert (len(stimuli), len(trials)) == (120, 4000)
    assert (stimuli.train.sum(), stimuli.test.sum()) == (90, 30)
    assert stimuli.captions is not None
    assert {len(captions) for captions in stimuli.captions} == {5}
    assert all(((values >= 0) & (values <= 1)).all() for values in stimuli.ratings.values())
    found = audit(trials, stimuli)
    assert found.leakage is not None
    assert found.leakage.mixed_judgments == found.degenerate == 0
    assert found.attention.shown == pytest.approx(200, abs=45)
    assert 0.95 <= found.attention.pass_rate < 1
    assert len(found.participants) == 40
    assert found.rt is not None
    assert found.rt.median == pytest.approx(4.8, abs=0.2)


def test_clips_are_distinct_scenes() -> None:
    stimuli, _ = planted_dataset(n_clips=2880, n_trials=1, n_captions=1)
    scenes = zip(*(stimuli.labels[name] for name in ("action", "people", "place")), strict=True)
    assert len(set(scenes)) == 2880


def test_observers_go_by_the_latents_and_not_by_people_or_place() -> None:
    from scipy.stats import spearmanr

    stimuli, trials = planted_dataset(n_clips=40, n_trials=20_000)
    latents = np.column_stack([stimuli.ratings[name] for name in LATENTS])
    rdm = human_rdm(PairCounts.from_trials(trials))
    first, second = np.nonzero(np.triu(~np.isnan(rdm), 1))
    people = rdm[first, second]
    assert spearmanr(np.linalg.norm(latents[first] - latents[second], axis=1), people).statistic > 0.85
    places = np.array(stimuli.labels["place"])
    assert abs(spearmanr(places[first] != places[second], people).statistic) < 0.15


def test_choices_follow_the_stated_softmax() -> None:
    latents = np.array([[0.0], [0.3], [1.0]])
    odd = choose_odd(np.tile(latents, (100_000, 1, 1)), 0.5, np.random.default_rng(0))
    weights = np.exp(
        -np.array([0.7, 1.0, 0.3]) / 0.5
    )  # distance of the pair that stays if slot 0, 1, 2 is odd
    np.testing.assert_allclose(np.bincount(odd) / len(odd), weights / weights.sum(), atol=0.01)


def test_actions_are_distinct_and_in_range() -> None:
    latents = np.array([action.latents for action in ACTIONS])
    assert len({action.name for action in ACTIONS}) == len(ACTIONS)
    assert np.abs(latents).max() <= 1
    assert len({wording for action in ACTIONS for wording in action.wordings}) == 3 * len(ACTIONS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_clips": 15},
        {"n_clips": 2881},
        {"n_trials": 0},
        {"n_observers": 0},
        {"n_captions": 0},
        {"temperature": 0.0},
    ],
)
def test_impossible_arguments_are_named(wrong: dict) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(wrong))}: out of range"):
        planted_dataset(**wrong)
