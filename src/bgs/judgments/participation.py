"""Participant audit: attention checks, response times, and predictability of choices from those of the others."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bgs._typing import Bool, Float, Shaped
from bgs.judgments.choice_prediction import predictability
from bgs.judgments.trials import Kind, Trials


@dataclass(frozen=True)
class ParticipantAudit:
    """One participant.

    Attributes:
        participant: name.
        rows: number of trials of any kind.
        checks, passed: attention checks shown and passed.
        median_rt: median response time in seconds, NaN where unknown.
        predictability: predictability of their choices, about 0 for guesses; see
            :func:`bgs.judgments.choice_prediction.predictability`. NaN without other participants.
        predictability_sd: its SD under guessing.
    """

    participant: str
    rows: int
    checks: int
    passed: int
    median_rt: float
    predictability: float
    predictability_sd: float


def participants(trials: Trials) -> tuple[ParticipantAudit, ...]:
    """One entry per participant, sorted by name."""
    names, codes = np.unique(trials.participant, return_inverse=True)
    size = len(names)
    rows = np.bincount(codes, minlength=size)
    checks = np.bincount(codes[trials.kind == Kind.CATCH], minlength=size)
    passed = np.bincount(codes[passed_checks(trials)], minlength=size)
    by_participant = trials.rt[np.argsort(codes, kind="stable")]
    medians = [_median(times) for times in np.split(by_participant, np.cumsum(rows)[:-1])]
    columns = (names, rows, checks, passed, np.array(medians), *_predictability(trials.judgments, names))
    return tuple(ParticipantAudit(*row) for row in zip(*(c.tolist() for c in columns), strict=True))


def passed_checks(trials: Trials) -> Bool[np.ndarray, " n"]:
    """(n,) True for each attention check on which the clip shown once was chosen."""
    chosen = np.take_along_axis(trials.stimuli, trials.odd[:, None], axis=1)
    passed: Bool[np.ndarray, " n"] = (trials.kind == Kind.CATCH) & (
        (trials.stimuli == chosen).sum(axis=1) == 1
    )
    return passed


def _median(times: Float[np.ndarray, " n"]) -> float:
    known = times[~np.isnan(times)]
    return float(np.median(known)) if len(known) else math.nan


def _predictability(
    judgments: Trials, names: Shaped[np.ndarray, " q"]
) -> tuple[Float[np.ndarray, " q"], Float[np.ndarray, " q"]]:
    """Predictability and its SD for every participant with judgments."""
    value, sd = np.full(len(names), np.nan), np.full(len(names), np.nan)
    judging = np.isin(names, judgments.participant)
    if judging.sum() > 1:
        value[judging], sd[judging] = predictability(judgments)
    return value, sd
