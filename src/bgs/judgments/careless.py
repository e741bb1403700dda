"""Careless participants: who fails checks, answers too fast, or agrees with nobody more than chance would.

Three tests a participant ask how improbable their figures would be if they took part as the others do. Fisher's method
(1932, Statistical Methods for Research Workers, §21.1) joins them into one p, and Holm's (1979, Scandinavian Journal of
Statistics 6:65) over participants keeps the probability of flagging anybody who does take part at :data:`ALPHA`.
A flag is a reason to look, not a verdict.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bgs._typing import Bool, Float
from bgs.judgments.participants import ParticipantAudit

#: Probability of flagging anybody among participants who all take part properly.
ALPHA = 0.05
#: Share of attention checks that an attentive participant may fail.
ATTENTIVE_FAILURES = 0.05
#: Who agrees with the others this significantly more than chance is no random guesser, whatever the others do.
ABOVE_CHANCE = 0.01
#: Fewer participants than this do not tell how much participants differ.
FEW = 10

#: The tests, by name.
TESTS = ("attention checks", "response time", "agreement")

_CHANCE = 1.0 / 3.0
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
        reasons: the tests that speak against them (p ≤ :data:`ALPHA` alone), strongest first.
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
    - agreement: the share of judgments that the others foretell (see
      :func:`bgs.judgments.participants.leave_one_out_scores`), against the median participant's share a, normal, lower
      tail, with variance a (1 − a) / n + τ², τ² what participants differ beyond that. Its p is 1 where the share is
      above chance (score test against 1/3, one-sided, :data:`ABOVE_CHANCE`): who disagrees but not at random has
      another view of the clips.

    Who is fast but passes checks and agrees is thus less likely to be flagged than who is fast and does not. The last
    two tests need :data:`FEW` participants; a test that cannot be made is left out of the joint p.
    """
    if not people:
        return ()
    p = np.stack([_checks(people), _pace(people), _agreement(people)], axis=1)
    joint = fisher(p)
    flags = []
    for row in np.flatnonzero(holm(joint, ALPHA)).tolist():
        against = [k for k in np.argsort(p[row]).tolist() if p[row, k] <= max(ALPHA, np.nanmin(p[row]))]
        reasons = [Reason(TESTS[k], _finding(TESTS[k], people[row]), float(p[row, k])) for k in against]
        flags.append(Flag(people[row].participant, tuple(reasons), float(joint[row])))
    return tuple(flags)


def fisher(p: Float[np.ndarray, "q t"]) -> Float[np.ndarray, " q"]:
    """(q,) joint p of each row's independent tests: −2 Σ ln p is χ² with 2 degrees of freedom a test.

    NaN is a test that was not made; a row without any is NaN.
    """
    from scipy.special import chdtrc

    made = np.isfinite(p).sum(axis=1)
    statistic = -2.0 * np.log(np.maximum(np.where(np.isfinite(p), p, 1.0), np.finfo(float).tiny)).sum(axis=1)
    joint: Float[np.ndarray, " q"] = np.where(made > 0, chdtrc(2.0 * np.maximum(made, 1), statistic), np.nan)
    return joint


def holm(p: Float[np.ndarray, " m"], alpha: float) -> Bool[np.ndarray, " m"]:
    """(m,) hypotheses that Holm's step-down method rejects; NaN is no test."""
    order = np.argsort(p)  # NaN last
    tests = int(np.isfinite(p).sum())
    rejected = np.zeros(len(p), dtype=bool)
    low = p[order[:tests]] <= alpha / (tests - np.arange(tests))
    rejected[order[:tests]] = np.logical_and.accumulate(low)
    return rejected


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
    return _lower_tail(log, np.zeros(len(people)))


def _agreement(people: Sequence[ParticipantAudit]) -> Float[np.ndarray, " q"]:
    """(q,) probability of agreement as low; 1 for who agrees more than chance."""
    from scipy.special import ndtr

    n = np.array([max(person.compared, 1) for person in people], dtype=np.float64)
    share = np.array([person.agreement for person in people])
    middle = float(np.nanmedian(share)) if np.isfinite(share).any() else math.nan
    p = _lower_tail(share, middle * (1.0 - middle) / n)
    by_chance = ndtr(-(share - _CHANCE) / np.sqrt(_CHANCE * (1.0 - _CHANCE) / n))
    return np.where(by_chance < ABOVE_CHANCE, 1.0, p)


def _lower_tail(
    values: Float[np.ndarray, " q"], sampling: Float[np.ndarray, " q"]
) -> Float[np.ndarray, " q"]:
    """(q,) normal lower tail about the median, with what participants differ beyond the variance of sampling."""
    from scipy.special import ndtr

    known = np.isfinite(values)
    if known.sum() < FEW:
        return np.full(len(values), np.nan)
    apart = values - np.median(values[known])
    robust = (_MAD_TO_SD * np.median(np.abs(apart[known]))) ** 2
    variance = sampling + max(0.0, robust - float(np.median(sampling[known])))
    if not (variance[known] > 0).all():
        return np.full(len(values), np.nan)
    p: Float[np.ndarray, " q"] = ndtr(apart / np.sqrt(variance))
    return p


def _finding(test: str, person: ParticipantAudit) -> str:
    if test == "attention checks":
        return f"failed {person.checks - person.passed} of {person.checks}"
    if test == "response time":
        return f"median {person.median_rt:.2f} s"
    return f"{person.agreement:.3f} of {person.compared:,}"
