"""How well choices are foretold: what it is in units of, who has none of it, and that its shortcuts are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.spatial.distance import pdist, squareform

from bgs.judgments import Trials
from bgs.judgments import choice_prediction as module
from bgs.judgments.choice_prediction import predictability


def study(people: int = 30, each: int = 150, clips: int = 30, seed: int = 0, guess: float = 0.0) -> Trials:
    """Choices by the squared distance in three dimensions; the last five people guess in a share of trials."""
    rng = np.random.default_rng(seed)
    places = rng.normal(size=(clips, 3))
    n = people * each
    stimuli = np.array([rng.choice(clips, 3, replace=False) for _ in range(n)])
    rdm = squareform(pdist(places, "sqeuclidean"))
    utility = -np.stack([rdm[stimuli[:, a], stimuli[:, b]] for a, b in ((1, 2), (0, 2), (0, 1))], axis=1)
    odd = (utility + rng.gumbel(size=(n, 3))).argmax(axis=1)
    who = np.repeat(np.arange(people), each)
    guesses = (who >= people - 5) & (rng.random(n) < guess)
    odd = np.where(guesses, rng.integers(3, size=n), odd)
    names = np.array([f"p{k:02d}" for k in range(people)])[who]
    return Trials(names, np.full(n, "b"), np.arange(n), stimuli, odd, np.full(n, np.nan), clips)


def test_guesses_reach_nothing_and_half_guesses_half_of_it() -> None:
    honest, _ = predictability(study())
    assert honest.mean() == pytest.approx(1.0, abs=0.15)
    assert honest.min() > 0.6
    value, sd = predictability(study(guess=1.0))
    assert (np.abs(value[-5:]) < 3 * sd[-5:]).all()
    assert 0.03 < sd[-5:].mean() < 0.2
    half = predictability(study(guess=0.5))[0]
    assert 0.2 < half[-5:].mean() / half[:-5].mean() < 0.6


def test_it_does_not_depend_on_the_order_of_slots() -> None:
    trials = study(people=12)
    turned = replace(trials, stimuli=trials.stimuli[:, [2, 0, 1]], odd=(trials.odd + 1) % 3)
    np.testing.assert_allclose(predictability(turned)[0], predictability(trials)[0], atol=1e-6)


def test_newton_finds_what_a_plain_search_finds() -> None:
    rng = np.random.default_rng(0)
    features, odd, centre = rng.normal(size=(120, 3, 4)), rng.integers(3, size=120), rng.normal(size=4)

    def loss(weights: np.ndarray) -> float:
        utility = features @ weights
        chosen = utility[np.arange(120), odd] - np.log(np.exp(utility).sum(axis=1))
        return float(15.0 * ((weights - centre) ** 2).sum() - chosen.sum())

    found = module._newton(features, odd, centre, 30.0)
    np.testing.assert_allclose(found, minimize(loss, centre, tol=1e-10).x, atol=1e-4)


def test_a_quadratic_of_differences_is_a_weighted_sum_of_products() -> None:
    rng = np.random.default_rng(0)
    difference = rng.normal(size=(5, 3, 4))
    metric = rng.normal(size=(4, 4))
    metric += metric.T
    first, second = np.triu_indices(4)
    weights = np.where(first == second, metric[first, second], 2 * metric[first, second])
    expected = -np.einsum("nsa,ab,nsb->ns", difference, metric, difference)
    np.testing.assert_allclose(module._products(difference) @ weights, expected)


def test_scaling_gives_the_places_back() -> None:
    places = np.random.default_rng(0).normal(size=(8, 3))
    squared = squareform(pdist(places, "sqeuclidean"))
    found = module._scaling(squared, 3)
    np.testing.assert_allclose(pdist(found, "sqeuclidean"), pdist(places, "sqeuclidean"))


def test_choices_without_any_pattern_have_no_predictability_to_speak_of() -> None:
    trials = study(people=12, each=40)
    odd = np.random.default_rng(0).integers(3, size=len(trials))
    value, sd = predictability(replace(trials, odd=odd))
    assert value.shape == sd.shape == (12,)
