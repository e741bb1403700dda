"""Careless participants: those who fail attention checks, answer too fast, or guess.

Three tests per participant ask how improbable their data would be for an attentive participant. The truncated product
method (Zaykin et al. 2002, Genetic Epidemiology 22:170) combines the small p-values into one, so that a guesser who
passes the attention checks can still be detected. The method of Benjamini & Hochberg (1995, J. R. Stat. Soc. B 57:289)
over participants limits the expected proportion of attentive people among those flagged to :data:`FALSE_DISCOVERY_RATE`.
A flag is a reason to inspect a participant's data, not a verdict.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bgs._false_discovery import benjamini_hochberg
from bgs._typing import Float
from bgs.judgments.participation import ParticipantAudit

#: False discovery rate of flags; if all participants are attentive, the probability of any flag.
FALSE_DISCOVERY_RATE = 0.1
#: A test counts as evidence against a participant if its p is at most this.
P_LIMIT = 0.05
#: Failure rate of attention checks that is allowed for attentive participants.
ATTENTIVE_FAILURES = 0.05
#: Lower bound on the predictability of attentive participants, as a fraction of the median.
MIN_PREDICTABILITY = 0.4
#: Minimum number of participants for estimating how much participants differ.
MIN_PARTICIPANTS = 10

#: The tests, by name.
TESTS = ("attention checks", "response time", "choices")

_MAD_TO_SD = 1.4826


@dataclass(frozen=True)
class Reason:
    """The reason for a flag.

    Attributes:
        test: one of :data:`TESTS`.
        finding: the finding, in words.
        p: probability of a value at least this extreme for an attentive participant.
    """

    test: str
    finding: str
    p: float


@dataclass(frozen=True)
class Flag:
    """A flagged participant.

    Attributes:
        participant: name.
        reasons: the tests with evidence against them (p ≤ :data:`P_LIMIT`), strongest first.
        p: combined p of all tests, not corrected for the number of participants.
    """

    participant: str
    reasons: tuple[Reason, ...]
    p: float


def flag_careless(people: Sequence[ParticipantAudit]) -> tuple[Flag, ...]:
    """Participants flagged by the tests, in the given order.

    - attention checks: exact binomial test against a failure rate of 5 %, or the median participant's if
      that is higher.
    - response time: the log of the median time against the median of participants, in robust SD (1.4826 MAD),
      normal, lower tail.
    - choices: their predictability (see :func:`bgs.judgments.choice_prediction.predictability`), lower tail under the
      assumption that true values are normal about the median, with the robust SD between participants
      beyond sampling error, but not below :data:`MIN_PREDICTABILITY` of the median: however much participants differ, somebody
      whose choices are nearly unpredictable is not attentive.

    The last two tests need at least :data:`MIN_PARTICIPANTS` participants; a test that cannot be run is ignored.
    """
    if not people:
        return ()
    p = p_values(people)
    joint = truncated_product(p, P_LIMIT)
    flags = []
    for row in np.flatnonzero(benjamini_hochberg(joint) <= FALSE_DISCOVERY_RATE).tolist():
        against = [k for k in np.argsort(p[row]).tolist() if p[row, k] <= P_LIMIT]
        reasons = [Reason(TESTS[k], _finding(TESTS[k], people[row]), float(p[row, k])) for k in against]
        flags.append(Flag(people[row].participant, tuple(reasons), float(joint[row])))
    return tuple(flags)


def untested(people: Sequence[ParticipantAudit]) -> dict[str, str]:
    """Tests that could not be run for any participant, and why."""
    few = (
        f"fewer than {MIN_PARTICIPANTS} participants"
        if len(people) < MIN_PARTICIPANTS
        else "known for too few participants"
    )
    found = {"attention checks": "none was shown", "response time": few, "choices": few}
    if not people:
        return found
    p = p_values(people)
    return {test: found[test] for k, test in enumerate(TESTS) if not np.isfinite(p[:, k]).any()}


def p_values(people: Sequence[ParticipantAudit]) -> Float[np.ndarray, "q 3"]:
    """(q, 3) p of each participant in each of :data:`TESTS`; NaN where a test cannot be run."""
    return np.stack([_checks(people), _pace(people), _choices(people)], axis=1)


def truncated_product(p: Float[np.ndarray, "q t"], limit: float) -> Float[np.ndarray, " q"]:
    """(q,) combined p of each row's independent tests, from the product of those at or below ``limit``; 1 if there are none.

    The probability of a product this small under the null: Σ over k of the probability that k of t p-values are
    below the limit, times the probability of so small a product of k uniform numbers below it (Zaykin et al., equation 1). NaN
    marks a test that was not run; a row without any is NaN.
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
    """(q,) probability that an attentive participant fails at least as many checks; NaN without checks."""
    from scipy.special import betainc

    shown = np.array([person.checks for person in people], dtype=np.float64)
    failed = shown - np.array([person.passed for person in people])
    checked = shown > 0
    if not checked.any():
        return np.full(len(people), np.nan)
    rate = max(ATTENTIVE_FAILURES, float(np.median(failed[checked] / shown[checked])))
    # the binomial upper tail P(X ≥ failed) as an incomplete beta function
    p = np.where(failed > 0, betainc(np.maximum(failed, 1), shown - failed + 1, rate), 1.0)
    return np.where(checked, p, np.nan)


def _pace(people: Sequence[ParticipantAudit]) -> Float[np.ndarray, " q"]:
    """(q,) probability of answering at least as fast; NaN if unknown or with too few participants."""
    times = np.array([person.median_rt for person in people])
    log = np.log(np.maximum(times, 1e-3))  # a time of 0 has no finite logarithm
    return _lower_tail(log)


def _choices(people: Sequence[ParticipantAudit]) -> Float[np.ndarray, " q"]:
    """(q,) probability that an attentive participant's choices are at most as predictable."""
    from scipy.special import ndtr

    value = np.array([person.predictability for person in people])
    sd = np.array([person.predictability_sd for person in people])
    known = np.isfinite(value)
    p = np.full(len(people), np.nan)
    if known.sum() < MIN_PARTICIPANTS or not np.median(value[known]) > 0:
        return p
    middle, differ = float(np.median(value[known])), _differ(value[known], sd[known] ** 2)
    true = np.linspace(max(MIN_PREDICTABILITY * middle, middle - 6 * differ), middle + 6 * differ, 1001)
    weight = np.exp(-(((true - middle) / differ) ** 2) / 2) if differ > 0 else np.ones(len(true))
    p[known] = ndtr((value[known, None] - true) / sd[known, None]) @ (weight / weight.sum())
    return p


def _lower_tail(values: Float[np.ndarray, " q"]) -> Float[np.ndarray, " q"]:
    """(q,) normal lower tail about the median; NaN if a value is unknown, values are too few, or all are equal."""
    from scipy.special import ndtr

    known = np.isfinite(values)
    p = np.full(len(values), np.nan)
    if known.sum() < MIN_PARTICIPANTS:
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
