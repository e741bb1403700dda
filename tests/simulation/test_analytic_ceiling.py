"""Analytic ceilings: by loop, by simulation, and as the limit of the estimated ones."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from bgs.evaluation import (
    odd_one_out_ceiling,
    pair_vector,
    pearson,
    rsa_ceiling,
    select_protocol,
    spearman,
)
from bgs.judgments import PairCounts, human_rdm
from bgs.simulation import (
    ObserverSettings,
    analytic_ceilings,
    expected_choices,
    expected_rdm,
    simulate_judgments,
)
from bgs.stimuli import StimulusSet

ONE_MIND = {"weight_spread": 0.0, "lapse": 0.0, "catch_share": 0.0}


def rated(n: int, n_test: int = 0, seed: int = 0) -> StimulusSet:
    rng = np.random.default_rng(seed)
    split = ("train",) * (n - n_test) + ("test",) * n_test if n_test else None
    ratings = {name: rng.random(n) for name in ObserverSettings().weights}
    return StimulusSet(ids=tuple(f"clip-{i}" for i in range(n)), split=split, ratings=ratings)


def chances_by_loop(judged, triplet):
    """Mean over observers, each as often as they answered."""
    settings, people = judged.settings, judged.population
    counts = [int((judged.trials.participant == name).sum()) for name in people.names]
    mean = np.zeros(3)
    for weights, careless, count in zip(people.weights, people.careless, counts, strict=True):
        kept = ((1, 2), (0, 2), (0, 1))
        away = [
            np.linalg.norm(weights * (judged.latents[triplet[a]] - judged.latents[triplet[b]]))
            for a, b in kept
        ]
        utilities = np.exp(-np.array(away) / settings.temperature)
        lapse = 1.0 if careless else settings.lapse
        mean += count * ((1 - lapse) * utilities / utilities.sum() + lapse / 3)
    return mean / len(judged.trials)


@pytest.fixture(scope="module")
def mixed():
    settings = ObserverSettings(n_observers=8, careless_share=0.25, lapse=0.1, catch_share=0.1)
    return simulate_judgments(rated(11, n_test=4), 300, settings)


def test_expected_choices_by_loop(mixed):
    triplets = np.array([*combinations(range(7), 3), *combinations(range(7, 11), 3)])
    for triplet, chances in zip(triplets.tolist(), expected_choices(mixed, triplets), strict=True):
        np.testing.assert_allclose(chances, chances_by_loop(mixed, triplet), atol=1e-12)


def test_the_rdm_of_infinitely_many_trials_by_loop(mixed):
    rdm = expected_rdm(mixed)
    for i, j in combinations(range(11), 2):
        side = range(7) if j < 7 else range(7, 11)
        if i < 7 <= j:
            assert np.isnan(rdm[i, j])
            continue
        kept = [chances_by_loop(mixed, (i, j, k))[2] for k in side if k not in (i, j)]
        assert rdm[i, j] == rdm[j, i] == pytest.approx(1 - np.mean(kept))


@pytest.mark.parametrize("temperature", [0.3, 1e-6])
def test_a_sample_of_third_clips_stands_for_all(temperature):
    """Also where exponentials have no ratio any more: next to no noise, nothing undefined, hardly anything moved."""
    judged = simulate_judgments(rated(120), 500, ObserverSettings(n_observers=2, temperature=temperature))
    some, every = (pair_vector(expected_rdm(judged, thirds)) for thirds in (60, 120))
    assert some.min() >= 0
    assert some.max() <= 1
    assert 0 < np.abs(some - every).max() < 0.25
    assert spearman(some, every) > 0.98
    all_of_them = judged.parts["all"].sum()
    np.testing.assert_array_equal(every, pair_vector(expected_rdm(judged, int(all_of_them) + 50)))


def test_the_odd_one_out_ceiling_by_loop(mixed):
    judgments = mixed.trials.judgments
    best = [chances_by_loop(mixed, triplet).max() for triplet in judgments.stimuli.tolist()]
    ceilings = analytic_ceilings(mixed, draws=2)
    assert list(ceilings) == ["all", "train", "test"]
    assert ceilings["all"].odd_one_out == pytest.approx(np.mean(best))
    test = judgments.count_in(mixed.test) == 3
    assert ceilings["test"].odd_one_out == pytest.approx(np.mean(np.array(best)[test]))
    assert ceilings["all"].n_trials == len(judgments)
    assert ceilings["test"].n_pairs == 6
    assert all(c.odd_one_out >= c.odd_one_out_planted > 1 / 3 for c in ceilings.values())


def test_simulated_tables_reach_what_is_foretold():
    """Fresh tables against the RDM of infinitely many trials: Pearson by formula, Spearman within its interval."""
    judged = simulate_judgments(rated(15), 3000, ObserverSettings(n_observers=12))
    ceiling, infinite = (
        analytic_ceilings(judged, draws=10)["all"],
        pair_vector(expected_rdm(judged)),
    )
    tables = [pair_vector(human_rdm(PairCounts.from_trials(judged.again(100 + k)))) for k in range(40)]
    assert np.mean([pearson(infinite, table) for table in tables]) == pytest.approx(
        ceiling.rsa_pearson, abs=0.006
    )
    reached = np.mean([spearman(infinite, table) for table in tables])
    assert reached == pytest.approx(ceiling.rsa_spearman, abs=0.01)
    assert ceiling.rsa_spearman_low < ceiling.rsa_spearman < ceiling.rsa_spearman_high
    assert ceiling.draws == 10


def test_no_fixed_answer_beats_the_ceiling_and_the_best_one_reaches_it():
    judged = simulate_judgments(rated(8), 60_000, ObserverSettings(n_observers=10, careless_share=0.2))
    judgments = judged.trials.judgments
    best = expected_choices(judged, judgments.stimuli).argmax(axis=1)
    assert (judgments.odd == best).mean() == pytest.approx(
        analytic_ceilings(judged, draws=2)["all"].odd_one_out, abs=0.008
    )


def test_guessing_has_no_ceiling_above_chance():
    judged = simulate_judgments(rated(9), 500, ObserverSettings(n_observers=5, careless_share=1.0))
    ceiling = analytic_ceilings(judged, draws=2)["all"]
    assert ceiling.odd_one_out == pytest.approx(1 / 3)
    assert np.isnan(ceiling.rsa_pearson)


@pytest.mark.parametrize("temperature", [0.3, 0.02])
def test_estimated_ceilings_tend_to_the_analytic_ones(temperature):
    """As trials grow the bounds of the estimated 3AFC ceiling close in on the analytic one; RSA tends to 1."""
    stimuli, gaps = rated(12), []
    for n_trials in (2_000, 60_000):
        judged = simulate_judgments(
            stimuli, n_trials, ObserverSettings(n_observers=30, temperature=temperature, **ONE_MIND)
        )
        analytic = analytic_ceilings(judged, draws=10)["all"]
        protocol = select_protocol("all", stimuli, judged.trials)
        odd, _ = odd_one_out_ceiling(protocol.trials)
        rsa, _ = rsa_ceiling(protocol)
        low, high = odd["odd_one_out_ceiling_lower"].value, odd["odd_one_out_ceiling"].value
        assert low - 0.01 < analytic.odd_one_out < high + 0.01
        assert rsa["rsa_ceiling"].value == pytest.approx(analytic.rsa_spearman, abs=0.03)
        gaps.append((high - low, 1 - rsa["rsa_ceiling"].value, 1 - analytic.rsa_spearman))
    (answers, half, exact), (answers_late, half_late, exact_late) = gaps
    assert answers_late < max(0.35 * answers, 0.005)
    assert half_late <= max(0.35 * half, 0.005)
    # without noise many pairs are all but equally far, and their order takes very many trials to show
    assert exact_late < min(exact, 0.02)
    if temperature == 0.02:
        assert analytic.odd_one_out > 0.95


def test_what_was_planted_comes_back_as_trials_grow():
    """The RDM tends to the one of infinitely many trials, and to planted distances as far as that one does."""
    reached = []
    for n_trials in (2_000, 20_000, 200_000):
        judged = simulate_judgments(rated(40), n_trials, ObserverSettings(temperature=0.2, **ONE_MIND))
        human = pair_vector(human_rdm(PairCounts.from_trials(judged.trials)))
        reached.append(spearman(human, pair_vector(expected_rdm(judged))))
    limit = spearman(pair_vector(judged.rdm), pair_vector(expected_rdm(judged)))
    assert reached[0] < reached[1] < reached[2]
    assert reached[2] > 0.995
    assert spearman(human, pair_vector(judged.rdm)) == pytest.approx(limit, abs=0.005)
