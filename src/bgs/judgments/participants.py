"""What each participant did: attention checks, pace, and agreement with everybody else."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bgs._typing import Bool, Float, Int
from bgs.judgments.trials import KEPT_PAIR, Kind, Trials


@dataclass(frozen=True)
class ParticipantAudit:
    """One participant.

    Attributes:
        participant: name.
        rows: trials of any kind.
        checks, passed: attention checks shown and passed.
        median_rt: median response time in seconds, NaN where unknown.
        compared: judgments whose three pairs others saw too.
        agreement: share of these that the others foretell, see :func:`leave_one_out_scores`; NaN for none.
    """

    participant: str
    rows: int
    checks: int
    passed: int
    median_rt: float
    compared: int
    agreement: float


def participants(trials: Trials) -> tuple[ParticipantAudit, ...]:
    """One entry a participant, sorted by name."""
    names, codes = np.unique(trials.participant, return_inverse=True)
    size = len(names)
    rows = np.bincount(codes, minlength=size)
    checks = np.bincount(codes[trials.kind == Kind.CATCH], minlength=size)
    passed = np.bincount(codes[passed_checks(trials)], minlength=size)
    by_participant = trials.rt[np.argsort(codes, kind="stable")]
    medians = [_median(times) for times in np.split(by_participant, np.cumsum(rows)[:-1])]
    scores = np.full(len(trials), np.nan)
    scores[trials.kind == Kind.JUDGMENT] = leave_one_out_scores(trials.judgments)
    known = ~np.isnan(scores)
    compared = np.bincount(codes[known], minlength=size)
    total = np.bincount(codes[known], scores[known], minlength=size)
    agreement = np.divide(total, compared, out=np.full(size, np.nan), where=compared > 0)
    columns = (names, rows, checks, passed, np.array(medians), compared, agreement)
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


def leave_one_out_scores(judgments: Trials) -> Float[np.ndarray, " n"]:
    """(n,) whether each judgment keeps the pair that the other participants keep most often.

    The others' share of times kept, of each of the three pairs and whatever the third clip was, comes without any trial
    of the participant themself. If k pairs share the greatest, one of them scores 1/k, so that random answers
    score 1/3 on average. NaN where the others did not see all three pairs.
    """
    n, slots = judgments.n_stimuli, np.array(KEPT_PAIR)
    pairs = np.sort(judgments.stimuli[:, slots].astype(np.int64), axis=2)  # (n, 3 slots, 2)
    cells = pairs[..., 0] * n + pairs[..., 1]
    kept = (judgments.odd[:, None] == np.arange(3)).astype(np.float64)
    own = judgments.participant_codes[:, None] * (n * n) + cells
    shown = _total(cells, np.ones(cells.shape)) - _total(own, np.ones(cells.shape))
    together = _total(cells, kept) - _total(own, kept)
    share = np.divide(together, shown, out=np.full(cells.shape, np.nan), where=shown > 0)
    best = share == share.max(axis=1, keepdims=True)
    hit = np.take_along_axis(best, judgments.odd[:, None], axis=1)[:, 0]
    scores = np.full(len(judgments), np.nan)
    seen = (shown > 0).all(axis=1)
    np.divide(hit, best.sum(axis=1), out=scores, where=seen)
    return scores


def _total(names: Int[np.ndarray, "n 3"], values: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    """(n, 3) the sum of values over all entries of the same name."""
    group = np.unique(names, return_inverse=True)[1].reshape(-1)
    total: Float[np.ndarray, "n 3"] = np.bincount(group, values.reshape(-1))[group].reshape(names.shape)
    return total
