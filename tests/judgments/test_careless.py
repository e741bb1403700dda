"""Careless participants: the rules by hand, and who is caught among simulated and real participants."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bgs.datasets import Dataset
from bgs.judgments import Trials
from bgs.judgments.careless import (
    FALSE_DISCOVERY_RATE,
    MIN_PREDICTABILITY,
    P_LIMIT,
    flag_careless,
    truncated_product,
    untested,
)
from bgs.judgments.participation import ParticipantAudit, participants
from bgs.simulation import ObserverSettings, simulate_judgments
from bgs.stimuli import StimulusSet


def person(name: str, passed: int = 11, rt: float = 5.0, foretold: float = 1.2) -> ParticipantAudit:
    return ParticipantAudit(name, 231, 11, passed, rt, foretold, 0.12)


def ordinary(n: int = 30) -> list[ParticipantAudit]:
    z = stats.norm.ppf((np.arange(n) + 0.5) / n)
    times, shares = np.exp(1.6 + 0.25 * z), 1.2 + 0.2 * np.roll(z, 7)
    return [person(f"p{k:02d}", rt=times[k], foretold=shares[k]) for k in range(n)]


def test_the_truncated_product_by_drawing():
    rng = np.random.default_rng(0)
    drawn = rng.random((400_000, 3))
    product = np.where(drawn <= 0.05, drawn, 1.0).prod(axis=1)
    for row in ([0.01, 0.2, 0.5], [0.03, 0.02, 1.0], [0.04, 0.03, 0.05], [0.002, 0.9, 1.0]):
        p = np.array(row)
        observed = np.where(p <= 0.05, p, 1.0).prod()
        expected = (product <= observed * (1 + 1e-12)).mean()
        assert truncated_product(p[None], 0.05)[0] == pytest.approx(expected, abs=5 * np.sqrt(expected / 4e5))
    found = truncated_product(np.array([[0.2, 0.9, 1.0], [0.01, np.nan, np.nan], [np.nan] * 3]), 0.05)
    assert found[:2].tolist() == [1.0, pytest.approx(0.01)]
    assert math.isnan(found[2])


def test_who_passes_the_checks_is_not_acquitted_by_them():
    alone = truncated_product(np.array([[1.0, 0.5, 0.001]]), P_LIMIT)[0]
    assert 0.001 < alone < 0.01  # Fisher's method says .03


def test_however_much_participants_differ_guesses_are_not_taking_part():
    """The choices of some are hardly foretold: that makes a lower figure likely, but not one near 0."""
    wide = [person(f"p{k:02d}", foretold=1.2 + 0.6 * z) for k, z in enumerate(np.linspace(-1.2, 2, 40))]
    assert flag_careless(wide) == ()
    (flag,) = flag_careless([*wide, person("guesses", foretold=0.0)])
    assert flag.participant == "guesses"
    assert MIN_PREDICTABILITY * 1.2 > 0.12 * 2  # as far from 0 as two sampling deviations


def test_nobody_ordinary_is_flagged():
    assert flag_careless(ordinary()) == ()
    assert flag_careless([]) == ()


def test_every_test_can_speak_against_someone():
    people = [
        *ordinary(), person("fails", passed=3), person("fast", rt=0.5), person("random", foretold=0.0),
        person("all three", passed=4, rt=0.8, foretold=0.1),
    ]  # fmt: skip
    flags = {flag.participant: flag for flag in flag_careless(people)}
    assert [[r.test for r in flags[name].reasons] for name in ("fails", "fast", "random")] == [
        ["attention checks"], ["response time"], ["choices"],
    ]  # fmt: skip
    assert {reason.test for reason in flags["all three"].reasons} == {
        "attention checks",
        "response time",
        "choices",
    }
    assert set(flags) == {"fails", "fast", "random", "all three"}
    reason = flags["fails"].reasons[0]
    assert reason.finding == "failed 8 of 11"
    assert reason.p == pytest.approx(stats.binom.sf(7, 11, 0.05))
    assert all(r.p <= P_LIMIT for flag in flags.values() for r in flag.reasons)


def test_who_sees_the_clips_in_another_way_is_not_careless():
    people = [*ordinary(), person("own mind", foretold=0.75)]  # below all others, far above 0
    assert flag_careless(people) == ()


def test_where_everybody_fails_checks_failing_is_no_reason():
    people = [replace(p, passed=7) for p in ordinary()]
    assert flag_careless(people) == ()


def test_few_participants_are_judged_by_their_checks_alone():
    people = [*ordinary(4), person("fails", passed=1, rt=0.1, foretold=0.0)]
    (flag,) = flag_careless(people)
    assert [reason.test for reason in flag.reasons] == ["attention checks"]
    assert flag_careless([replace(p, checks=0, passed=0) for p in people]) == ()


def test_unknown_figures_are_no_evidence():
    bare = [replace(p, checks=0, passed=0, median_rt=math.nan, predictability=math.nan) for p in ordinary()]
    assert flag_careless(bare) == ()
    same = [person(f"p{k}") for k in range(20)]  # no spread at all
    assert flag_careless(same) == ()


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
    assert math.isnan(only.predictability)


def rated(seed: int, n: int = 60) -> StimulusSet:
    rng = np.random.default_rng(seed)
    ratings = {name: rng.random(n) for name in ObserverSettings().weights}
    return StimulusSet(ids=tuple(f"clip-{i}" for i in range(n)), ratings=ratings)


@pytest.mark.parametrize(("each", "seconds"), [(100, 1.0), (231, 4.5)])
def test_careless_observers_are_caught_and_others_are_not(each, seconds):
    """Also those who keep the pace of the others, given as many trials as in the published study."""
    catch(each, seconds, seeds=1)


@pytest.mark.slow
@pytest.mark.parametrize(("each", "seconds"), [(100, 1.0), (100, 4.5), (231, 1.0), (231, 4.5)])
def test_careless_observers_are_caught_in_many_studies(each, seconds):
    catch(each, seconds, seeds=6)


def catch(each: int, seconds: float, seeds: int) -> None:
    """15 of 100 observers are careless."""
    caught = careless = false = honest = 0
    for seed in range(seeds):
        settings = ObserverSettings(n_observers=100, careless_share=0.15, careless_rt_s=seconds)
        judged = simulate_judgments(rated(seed), 100 * each, settings, seed)
        flagged = {flag.participant for flag in flag_careless(participants(judged.trials))}
        caught, careless = caught + len(flagged & set(judged.careless)), careless + len(judged.careless)
        false, honest = false + len(flagged - set(judged.careless)), honest + 100 - len(judged.careless)
    assert (careless, honest) == (15 * seeds, 85 * seeds)
    assert caught / careless >= 0.95
    assert false / honest <= 0.02


@pytest.mark.slow
def test_attentive_observers_are_rarely_flagged():
    """Nobody is careless: the probability of any flag in a study is to stay near that of a wrong one."""
    studies = 60
    flagged = 0
    for seed in range(studies):
        judged = simulate_judgments(rated(seed, 40), 100 * 100, ObserverSettings(n_observers=100), seed)
        flagged += bool(flag_careless(participants(judged.trials)))
    assert stats.binomtest(flagged, studies, FALSE_DISCOVERY_RATE, alternative="greater").pvalue > 0.01


@pytest.mark.real
def test_real_participants_replaced_by_guesses_are_found(garcia: Dataset):
    """The published 215, of whom 10 are flagged as they are (docs/simulated-observers.md says what else speaks of them)."""
    trials = garcia.need_trials()
    rng = np.random.default_rng(0)
    guessing = set(rng.choice(np.unique(trials.participant), 32, replace=False).tolist())
    theirs = np.isin(trials.participant, list(guessing))
    odd = np.where(theirs, rng.integers(3, size=len(trials)), trials.odd)
    flagged = {flag.participant for flag in flag_careless(participants(replace(trials, odd=odd)))}
    assert len(flagged & guessing) == 32
    assert len(flagged - guessing) <= 15


def test_tests_that_could_be_made_of_nobody_are_named():
    few = [replace(each, checks=0, passed=0) for each in ordinary(9)]
    assert untested(few) == {
        "attention checks": "none was shown",
        "response time": "fewer than 10 participants",
        "choices": "fewer than 10 participants",
    }
    assert untested(ordinary(12)) == {}
    assert untested([replace(each, median_rt=math.nan) for each in ordinary(12)]) == {
        "response time": "known for too few participants"
    }
