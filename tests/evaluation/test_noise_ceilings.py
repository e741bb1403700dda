"""Ceilings: rsatoolbox on complete data, loops on repeated triplets, theory on planted geometries."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic_judgments import make_stimuli, make_trials, planted

from bgs._errors import ConfigError, DataError
from bgs.evaluation import (
    leave_one_out_ceiling,
    model_rdm,
    odd_one_out_ceiling,
    pair_vector,
    rsa_ceiling,
    select_protocol,
    spearman,
)
from bgs.evaluation.judged_pairs import JudgedPairs
from bgs.judgments.trials import KEPT_PAIR


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("method", ["spearman", "corr"])
@pytest.mark.parametrize("decimals", [12, 1])
def test_leave_one_out_agrees_with_rsatoolbox(method, decimals):
    from rsatoolbox.inference import boot_noise_ceiling
    from rsatoolbox.rdm import RDMs

    rng = np.random.default_rng(0)
    shared = rng.normal(size=(9, 4))
    rdms = np.round([model_rdm(shared + 0.7 * rng.normal(size=(9, 4))) for _ in range(6)], decimals)
    expected = boot_noise_ceiling(RDMs(np.stack([pair_vector(rdm) for rdm in rdms])), method=method)
    assert leave_one_out_ceiling(rdms, method) == pytest.approx(tuple(expected), abs=1e-12)


def test_leave_one_out_refuses_what_it_cannot_do():
    rdms = np.random.default_rng(0).random((3, 5, 5))
    with pytest.raises(DataError, match="two or more"):
        leave_one_out_ceiling(rdms[:1])
    with pytest.raises(DataError, match="constant"):
        leave_one_out_ceiling(np.ones((3, 5, 5)))
    rdms[0, 0, 1] = np.nan
    with pytest.raises(DataError, match="NaN"):
        leave_one_out_ceiling(rdms)
    with pytest.raises(ConfigError):
        leave_one_out_ceiling(np.zeros((2, 3, 3)), "cosine")


def ceilings_by_loop(trials):
    answers = {}
    for stimuli, odd in zip(trials.stimuli.tolist(), trials.odd.tolist(), strict=True):
        answers.setdefault(frozenset(stimuli), []).append(stimuli[odd])
    modal, left_out, total = 0, 0.0, 0
    for given in answers.values():
        if len(given) < 2:
            continue
        total += len(given)
        modal += max(given.count(answer) for answer in set(given))
        for k, answer in enumerate(given):
            others = given[:k] + given[k + 1 :]
            most = max(others.count(other) for other in others)
            tied = [other for other in set(others) if others.count(other) == most]
            left_out += (answer in tied) / len(tied)
    return modal / total, left_out / total, total


def test_odd_one_out_ceiling_compares_stimuli_not_slots():
    rng = np.random.default_rng(0)
    triplets = np.array([rng.permutation(rng.choice(5, 3, replace=False)) for _ in range(60)])
    trials = make_trials(triplets, rng.integers(3, size=60), 5)
    modal, left_out, total = ceilings_by_loop(trials)
    metrics, warnings = odd_one_out_ceiling(trials, resamples=200)
    upper, lower = metrics["odd_one_out_ceiling"], metrics["odd_one_out_ceiling_lower"]
    assert (upper.value, lower.value, upper.n) == (pytest.approx(modal), pytest.approx(left_out), total)
    assert upper.low < upper.value < upper.high
    assert "repeated triplets" in warnings[0]


def test_unanimous_people_have_ceiling_one_whatever_the_slots():
    trials = make_trials([[0, 1, 2], [2, 0, 1], [1, 2, 0]], [0, 1, 2], 3)
    metrics, _ = odd_one_out_ceiling(trials, resamples=10)
    assert [metric.value for metric in metrics.values()] == [1, 1]


def test_without_repeats_there_is_no_odd_one_out_ceiling():
    metrics, warnings = odd_one_out_ceiling(make_trials([[0, 1, 2], [0, 1, 3]], [0, 0], 4), resamples=10)
    assert all(
        np.isnan(metric.value) and np.isnan(metric.low) and metric.n == 0 for metric in metrics.values()
    )
    assert "no triplet was judged twice" in warnings[0]


def test_many_repeats_give_no_warning():
    rng = np.random.default_rng(0)
    kinds = np.array([[i, i + 1, i + 2] for i in range(120)])
    trials = make_trials(np.repeat(kinds, 12, axis=0), rng.integers(3, size=1440), 130)
    assert odd_one_out_ceiling(trials, resamples=5)[1] == []


def noisy_pairs(rng, n=25, people=40, t=20_000):
    """Judges who share one geometry, so that a truth exists that a model could be."""
    positions = rng.normal(size=(n, 4))
    triplets = np.argsort(rng.random((t, n)), axis=1)[:, :3]
    first, second = np.array(KEPT_PAIR).T
    closeness = -((positions[triplets[:, first]] - positions[triplets[:, second]]) ** 2).sum(axis=2) / 4
    odd = (closeness + rng.gumbel(size=closeness.shape)).argmax(axis=1)
    return JudgedPairs.of(
        select_protocol("all", make_stimuli(n), make_trials(triplets, odd, n, rng.integers(people, size=t)))
    )


def test_the_rsa_ceiling_is_what_the_truth_reaches():
    """The truth, here the mean of many more judgments, correlates with a noisy RDM as the ceiling foretells."""
    many = noisy_pairs(np.random.default_rng(0), t=400_000)
    few = noisy_pairs(np.random.default_rng(0), t=2_000)
    order = {pair: k for k, pair in enumerate(zip(few.first.tolist(), few.second.tolist(), strict=True))}
    at = [order[pair] for pair in zip(many.first.tolist(), many.second.tolist(), strict=True)]
    reached = spearman(many.dissimilarity()[0], few.dissimilarity()[0][at])
    metrics, warnings = rsa_ceiling(few, 25, splits=100, resamples=100)
    assert metrics["rsa_ceiling"].value == pytest.approx(reached, abs=0.04)
    assert metrics["rsa_ceiling"].value ** 2 == pytest.approx(metrics["rsa_reliability"].value)
    assert metrics["rsa_ceiling"].low < metrics["rsa_ceiling"].value < metrics["rsa_ceiling"].high
    assert warnings == []


def test_one_participant_has_no_rsa_ceiling_and_few_shared_pairs_warn():
    trials = make_trials([[0, 1, 2], [1, 2, 3], [0, 2, 3]], [0, 1, 2], 4)
    pairs = JudgedPairs.of(select_protocol("all", make_stimuli(4), trials))
    metrics, warnings = rsa_ceiling(pairs, 4, splits=5, resamples=5)
    assert all(np.isnan(metric.value) and np.isnan(metric.low) for metric in metrics.values())
    assert "0 of 6 pairs" in warnings[0]


def test_halves_that_disagree_have_ceiling_zero_not_nan():
    _, trials = planted(np.random.default_rng(0), n=20, people=6, t=300)
    noise = make_trials(
        trials.stimuli, np.random.default_rng(1).integers(3, size=300), 20, trials.participant
    )
    pairs = JudgedPairs.of(select_protocol("all", make_stimuli(20), noise))
    metrics, _ = rsa_ceiling(pairs, 20, splits=50, resamples=50)
    assert metrics["rsa_ceiling"].value < 0.3
    assert metrics["rsa_ceiling"].low >= 0
