"""Careless participants: the rules by hand, and who is caught among simulated and real participants."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bgs.datasets import Dataset
from bgs.judgments import Trials
from bgs.judgments.careless import ALPHA, fisher, flag_careless, holm
from bgs.judgments.participants import ParticipantAudit, leave_one_out_scores, participants
from bgs.simulation import ObserverSettings, simulate_judgments
from bgs.stimuli import StimulusSet


def person(name: str, passed: int = 11, rt: float = 5.0, agreement: float = 0.6) -> ParticipantAudit:
    return ParticipantAudit(name, 231, 11, passed, rt, 220, agreement)


def ordinary(n: int = 30) -> list[ParticipantAudit]:
    rng = np.random.default_rng(0)
    times, shares = np.exp(rng.normal(1.6, 0.25, n)), rng.normal(0.6, 0.04, n)
    return [person(f"p{k:02d}", rt=times[k], agreement=shares[k]) for k in range(n)]


def test_holm_by_hand():
    p = np.array([0.04, 0.01, np.nan, 0.016, 0.5])  # against .05/4, .05/3, .05/2
    assert holm(p, 0.05).tolist() == [False, True, False, True, False]
    assert holm(np.full(3, np.nan), 0.05).tolist() == [False] * 3


def test_fisher_agrees_with_scipy_and_leaves_out_tests_not_made():
    rows = np.array([[0.01, 0.2, 0.5], [0.3, np.nan, 0.02], [np.nan] * 3])
    found = fisher(rows)
    assert found[0] == pytest.approx(stats.combine_pvalues(rows[0]).pvalue)
    assert found[1] == pytest.approx(stats.combine_pvalues([0.3, 0.02]).pvalue)
    assert math.isnan(found[2])


def test_nobody_ordinary_is_flagged():
    assert flag_careless(ordinary()) == ()
    assert flag_careless([]) == ()


def test_every_test_can_speak_against_someone():
    people = [
        *ordinary(), person("fails", passed=3), person("fast", rt=0.5), person("random", agreement=0.3),
        person("all three", passed=4, rt=0.8, agreement=0.33),
    ]  # fmt: skip
    flags = {flag.participant: flag for flag in flag_careless(people)}
    assert [[r.test for r in flags[name].reasons] for name in ("fails", "fast", "random")] == [
        ["attention checks"], ["response time"], ["agreement"],
    ]  # fmt: skip
    assert {reason.test for reason in flags["all three"].reasons} == {
        "attention checks",
        "response time",
        "agreement",
    }
    assert set(flags) == {"fails", "fast", "random", "all three"}
    reason = flags["fails"].reasons[0]
    assert reason.finding == "failed 8 of 11"
    assert reason.p == pytest.approx(stats.binom.sf(7, 11, 0.05))
    assert all(r.p <= ALPHA for flag in flags.values() for r in flag.reasons)


def test_who_sees_the_clips_in_another_way_is_not_careless():
    people = [*ordinary(), person("own mind", agreement=0.45)]  # far below .6, far above 1/3
    assert flag_careless(people) == ()


def test_where_everybody_fails_checks_failing_is_no_reason():
    people = [replace(p, passed=7) for p in ordinary()]
    assert flag_careless(people) == ()


def test_few_participants_are_judged_by_their_checks_alone():
    people = [*ordinary(4), person("fails", passed=1, rt=0.1, agreement=0.3)]
    (flag,) = flag_careless(people)
    assert [reason.test for reason in flag.reasons] == ["attention checks"]
    assert flag_careless([replace(p, checks=0, passed=0) for p in people]) == ()


def test_unknown_figures_are_no_evidence():
    bare = [
        replace(p, checks=0, passed=0, median_rt=math.nan, agreement=math.nan, compared=0) for p in ordinary()
    ]
    assert flag_careless(bare) == ()
    same = [person(f"p{k}") for k in range(20)]  # no spread at all
    assert flag_careless(same) == ()


def scores_by_loop(trials: Trials) -> list[float]:
    rows = list(zip(trials.participant.tolist(), trials.stimuli.tolist(), trials.odd.tolist(), strict=True))
    scores = []
    for who, shown, odd in rows:
        shares = []
        for k in range(3):
            pair = {shown[m] for m in range(3) if m != k}
            others = [(s, o) for w, s, o in rows if w != who and pair <= set(s)]
            kept = sum(s[o] not in pair for s, o in others)
            shares.append(kept / len(others) if others else math.nan)
        if any(math.isnan(share) for share in shares):
            scores.append(math.nan)
        else:
            best = [share == max(shares) for share in shares]
            scores.append(best[odd] / sum(best))
    return scores


def test_leave_one_out_scores_by_loop():
    rng = np.random.default_rng(0)
    stimuli = np.array([rng.choice(7, 3, replace=False) for _ in range(60)])
    trials = Trials(
        rng.choice(["ann", "bob", "cem", "dan"], 60), np.full(60, "b"), np.arange(60), stimuli,
        rng.integers(3, size=60), np.full(60, np.nan), 7,
    )  # fmt: skip
    expected = scores_by_loop(trials)
    assert 5 < np.isfinite(expected).sum() <= 60
    np.testing.assert_allclose(leave_one_out_scores(trials), expected)


def test_one_participant_cannot_be_compared():
    trials = Trials(
        np.array(["a"]),
        np.array(["b"]),
        np.array([0]),
        np.array([[0, 1, 2]]),
        np.array([0]),
        np.array([1.0]),
        3,
    )
    (only,) = participants(trials)
    assert only.compared == 0
    assert math.isnan(only.agreement)


def rated(seed: int, n: int = 60) -> StimulusSet:
    rng = np.random.default_rng(seed)
    ratings = {name: rng.random(n) for name in ObserverSettings().weights}
    return StimulusSet(ids=tuple(f"clip-{i}" for i in range(n)), ratings=ratings)


@pytest.mark.parametrize(("each", "seconds", "least"), [(100, 1.0, 0.95), (231, 1.0, 0.95), (231, 4.5, 0.95)])
def test_careless_observers_are_caught_and_others_are_not(each, seconds, least):
    """Also those who keep the pace of the others, given as many trials as in the published study."""
    caught = careless = false = honest = 0
    for seed in range(4):
        settings = ObserverSettings(n_observers=100, careless_share=0.15, careless_rt_s=seconds)
        judged = simulate_judgments(rated(seed), 100 * each, settings, seed)
        flagged = {flag.participant for flag in flag_careless(participants(judged.trials))}
        caught, careless = caught + len(flagged & set(judged.careless)), careless + len(judged.careless)
        false, honest = false + len(flagged - set(judged.careless)), honest + 100 - len(judged.careless)
    assert (careless, honest) == (60, 340)
    assert caught / careless >= least
    assert false / honest <= 0.02


@pytest.mark.slow
def test_attentive_observers_are_rarely_flagged():
    """Nobody is careless: the probability of any flag in a study is to stay near ALPHA."""
    studies = 100
    flagged = 0
    for seed in range(studies):
        judged = simulate_judgments(rated(seed, 40), 100 * 100, ObserverSettings(n_observers=100), seed)
        flagged += bool(flag_careless(participants(judged.trials)))
    assert stats.binomtest(flagged, studies, ALPHA, alternative="greater").pvalue > 0.01


@pytest.mark.real
def test_real_participants_are_not_flagged_unless_their_answers_are_replaced(garcia: Dataset):
    trials = garcia.need_trials()
    assert flag_careless(participants(trials)) == ()
    rng = np.random.default_rng(0)
    guessing = set(rng.choice(np.unique(trials.participant), 32, replace=False).tolist())
    theirs = np.isin(trials.participant, list(guessing))
    odd = np.where(theirs, rng.integers(3, size=len(trials)), trials.odd)
    flagged = {flag.participant for flag in flag_careless(participants(replace(trials, odd=odd)))}
    assert len(flagged & guessing) >= 30
    assert len(flagged - guessing) <= 2
