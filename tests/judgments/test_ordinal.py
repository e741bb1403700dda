"""The ordinal embedding against a slow loop, finite differences, known truths, and what must not change it."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from drawn_trials import any_trials, make_trials
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from scipy.spatial.distance import pdist, squareform

from bgs._errors import ConfigError, DataError
from bgs.judgments import Trials, choice_model_rdm, ordinal_embedding
from bgs.judgments.choice_model import Answers
from bgs.judgments.ordinal_fit import SOFTNESS, differences, posterior_loss, principal_axes
from bgs.judgments.ordinal_validation import HeldOut, choose_dimensions
from bgs.judgments.rated import choice_probabilities, draw_trials

seeds = st.integers(0, 10_000)


def slow_loss(points: np.ndarray, trials: Trials, penalty: float, lapse: float) -> tuple[float, np.ndarray]:
    """−log posterior and its gradient, a trial and a pair at a time."""
    loss, gradient = penalty / 2 * float(np.sum(points**2)), penalty * points
    for clips, odd in zip(trials.stimuli.tolist(), trials.odd.tolist(), strict=True):
        if len(set(clips)) < 3:
            continue
        pairs = [[clips[slot] for slot in range(3) if slot != k] for k in range(3)]
        distance = [math.sqrt(((points[i] - points[j]) ** 2).sum() + SOFTNESS**2) for i, j in pairs]
        total = sum(math.exp(-d) for d in distance)
        tried = [(1 - lapse) * math.exp(-d) / total for d in distance]
        answer = tried[odd] + lapse / 3
        loss -= math.log(answer)
        for k, (i, j) in enumerate(pairs):
            # d log answer / d distance_k
            slope = -tried[odd] / answer * ((k == odd) - tried[k] / (1 - lapse))
            pull = slope * (points[i] - points[j]) / distance[k]
            gradient[i] -= pull
            gradient[j] += pull
    return loss, gradient


def cloud(n: int, d: int, seed: int, spread: float = 2.0) -> np.ndarray:
    """(n, n) distances of n points in d dimensions, in log odds."""
    return squareform(pdist(np.random.default_rng(seed).normal(size=(n, d)) * spread))


def told(rdm: np.ndarray, trials: Trials) -> float:
    """3AFC: share of the judgments that keep the closest pair."""
    return float((choice_probabilities(rdm, trials.stimuli, 1.0).argmax(axis=1) == trials.odd).mean())


@given(any_trials(), seeds, st.sampled_from([0.0, 0.1, 0.6]), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_loss_and_gradient_equal_the_loop(trials: Trials, seed: int, lapse: float, d: int) -> None:
    if not len(trials.judgments):
        return
    answers, n = Answers.from_trials(trials), trials.n_stimuli
    points = np.random.default_rng(seed).normal(size=(n, d))
    loss, gradient = posterior_loss(points, differences(answers, n), answers, 0.7, lapse)
    slow, slow_gradient = slow_loss(points, trials, 0.7, lapse)
    assert loss == pytest.approx(slow)
    np.testing.assert_allclose(gradient, slow_gradient, rtol=1e-9, atol=1e-9)


@given(seeds, st.sampled_from([0.0, 0.1, 0.6]))
@settings(max_examples=20, deadline=None)
def test_gradient_equals_finite_differences(seed: int, lapse: float) -> None:
    trials = draw_trials(cloud(6, 2, seed), 60, seed, 1.0)
    answers, points = Answers.from_trials(trials), np.random.default_rng(seed).normal(size=(6, 2))
    apart = differences(answers, 6)

    def loss(flat: np.ndarray) -> float:
        return posterior_loss(flat.reshape(6, 2), apart, answers, 0.5, lapse)[0]

    gradient = posterior_loss(points, apart, answers, 0.5, lapse)[1]
    np.testing.assert_allclose(gradient.ravel(), approx_fprime(points.ravel(), loss, 1e-7), atol=1e-3)


def test_the_gradient_exists_where_points_meet() -> None:
    trials = make_trials([[0, 1, 2]], [2], 3)
    answers = Answers.from_trials(trials)
    loss, gradient = posterior_loss(np.zeros((3, 2)), differences(answers, 3), answers, 1.0, 0.0)
    assert loss == pytest.approx(math.log(3))
    np.testing.assert_array_equal(gradient, 0)


@given(any_trials(), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_order_of_trials_and_slots_changes_no_bit(trials: Trials, random) -> None:
    order = list(range(len(trials)))
    random.shuffle(order)
    slots = random.sample(range(3), 3)
    moved = make_trials(
        trials.stimuli[order][:, slots], np.argsort(slots)[trials.odd[order]], trials.n_stimuli
    )
    try:
        found = ordinal_embedding(trials, dimensions=1, penalty=1.0, starts=2)
    except DataError:
        return  # nothing to fit, or not linked
    again = ordinal_embedding(moved, dimensions=1, penalty=1.0, starts=2)
    np.testing.assert_array_equal(found.values, again.values)
    np.testing.assert_array_equal(found.rdm(), again.rdm())


@given(any_trials(), seeds, st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_relabelling_stimuli_relabels_loss_and_gradient(trials: Trials, seed: int, random) -> None:
    if not len(trials.judgments):
        return
    n = trials.n_stimuli
    points, label = np.random.default_rng(seed).normal(size=(n, 2)), np.array(random.sample(range(n), n))
    moved, old = np.empty_like(points), Answers.from_trials(trials)
    moved[label] = points
    new = Answers.from_trials(make_trials(label[trials.stimuli], trials.odd, n))
    loss, gradient = posterior_loss(points, differences(old, n), old, 0.3, 0.1)
    again, turned = posterior_loss(moved, differences(new, n), new, 0.3, 0.1)
    assert again == pytest.approx(loss)
    np.testing.assert_allclose(turned[label], gradient, atol=1e-12)


def test_relabelling_stimuli_relabels_the_rdm() -> None:
    trials = draw_trials(cloud(9, 2, seed=1), 600, seed=1, temperature=1.0)
    label = np.random.default_rng(0).permutation(9)
    relabelled = make_trials(label[trials.stimuli], trials.odd, 9)
    fits = [ordinal_embedding(t, dimensions=2, penalty=0.5) for t in (trials, relabelled)]
    np.testing.assert_allclose(fits[1].rdm()[np.ix_(label, label)], fits[0].rdm(), atol=0.02)


def test_the_truth_comes_back_with_its_dimensions() -> None:
    """Three dimensions, 30 stimuli: nearly as good as the geometry that the answers were drawn from."""
    truth = cloud(30, 3, seed=2)
    fresh = draw_trials(truth, 20_000, seed=99, temperature=1.0)
    trials = draw_trials(truth, 3_000, seed=2, temperature=1.0)
    found = ordinal_embedding(trials)
    assert found.dimensions == 3
    upper = np.triu_indices(30, 1)
    assert np.corrcoef(found.rdm()[upper], truth[upper])[0, 1] > 0.97
    assert found.rdm()[upper].mean() == pytest.approx(truth[upper].mean(), rel=0.1)  # in log odds
    assert told(found.rdm(), fresh) > told(truth, fresh) - 0.015
    assert told(found.rdm(), fresh) > told(choice_model_rdm(trials), fresh) + 0.01
    held_out = found.held_out[3]
    assert held_out.accuracy == pytest.approx(told(found.rdm(), fresh), abs=0.03)
    assert set(found.held_out) >= {1, 2, 3, 4, 5}


def test_lapses_shrink_distances_unless_they_are_modelled() -> None:
    truth = cloud(12, 2, seed=4)
    trials = draw_trials(truth, 20_000, seed=4, temperature=1.0)
    rng = np.random.default_rng(0)
    odd = np.where(rng.random(len(trials)) < 0.3, rng.integers(3, size=len(trials)), trials.odd)
    guessed = make_trials(trials.stimuli, odd, 12)
    upper = np.triu_indices(12, 1)
    spread = [
        ordinal_embedding(guessed, dimensions=2, penalty=0.1, lapse=lapse).rdm()[upper].std()
        for lapse in (0.0, 0.3)
    ]
    assert spread[0] < 0.85 * truth[upper].std()
    assert spread[1] == pytest.approx(truth[upper].std(), rel=0.1)


def test_the_same_seed_gives_the_same_bits_and_json() -> None:
    trials = draw_trials(cloud(10, 2, seed=5), 600, seed=5, temperature=1.0)
    first, second = (ordinal_embedding(trials, dimensions=2, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.values, second.values)
    assert json.dumps(first.to_json(), allow_nan=False) == json.dumps(second.to_json(), allow_nan=False)
    assert set(first.held_out) == {2}
    assert first.penalty == first.held_out[2].penalty


def test_a_stimulus_that_no_judgment_shows_is_left_out_and_never_at_a_place() -> None:
    trials = draw_trials(cloud(8, 2, seed=6), 400, seed=6, temperature=1.0)
    wide = make_trials(trials.stimuli + 1, trials.odd, 11)  # 0, 9 and 10 are never shown
    wide = make_trials(np.vstack([wide.stimuli, [0, 0, 5]]), np.append(wide.odd, 2), 11)
    found = ordinal_embedding(wide, [f"c{i}" for i in range(11)], dimensions=2, penalty=1.0)
    assert found.stimulus_ids == tuple(f"c{i}" for i in range(1, 9))
    assert found.positions.tolist() == list(range(1, 9))
    rdm = found.rdm()
    seen = np.isin(np.arange(11), found.positions)
    np.testing.assert_array_equal(np.isfinite(rdm), seen[:, None] & seen | np.eye(11, dtype=bool))
    embeddings = found.embeddings()
    assert embeddings.stimulus_ids == found.stimulus_ids
    with pytest.raises(DataError, match="have no embedding: c0, c9, c10"):
        embeddings.select([f"c{i}" for i in range(11)])


def test_principal_axes_keep_distances() -> None:
    points = np.random.default_rng(0).normal(size=(7, 3)) * [1, 5, 2]
    turned = principal_axes(points)
    np.testing.assert_allclose(pdist(turned), pdist(points))
    np.testing.assert_allclose(turned.mean(axis=0), 0, atol=1e-12)
    spread = turned.T @ turned
    np.testing.assert_allclose(spread, np.diag(np.diag(spread)), atol=1e-9)
    assert (np.diff(np.diag(spread)) < 0).all()


def test_the_fewest_dimensions_within_a_standard_error_of_the_best() -> None:
    found = {
        1: HeldOut(1.0, (-1.0, -1.1, -1.2), (0.5,) * 3),
        2: HeldOut(1.0, (-0.80, -0.93, -1.01), (0.5,) * 3),  # worse than 3 by .00, .02, .00
        3: HeldOut(1.0, (-0.80, -0.91, -1.01), (0.5,) * 3),
    }
    assert choose_dimensions(found) == 2
    found[3] = HeldOut(1.0, (-0.78, -0.91, -0.99), (0.5,) * 3)  # better by .02 in every fold
    assert choose_dimensions(found) == 3


def test_sets_that_no_trial_links_are_refused() -> None:
    trials = make_trials([[0, 1, 2], [3, 4, 5], [3, 4, 6]], [2, 2, 1], 7)
    with pytest.raises(DataError, match="no trial links 4 of 7 stimuli with the others: 3, 4, 5 and 1 more"):
        ordinal_embedding(trials)


@pytest.mark.parametrize("stimuli", [np.empty((0, 3), dtype=int), [[0, 0, 1]]])
def test_nothing_to_embed(stimuli) -> None:
    with pytest.raises(DataError, match="no similarity judgment to fit"):
        ordinal_embedding(make_trials(stimuli, [0] * len(stimuli), 3))


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ({"dimensions": 0}, "dimensions: out of range; expected 1 to 3, got 0"),
        ({"dimensions": 4}, "dimensions: out of range; expected 1 to 3, got 4"),
        ({"penalty": 0.0}, "penalty: out of range; expected a finite number above 0, got 0"),
        ({"penalty": math.nan}, "penalty: out of range"),
        ({"lapse": 1.0}, "lapse: out of range; expected 0 to below 1, got 1"),
        ({"folds": 1}, "folds: out of range; expected at least 2, got 1"),
        ({"starts": 0}, "starts: out of range; expected at least 1, got 0"),
    ],
)
def test_impossible_settings(setting, line) -> None:
    with pytest.raises(ConfigError, match=line):
        ordinal_embedding(make_trials([[0, 1, 2], [1, 2, 3]], [2, 0], 4), **setting)


def test_too_few_triplets_to_cross_validate_say_what_to_do() -> None:
    trials = make_trials([[0, 1, 2], [1, 2, 3]], [2, 0], 4)
    with pytest.raises(DataError, match=r"at least 5, got 2 \(give dimensions and penalty"):
        ordinal_embedding(trials)
    found = ordinal_embedding(trials, dimensions=1, penalty=1.0)
    assert np.isfinite(found.rdm()).all()


def test_ids_must_be_those_of_the_stimulus_set() -> None:
    with pytest.raises(DataError, match="expected 4 ids, got 2"):
        ordinal_embedding(make_trials([[0, 1, 2], [1, 2, 3]], [2, 0], 4), ["a", "b"])


@pytest.mark.real
def test_left_out_answers_of_people_are_foretold_better_than_by_pairs(garcia) -> None:
    """Judgments among training clips only: .66 of those left out, where free distances of the pairs get .55."""
    trials = garcia.trials.judgments.within(garcia.stimuli.train)
    assert len(trials) == 24_096
    left_out = np.random.default_rng(0).permutation(len(trials)) % 5 == 0
    known, fresh = trials.where(~left_out), trials.where(left_out)
    found = ordinal_embedding(known, garcia.stimuli.ids, dimensions=6, penalty=2.0, starts=1)
    assert len(found.values) == 200
    assert not set(found.stimulus_ids) & {garcia.stimuli.ids[i] for i in np.flatnonzero(garcia.stimuli.test)}
    pairs = choice_model_rdm(known)
    average = np.where(np.isnan(pairs), np.nanmean(pairs), pairs)
    assert told(average, fresh) == pytest.approx(0.548, abs=0.005)
    assert told(found.rdm(), fresh) == pytest.approx(0.657, abs=0.005)
