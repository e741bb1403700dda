"""Careless participants: who fails checks, answers too fast, or chooses as guesses would.

Three tests a participant ask how improbable their figures would be if they took part as the others do. The truncated product
method (Zaykin et al. 2002, Genetic Epidemiology 22:170) joins those that speak against them into one p, so that a guesser who
passes the attention checks is not acquitted by them. The method of Benjamini & Hochberg (1995, J. R. Stat. Soc. B 57:289)
over participants keeps the expected share of people who do take part, among those who are flagged, at :data:`WRONG_FLAGS`.
A flag is a reason to look, not a verdict.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bgs._false_discovery import benjamini_hochberg
from bgs._typing import Float
from bgs.judgments.participation import ParticipantAudit

#: Expected share of wrong flags among all flags; among participants who all take part, the probability of any flag.
WRONG_FLAGS = 0.1
#: A test speaks against a participant where its p is at most this.
SPEAKS = 0.05
#: Share of attention checks that an attentive participant may fail.
ATTENTIVE_FAILURES = 0.05
#: Who takes part is at least this predictable, as a share of the median participant.
TAKES_PART = 0.4
#: Fewer participants than this do not tell how much participants differ.
FEW = 10

#: The tests, by name.
TESTS = ("attention checks", "response time", "choices")

_MAD_TO_SD = 1.4826


@dataclass(frozen=True)
class Reason:
    """Why a participant is flagged.

    Attributes:
        test: one of :data:`TESTS`.
        finding: what was found, in words.
        p: probability of a figure this low for someone who takes part as the others do.
    """

    test: str
    finding: str
    p: float


@dataclass(frozen=True)
class Flag:
    """A participant to look at.

    Attributes:
        participant: name.
        reasons: the tests that speak against them (p ≤ :data:`SPEAKS`), strongest first.
        p: of all tests together, not corrected for the number of participants.
    """

    participant: str
    reasons: tuple[Reason, ...]
    p: float


def flag_careless(people: Sequence[ParticipantAudit]) -> tuple[Flag, ...]:
    """Participants whom the tests single out, in the given order.

    - attention checks: exact binomial test against an attentive failure rate of 5 %, or the median participant's where
      that is higher.
    - response time: the log of the median time against the median of participants, in robust SD (1.4826 MAD),
      normal, lower tail.
    - choices: how well they are foretold (see :func:`bgs.judgments.choice_prediction.predictability`), lower tail of what is
      seen of participants whose true value is normal about the median, with the robust SD that participants differ by
      beyond sampling, but not below :data:`TAKES_PART` of the median: however much participants differ, somebody
      whose choices tell next to nothing is not one of those who take part.

    The last two tests need :data:`FEW` participants; a test that cannot be made does not speak.
    """
    if not people:
        return ()
    p = _p_values(people)
    joint = truncated_product(p, SPEAKS)
    flags = []
    for row in np.flatnonzero(benjamini_hochberg(joint) <= WRONG_FLAGS).tolist():
        against = [k for k in np.argsort(p[row]).tolist() if p[row, k] <= SPEAKS]
        reasons = [Reason(TESTS[k], _finding(TESTS[k], people[row]), float(p[row, k])) for k in against]
        flags.append(Flag(people[row].participant, tuple(reasons), float(joint[row])))
    return tuple(flags)


def untested(people: Sequence[ParticipantAudit]) -> dict[str, str]:
    """Tests that could be made of nobody, and why."""
    few = f"fewer than {FEW} participants" if len(people) < FEW else "not known of enough participants"
    found = {"attention checks": "none was shown", "response time": few, "choices": few}
    if not people:
        return found
    p = _p_values(people)
    return {test: found[test] for k, test in enumerate(TESTS) if not np.isfinite(p[:, k]).any()}


def _p_values(people: Sequence[ParticipantAudit]) -> Float[np.ndarray, "q 3"]:
    return np.stack([_checks(people), _pace(people), _choices(people)], axis=1)


def truncated_product(p: Float[np.ndarray, "q t"], limit: float) -> Float[np.ndarray, " q"]:
    """(q,) joint p of each row's independent tests, from the product of those at or below ``limit``; 1 where there is none.

    The probability that tests of true hypotheses have a product as small: Σ over k of how probable it is that k of t are
    below the limit, times how probable so small a product of k numbers, uniform below it, is (Zaykin et al., equation 1). NaN
    is a test that was not made; a row without any is NaN.
    """
    from scipy.special import comb, gammaincc

    made = np.isfinite(p).sum(axis=1)
    speaks = np.isfinite(p) & (p <= limit)
    log = np.log(np.maximum(np.where(speaks, p, 1.0), np.finfo(float).tiny)).sum(axis=1)
    joint = np.zeros(len(p))
    for k in range(1, p.shape[1] + 1):
        # a sum of k unit exponentials beyond k ln(limit) − ln(product)
        beyond = gammaincc(k, np.maximum(k * np.log(limit) - log, 0.0))
        joint += comb(made, k) * limit**k * (1.0 - limit) ** np.maximum(made - k, 0) * beyond
    joint = np.where(speaks.any(axis=1), np.minimum(joint, 1.0), 1.0)
    return np.where(made > 0, joint, np.nan)


def _checks(people: Sequence[ParticipantAudit]) -> Float[np.ndarray, " q"]:
    """(q,) probability of as many failed checks by someone attentive; NaN without checks."""
    from scipy.special import betainc

    shown = np.array([person.checks for person in people], dtype=np.float64)
    failed = shown - np.array([person.passed for person in people])
    some = shown > 0
    if not some.any():
        return np.full(len(people), np.nan)
    rate = max(ATTENTIVE_FAILURES, float(np.median(failed[some] / shown[some])))
    # the binomial upper tail P(X ≥ failed) as an incomplete beta function
    p = np.where(failed > 0, betainc(np.maximum(failed, 1), shown - failed + 1, rate), 1.0)
    return np.where(some, p, np.nan)


def _pace(people: Sequence[ParticipantAudit]) -> Float[np.ndarray, " q"]:
    """(q,) probability of a pace as fast; NaN where it is unknown or participants are few."""
    times = np.array([person.median_rt for person in people])
    log = np.log(np.maximum(times, 1e-3))  # no time at all has no finite logarithm
    return _lower_tail(log)


def _choices(people: Sequence[ParticipantAudit]) -> Float[np.ndarray, " q"]:
    """(q,) probability of choices that are foretold as badly by someone who takes part."""
    from scipy.special import ndtr

    value = np.array([person.predictability for person in people])
    sd = np.array([person.predictability_sd for person in people])
    known = np.isfinite(value)
    p = np.full(len(people), np.nan)
    if known.sum() < FEW or not np.median(value[known]) > 0:
        return p
    middle, differ = float(np.median(value[known])), _differ(value[known], sd[known] ** 2)
    true = np.linspace(max(TAKES_PART * middle, middle - 6 * differ), middle + 6 * differ, 1001)
    weight = np.exp(-(((true - middle) / differ) ** 2) / 2) if differ > 0 else np.ones(len(true))
    p[known] = ndtr((value[known, None] - true) / sd[known, None]) @ (weight / weight.sum())
    return p


def _lower_tail(values: Float[np.ndarray, " q"]) -> Float[np.ndarray, " q"]:
    """(q,) normal lower tail about the median; NaN where a value is unknown, values are few, or none differs."""
    from scipy.special import ndtr

    known = np.isfinite(values)
    p = np.full(len(values), np.nan)
    if known.sum() < FEW:
        return p
    differ = _differ(values[known], np.zeros(int(known.sum())))
    if differ > 0:
        p[known] = ndtr((values[known] - np.median(values[known])) / differ)
    return p


def _differ(values: Float[np.ndarray, " k"], sampling: Float[np.ndarray, " k"]) -> float:
    """Robust SD (1.4826 MAD) of values beyond their sampling variance."""
    robust = (_MAD_TO_SD * np.median(np.abs(values - np.median(values)))) ** 2
    return math.sqrt(max(0.0, float(robust - np.median(sampling))))


def _finding(test: str, person: ParticipantAudit) -> str:
    if test == "attention checks":
        return f"failed {person.checks - person.passed} of {person.checks}"
    if test == "response time":
        return f"median {person.median_rt:.2f} s"
    return f"predictability {person.predictability:.2f} ± {person.predictability_sd:.2f}"
