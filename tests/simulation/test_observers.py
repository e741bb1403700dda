"""Simulated observers: the stated probabilities, the stated design, the stated truth."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgs._errors import ConfigError, DataError
from bgs.judgments.trials import Kind
from bgs.simulation import (
    AnalyticCeiling,
    ObserverSettings,
    analytic_ceilings,
    read_truth,
    simulate_judgments,
    write_truth,
)
from bgs.simulation.observers import draw_population, standard_latents, weighted_rdm
from bgs.simulation.responses import choice_entropy, distinct_triplets, draw_odd
from bgs.stimuli import StimulusSet


def rated(n: int = 20, n_test: int = 0, seed: int = 0) -> StimulusSet:
    rng = np.random.default_rng(seed)
    ratings = {name: rng.random(n) for name in (*ObserverSettings().weights, "distance")}
    split = ("train",) * (n - n_test) + ("test",) * n_test if n_test else None
    return StimulusSet(ids=tuple(f"clip-{i}" for i in range(n)), split=split, ratings=ratings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_observers", 0), ("block_trials", 0), ("temperature", 0.0), ("temperature", float("nan")),
        ("rt_median_s", 0.0), ("careless_rt_s", -1.0), ("weight_spread", -0.1), ("rt_slowing", -1.0), ("lapse", 1.1),
        ("careless_share", -0.1), ("catch_share", 1.0), ("weights", {}), ("rt_spread", float("inf")),
    ],
)  # fmt: skip
def test_impossible_settings_are_named(name, value):
    with pytest.raises(ConfigError, match=f"{name}: out of range"):
        ObserverSettings(**{name: value})


def test_impossible_weights_and_unknown_settings_are_named():
    with pytest.raises(ConfigError, match="weight of valence: out of range"):
        ObserverSettings(weights={"valence": 0.0})
    with pytest.raises(ConfigError, match="unknown setting moods"):
        ObserverSettings.from_json({"moods": 3})


def test_settings_survive_json():
    settings = ObserverSettings(n_observers=3, weights={"valence": 2.0}, lapse=0.1)
    assert ObserverSettings.from_json(settings.to_json()) == settings


def test_weights_have_the_stated_mean_and_spread():
    settings = ObserverSettings(n_observers=20_000, weight_spread=0.4)
    population = draw_population(settings, 0)
    assert np.linalg.norm(settings.mean_weights) == pytest.approx(1)
    np.testing.assert_allclose(population.weights.mean(axis=0), settings.mean_weights, rtol=0.02)
    np.testing.assert_allclose(np.log(population.weights).std(axis=0), 0.4, rtol=0.02)


def test_distances_are_those_of_the_formula():
    latents, weights = np.random.default_rng(0).normal(size=(5, 3)), np.array([1.0, 0.5, 0.2])
    rdm = weighted_rdm(latents, weights)
    for i, j in combinations(range(5), 2):
        squares = sum((weights[k] * (latents[i, k] - latents[j, k])) ** 2 for k in range(3))
        assert rdm[i, j] == rdm[j, i] == pytest.approx(squares**0.5)


def test_latents_are_standardised_so_that_units_do_not_matter():
    stimuli = rated()
    stretched = replace(stimuli, ratings={name: 7 * x - 3 for name, x in stimuli.ratings.items()})
    expected = standard_latents(stimuli, ("valence", "arousal"))
    np.testing.assert_allclose(expected.std(axis=0), 1)
    np.testing.assert_allclose(standard_latents(stretched, ("valence", "arousal")), expected, atol=1e-12)


def test_ratings_that_are_no_use_are_named():
    stimuli = rated()
    with pytest.raises(DataError, match="unknown rating column mood; expected valence"):
        standard_latents(stimuli, ("mood",))
    flat = replace(stimuli, ratings={"valence": np.full(20, 0.1)})
    with pytest.raises(DataError, match="'valence': constant rating"):
        standard_latents(flat, ("valence",))
    holes = replace(stimuli, ratings={"valence": np.where(np.arange(20) == 4, np.nan, np.arange(20.0))})
    with pytest.raises(DataError, match="stimulus clip-4: missing rating"):
        standard_latents(holes, ("valence",))


@given(st.integers(3, 12), st.integers(0, 2**32 - 1))
def test_triplets_are_distinct_and_in_range(n_clips, seed):
    triplets = distinct_triplets(50, n_clips, np.random.default_rng(seed))
    assert all(len(set(row)) == 3 and max(row) < n_clips for row in triplets.tolist())


def test_drawn_answers_follow_their_chances():
    chances = np.tile([0.2, 0.5, 0.3], (100_000, 1))
    found = np.bincount(draw_odd(chances, np.random.default_rng(0)), minlength=3) / 100_000
    np.testing.assert_allclose(found, [0.2, 0.5, 0.3], atol=0.006)
    certain = draw_odd(np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]), np.random.default_rng(0))
    assert certain.tolist() == [2, 0]


def test_entropy_is_0_when_certain_and_1_when_undecided():
    found = choice_entropy(np.array([[1.0, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0.5, 0.5, 0.0]]))
    np.testing.assert_allclose(found, [0, 1, np.log(2) / np.log(3)], atol=1e-12)


def test_the_same_seed_gives_the_same_judgments():
    first, again, other = (simulate_judgments(rated(), 500, seed=seed) for seed in (1, 1, 2))
    assert first.trials.hash() == again.trials.hash() != other.trials.hash()
    assert first.again(0).hash() == again.again(0).hash() != first.again(1).hash()


def test_design_turns_checks_and_blocks():
    settings = ObserverSettings(n_observers=7, catch_share=0.1, block_trials=10)
    trials = simulate_judgments(rated(), 7 * 40, settings).trials
    assert np.bincount(trials.participant_codes).tolist() == [40] * 7
    assert np.bincount(trials.participant_codes[trials.kind == Kind.CATCH]).tolist() == [4] * 7
    assert (trials.kind != Kind.DEGENERATE).all()
    first = trials.where(trials.participant == "observer-0000")
    assert first.block.tolist() == [f"set{k}" for k in (1, 2, 3, 4) for _ in range(10)]
    assert first.trial.tolist() == list(range(10)) * 4


@pytest.mark.parametrize(("share", "expected"), [(None, 250), (0.0, 0), (0.6, 600), (1.0, 1000)])
def test_trials_never_mix_the_splits(share, expected):
    stimuli = rated(20, n_test=5)
    judged = simulate_judgments(stimuli, 1000, seed=3, test_share=share)
    counted = judged.trials.count_in(stimuli.test)
    assert set(counted.tolist()) <= {0, 3}
    assert (counted == 3).sum() == judged.n_test_trials == expected
    assert list(judged.parts) == [name for name, n in (("train", 1000 - expected), ("test", expected)) if n]


def test_impossible_designs_are_named():
    with pytest.raises(ConfigError, match="n_trials: invalid number"):
        simulate_judgments(rated(), 0)
    with pytest.raises(
        ConfigError, match="test clips: too few clips for a trial; expected at least 3, got 2"
    ):
        simulate_judgments(rated(20, n_test=2), 100)
    assert len(simulate_judgments(rated(20, n_test=2), 100, test_share=0.0).trials) == 100
    with pytest.raises(ConfigError, match="clips: too few"):
        simulate_judgments(rated(2), 10)
    for share, stimuli in ((1.2, rated(20, n_test=5)), (0.2, rated())):
        with pytest.raises(ConfigError, match="test_share: invalid proportion"):
            simulate_judgments(stimuli, 100, test_share=share)


def test_choices_follow_the_formula_with_lapses():
    """Three clips on a line: every trial shows the same triplet, so that the shares can be worked out by hand."""
    stimuli = StimulusSet(ids=("a", "b", "c"), ratings={"valence": np.array([0.0, 1.0, 3.0])})
    settings = ObserverSettings(
        n_observers=5,
        weights={"valence": 4.0},
        weight_spread=0.0,
        temperature=0.8,
        lapse=0.3,
        catch_share=0.0,
    )
    trials = simulate_judgments(stimuli, 60_000, settings).trials
    sd = np.std([0.0, 1.0, 3.0])
    weights = np.exp(-np.array([2.0, 3.0, 1.0]) / sd / 0.8)  # pairs that stay when a, b, c is odd
    expected = 0.7 * weights / weights.sum() + 0.1
    odd = np.take_along_axis(trials.stimuli, trials.odd[:, None], axis=1)[:, 0]
    np.testing.assert_allclose(np.bincount(odd) / 60_000, expected, atol=0.008)


def test_careless_observers_guess_fast_and_fail_two_checks_in_three():
    settings = ObserverSettings(n_observers=40, careless_share=0.25, catch_share=0.2, lapse=0.0)
    judged = simulate_judgments(rated(), 40_000, settings)
    assert len(judged.careless) == 10
    trials = judged.trials
    careless = np.isin(trials.participant, judged.careless)
    chosen = np.take_along_axis(trials.stimuli, trials.odd[:, None], axis=1)
    passed = (trials.stimuli == chosen).sum(axis=1) == 1
    check = trials.kind == Kind.CATCH
    assert passed[check & ~careless].all()
    assert passed[check & careless].mean() == pytest.approx(1 / 3, abs=0.04)
    np.testing.assert_allclose(np.bincount(trials.odd[careless & ~check]) / 8000, 1 / 3, atol=0.02)
    assert np.median(trials.rt[careless]) == pytest.approx(1.0, rel=0.25)
    assert np.median(trials.rt[~careless]) == pytest.approx(4.8, rel=0.2)


def test_hard_trials_take_longer():
    settings = ObserverSettings(pace_spread=0.0, rt_slowing=1.0)
    judged = simulate_judgments(rated(), 20_000, settings)
    latents = judged.latents * settings.mean_weights
    shown = latents[judged.trials.stimuli]
    gaps = np.sort(
        [np.linalg.norm(shown[:, a] - shown[:, b], axis=1) for a, b in combinations(range(3), 2)], axis=0
    )
    easy = gaps[1] - gaps[0]
    hard = judged.trials.kind == Kind.JUDGMENT
    low, high = np.quantile(easy[hard], [0.1, 0.9])
    slow, fast = (np.median(judged.trials.rt[hard & side]) for side in (easy < low, easy > high))
    assert slow > 1.3 * fast


def test_the_truth_is_on_disk(tmp_path: Path):
    judged = simulate_judgments(
        rated(20, n_test=5), 2000, ObserverSettings(n_observers=10, careless_share=0.2)
    )
    ceilings = analytic_ceilings(judged, draws=3)
    write_truth(tmp_path / "observers.json", judged, ceilings)
    truth = read_truth(tmp_path / "observers.json")
    assert (truth.trials, truth.seed, truth.settings) == (judged.trials.hash(), 0, judged.settings)
    assert (truth.careless, truth.ceilings) == (judged.careless, ceilings)
    assert len(truth.careless) == 2
    weights = [
        truth.observers[name][column]
        for name in judged.population.names
        for column in judged.settings.weights
    ]
    np.testing.assert_array_equal(weights, judged.population.weights.reshape(-1))


def test_undefined_ceilings_are_null_on_disk():
    nan = float("nan")
    ceiling = AnalyticCeiling(0, 0, nan, nan, nan, nan, nan, nan, nan, 0)
    assert ceiling.to_json()["odd_one_out"] is None
    assert np.isnan(AnalyticCeiling.from_json(ceiling.to_json()).odd_one_out)


def test_another_file_is_no_truth(tmp_path: Path):
    with pytest.raises(DataError, match="cannot read"):
        read_truth(tmp_path / "observers.json")
    for text in ("{}", "[1]", "no"):
        (tmp_path / "observers.json").write_text(text)
        with pytest.raises(DataError, match="not the ground truth"):
            read_truth(tmp_path / "observers.json")


def test_200_000_trials_take_a_moment():
    stimuli = rated(60)
    start = time.process_time()
    simulate_judgments(stimuli, 200_000)
    assert time.process_time() - start < 5
