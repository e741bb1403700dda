"""Repeat agreement: how often judgments of the same triplet agree."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bgs._typing import Int
from bgs.judgments.trials import Trials


@dataclass(frozen=True)
class RepeatAgreement:
    """Proportion of pairs of judgments of the same unordered triplet with the same odd one out; chance is 1/3.

    ``over_pairs`` weights all pairs of judgments equally, ``over_triplets`` all repeated triplets.
    """

    repeated_triplets: int
    pairs: int
    over_pairs: float
    over_triplets: float


def repeat_agreement(trials: Trials) -> RepeatAgreement:
    """Agreement between judgments of the same unordered triplet; NaN where no triplet was repeated."""
    votes = _votes(trials.judgments)
    n = votes.sum(axis=1)
    votes, n = votes[n > 1], n[n > 1]
    pairs = n * (n - 1) // 2
    agreeing = (votes * (votes - 1) // 2).sum(axis=1)
    if not len(n):
        return RepeatAgreement(0, 0, math.nan, math.nan)
    return RepeatAgreement(
        len(n), int(pairs.sum()), float(agreeing.sum() / pairs.sum()), float((agreeing / pairs).mean())
    )


def _votes(judgments: Trials) -> Int[np.ndarray, "t 3"]:
    """(t, 3) number of times that each stimulus of each distinct triplet, in ascending order, was the odd one."""
    distinct, triplet = np.unique(judgments.triplet_codes, return_inverse=True)
    chosen = np.take_along_axis(judgments.stimuli, judgments.odd[:, None], axis=1)
    rank = (judgments.stimuli < chosen).sum(axis=1)
    return np.bincount(triplet * 3 + rank, minlength=3 * len(distinct)).reshape(-1, 3)
