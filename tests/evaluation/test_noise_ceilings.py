"""Ceilings of single participants and of repeated triplets: rsatoolbox on complete data, loops, warnings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic_judgments import make_trials

from bgs._errors import ConfigError, DataError
from bgs.evaluation import (
    leave_one_out_ceiling,
    model_rdm,
    odd_one_out_ceiling,
    pair_vector,
)


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
    with pytest.raises(DataError, match="at least two"):
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
    metrics, warnings = odd_one_out_ceiling(trials)
    upper, lower = metrics["odd_one_out_ceiling"], metrics["odd_one_out_ceiling_lower"]
    assert (upper.value, lower.value, upper.n) == (pytest.approx(modal), pytest.approx(left_out), total)
    assert upper.low < upper.value < upper.high
    assert "repeated triplets" in warnings[0]


def test_unanimous_people_have_ceiling_one_whatever_the_slots():
    trials = make_trials([[0, 1, 2], [2, 0, 1], [1, 2, 0]], [0, 1, 2], 3)
    metrics, _ = odd_one_out_ceiling(trials)
    assert [metric.value for metric in metrics.values()] == [1, 1]


def test_without_repeats_there_is_no_odd_one_out_ceiling():
    metrics, warnings = odd_one_out_ceiling(make_trials([[0, 1, 2], [0, 1, 3]], [0, 0], 4))
    assert all(
        np.isnan(metric.value) and np.isnan(metric.low) and metric.n == 0 for metric in metrics.values()
    )
    assert "no triplet was judged twice" in warnings[0]


def test_many_repeats_give_no_warning():
    rng = np.random.default_rng(0)
    kinds = np.array([[i, i + 1, i + 2] for i in range(120)])
    people = np.tile(np.arange(12), 120)
    trials = make_trials(np.repeat(kinds, 12, axis=0), rng.integers(3, size=1440), 130, people)
    assert odd_one_out_ceiling(trials)[1] == []


def test_random_answers_look_as_if_they_agreed():
    """Why nothing is divided by the modal share: of two random answers it is 2/3, while one in three is the truth."""
    rng, kinds = np.random.default_rng(0), np.array([[i, i + 1, i + 2] for i in range(4000)])
    trials = make_trials(np.repeat(kinds, 2, axis=0), rng.integers(3, size=8000), 4002, [0, 1] * 4000)
    metrics, _ = odd_one_out_ceiling(trials)
    assert metrics["odd_one_out_ceiling"].value == pytest.approx(2 / 3, abs=0.02)
    assert metrics["odd_one_out_ceiling_lower"].value == pytest.approx(1 / 3, abs=0.03)


def test_repeats_by_one_person_and_within_one_block_warn():
    kinds = np.repeat([[i, i + 1, i + 2] for i in range(120)], 12, axis=0)
    odd, people = np.random.default_rng(0).integers(3, size=1440), np.tile(np.arange(12), 120)
    blocks = np.repeat(np.arange(120), 12).astype(str)

    def warned(who, block):
        trials = make_trials(kinds, odd, 122, who)
        return odd_one_out_ceiling(replace(trials, block=block))[1]

    assert warned(people, np.tile(["1", "2"], 720)) == []
    twice, alone = warned(np.where(kinds[:, 0] < 30, 0, people), np.tile(["1", "2"], 720))
    assert "submitted twice" in twice
    assert "25% of the repeated triplets were repeated by only one person" in alone
    (within,) = warned(people, blocks)
    assert "within one block" in within
