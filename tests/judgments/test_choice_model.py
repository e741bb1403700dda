"""The choice model against a slow loop, finite differences, values worked out by hand, and what must not change it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from drawn_trials import any_trials, make_trials
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime, minimize

from bgs._errors import ConfigError, DataError
from bgs.evaluation import spearman
from bgs.judgments import PairCounts, Trials, choice_model_rdm, human_rdm
from bgs.judgments.choice_model import Answers, penalised_loss
from bgs.judgments.rated import choice_probabilities, draw_trials


def slow_loss(rdm: np.ndarray, trials: Trials, ridge: float, lapse: float) -> float:
    """−log likelihood, a trial at a time, and the ridge about the mean of the pairs shown."""
    loss, seen = 0.0, {}
    for clips, odd in zip(trials.stimuli.tolist(), trials.odd.tolist(), strict=True):
        if len(set(clips)) < 3:
            continue
        distances = []
        for k in range(3):
            i, j = sorted(clips[m] for m in range(3) if m != k)
            distances.append(rdm[i, j])
            seen[i, j] = rdm[i, j]
        total = sum(math.exp(-d) for d in distances)
        loss -= math.log((1 - lapse) * math.exp(-distances[odd]) / total + lapse / 3)
    mean = sum(seen.values()) / len(seen)
    return loss + ridge / 2 * sum((d - mean) ** 2 for d in seen.values())


def slow_fit(trials: Trials, ridge: float, lapse: float) -> np.ndarray:
    """(p,) minimum of the loop over all pairs of stimuli, by a method that needs no gradient of ours."""
    n = trials.n_stimuli
    first, second = np.triu_indices(n, 1)

    def loss(values: np.ndarray) -> float:
        rdm = np.zeros((n, n))
        rdm[first, second] = rdm[second, first] = values
        return slow_loss(rdm, trials, ridge, lapse)

    found = minimize(loss, np.zeros(len(first)), method="BFGS", options={"gtol": 1e-6})
    return found.x


def pairs_of(rdm: np.ndarray) -> np.ndarray:
    return rdm[np.triu_indices(len(rdm), 1)]


def centred(values: np.ndarray) -> np.ndarray:
    return values - np.nanmean(values)


def noisy_line(seed: int) -> Trials:
    """5 to 80 noisy judgments of 4 to 9 stimuli on a line."""
    rng = np.random.default_rng(seed)
    return draw_trials(line(rng.integers(4, 10), seed), int(rng.integers(5, 81)), seed, temperature=0.3)


def line(n: int, seed: int) -> np.ndarray:
    """(n, n) distances of n points drawn from 0 to 1."""
    points = np.random.default_rng(seed).random(n)
    return np.abs(points[:, None] - points)


seeds = st.integers(0, 10_000)


@given(seeds, st.sampled_from([0.0, 0.1, 0.6]), st.sampled_from([0.01, 1.0]))
@settings(max_examples=30)
def test_loss_equals_the_loop(seed: int, lapse: float, ridge: float) -> None:
    trials = noisy_line(seed)
    answers = Answers.from_trials(trials)
    distance = np.random.default_rng(0).normal(size=len(answers.cells)) * 2
    distance -= distance.mean()
    rdm = np.zeros((trials.n_stimuli,) * 2)
    rdm.flat[answers.cells] = distance
    loss, _ = penalised_loss(distance, answers, ridge, lapse)
    assert loss == pytest.approx(slow_loss(rdm, trials, ridge, lapse))


@given(seeds, st.sampled_from([0.0, 0.1, 0.6]))
@settings(max_examples=30)
def test_gradient_equals_finite_differences(seed: int, lapse: float) -> None:
    trials = noisy_line(seed)
    answers = Answers.from_trials(trials)
    distance = np.random.default_rng(1).normal(size=len(answers.cells))
    numeric = approx_fprime(distance, lambda d: penalised_loss(d, answers, 0.5, lapse)[0], 1e-6)
    np.testing.assert_allclose(penalised_loss(distance, answers, 0.5, lapse)[1], numeric, atol=1e-3)


@pytest.mark.parametrize("lapse", [0.0, 0.05])
def test_fit_equals_the_minimum_of_the_loop(lapse: float) -> None:
    trials = draw_trials(line(5, seed=3), 120, seed=3, temperature=0.3)
    slow = slow_fit(trials, 0.5, lapse)
    fast = pairs_of(choice_model_rdm(trials, 0.5, lapse))
    np.testing.assert_allclose(centred(fast), centred(slow), atol=1e-4)


def test_three_clips_by_hand() -> None:
    """Shares kept 5/10, 3/10 and 2/10: distances are minus their logarithms, up to a constant."""
    odd = np.repeat([2, 1, 0], [5, 3, 2])  # 0 and 1 are kept five times
    rdm = choice_model_rdm(make_trials(np.tile([0, 1, 2], (10, 1)), odd, 3), ridge=1e-6)
    np.testing.assert_allclose([rdm[0, 1], rdm[0, 2], rdm[1, 2]], np.log([1, 5 / 3, 5 / 2]), atol=1e-5)


def test_three_clips_with_lapses_by_hand() -> None:
    """With a lapse rate of .3 the attentive shares are (share − .1) / .7."""
    odd = np.repeat([2, 1, 0], [5, 3, 2])
    rdm = choice_model_rdm(make_trials(np.tile([0, 1, 2], (10, 1)), odd, 3), ridge=1e-6, lapse=0.3)
    np.testing.assert_allclose([rdm[0, 1], rdm[0, 2], rdm[1, 2]], np.log([1, 2, 4]), atol=1e-4)


@given(any_trials(), st.randoms(use_true_random=False))
def test_order_of_trials_and_slots_changes_no_bit(trials: Trials, random) -> None:
    if not len(trials.judgments):
        return
    order = list(range(len(trials)))
    random.shuffle(order)
    slots = random.sample(range(3), 3)
    moved = make_trials(
        trials.stimuli[order][:, slots], np.argsort(slots)[trials.odd[order]], trials.n_stimuli
    )
    np.testing.assert_array_equal(choice_model_rdm(trials), choice_model_rdm(moved))


@given(seeds, st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_relabelling_stimuli_relabels_the_rdm(seed: int, random) -> None:
    trials = noisy_line(seed)
    label = np.array(random.sample(range(trials.n_stimuli), trials.n_stimuli))
    relabelled = choice_model_rdm(make_trials(label[trials.stimuli], trials.odd, trials.n_stimuli))
    np.testing.assert_allclose(relabelled[np.ix_(label, label)], choice_model_rdm(trials), atol=1e-4)


@given(any_trials())
def test_nan_exactly_where_no_judgment_shows_the_pair(trials: Trials) -> None:
    if not len(trials.judgments):
        return
    rdm, off = choice_model_rdm(trials), ~np.eye(trials.n_stimuli, dtype=bool)
    shown = PairCounts.from_trials(trials).shown
    np.testing.assert_array_equal(np.isnan(rdm[off]), shown[off] == 0)
    np.testing.assert_array_equal(rdm, rdm.T)
    assert (rdm.diagonal() == 0).all()
    assert np.nanmin(rdm[off]) == 0


def test_sets_that_no_trial_links_share_their_mean() -> None:
    trials = make_trials([[0, 1, 2]] * 4 + [[3, 4, 5]] * 2, [2, 2, 2, 0, 2, 1], 6)
    rdm = choice_model_rdm(trials)
    assert pairs_of(rdm[:3, :3]).mean() == pytest.approx(pairs_of(rdm[3:, 3:]).mean(), abs=1e-4)
    assert np.isnan(rdm[:3, 3:]).all()


def test_what_a_pair_met_does_not_matter() -> None:
    """Two pairs at one distance, one amid the others and one far off: shares kept differ, modelled distances do not."""
    amid = np.random.default_rng(0).normal(size=(8, 2))
    places = np.vstack([[[-0.5, 0], [0.5, 0], [4, 4], [5, 4]], amid])
    truth = np.linalg.norm(places[:, None] - places[None], axis=2)
    trials = draw_trials(truth, 100_000, seed=0, temperature=1.0)
    shares, fitted = human_rdm(PairCounts.from_trials(trials)), choice_model_rdm(trials)
    assert shares[0, 1] - shares[2, 3] > 0.3
    assert fitted[0, 1] - fitted[2, 3] == pytest.approx(0, abs=0.2)
    assert np.corrcoef(pairs_of(fitted), pairs_of(truth))[0, 1] > 0.995


def test_lapses_shrink_distances_unless_they_are_modelled() -> None:
    truth = 3 * line(6, seed=1)
    trials = draw_trials(truth, 40_000, seed=1, temperature=1.0)
    rng = np.random.default_rng(2)
    guess = rng.random(len(trials)) < 0.3
    odd = np.where(guess, rng.integers(3, size=len(trials)), trials.odd)
    guessed = make_trials(trials.stimuli, odd, 6)
    spread = [pairs_of(choice_model_rdm(guessed, lapse=lapse)).std() for lapse in (0.0, 0.3)]
    assert spread[0] < 0.85 * pairs_of(truth).std()
    assert spread[1] == pytest.approx(pairs_of(truth).std(), rel=0.05)


def test_a_single_answer_has_a_finite_fit() -> None:
    """Slope 0 by hand: the kept pair is drawn 2/3 of the gap off the mean by what its chance lacks to 1."""
    rdm = choice_model_rdm(make_trials([[0, 1, 2]], [2], 3), ridge=1.0)
    gap = rdm[0, 2]
    assert rdm[0, 1] == 0
    assert rdm[1, 2] == pytest.approx(gap, abs=1e-5)
    assert gap * 2 / 3 == pytest.approx(1 - 1 / (1 + 2 * math.exp(-gap)), abs=1e-4)


@pytest.mark.parametrize("ridge", [0.0, -1.0, math.nan, math.inf])
def test_impossible_ridge(ridge: float) -> None:
    with pytest.raises(ConfigError, match="ridge: out of range; expected a finite number above 0"):
        choice_model_rdm(make_trials([[0, 1, 2]], [2], 3), ridge=ridge)


@pytest.mark.parametrize("lapse", [-0.1, 1.0, math.nan])
def test_impossible_lapse(lapse: float) -> None:
    with pytest.raises(ConfigError, match="lapse: out of range; expected 0 to below 1"):
        choice_model_rdm(make_trials([[0, 1, 2]], [2], 3), lapse=lapse)


@pytest.mark.parametrize("stimuli", [np.empty((0, 3), dtype=int), [[0, 0, 1]]])
def test_nothing_to_fit(stimuli) -> None:
    with pytest.raises(DataError, match="no similarity judgment to fit"):
        choice_model_rdm(make_trials(stimuli, [0] * len(stimuli), 3))


@pytest.mark.real
def test_the_published_judgments(garcia) -> None:
    """Ridge 1 tells best how people answer trials that it never saw, and better than the share kept together does."""
    judgments = garcia.trials.judgments
    assert len(judgments) == 47_126
    shares, fitted = human_rdm(PairCounts.from_trials(judgments)), choice_model_rdm(judgments)
    assert spearman(pairs_of(fitted), pairs_of(shares)) == pytest.approx(0.956, abs=0.0005)
    told = {
        ridge: held_out(judgments, lambda known, r=ridge: choice_model_rdm(known, r))
        for ridge in (0.3, 1.0, 3.0)
    }
    assert max(told, key=lambda ridge: told[ridge][0]) == 1.0
    by_shares = held_out(judgments, lambda known: human_rdm(PairCounts.from_trials(known)))
    assert told[1.0][1] == pytest.approx(0.556, abs=0.0005)
    assert by_shares[1] == pytest.approx(0.545, abs=0.0005)


def held_out(trials: Trials, estimate: Callable[[Trials], np.ndarray], folds: int = 5) -> tuple[float, float]:
    """Mean log likelihood and 3AFC accuracy of trials left out; a pair that was not shown then is an average one."""
    fold = np.random.default_rng(0).integers(folds, size=len(trials))
    scores = [score(estimate(trials.where(fold != k)), trials.where(fold == k)) for k in range(folds)]
    likelihood, accuracy = np.mean(scores, axis=0)
    return float(likelihood), float(accuracy)


def score(rdm: np.ndarray, trials: Trials) -> tuple[float, float]:
    chances = choice_probabilities(np.where(np.isnan(rdm), np.nanmean(rdm), rdm), trials.stimuli, 1.0)
    given = chances[np.arange(len(trials)), trials.odd]
    return float(np.log(given).mean()), float((chances.argmax(axis=1) == trials.odd).mean())
