"""Planted geometries, simulated judges, and slow readable references for the evaluation tests."""

from __future__ import annotations

import itertools

import numpy as np

from bgs.judgments import Trials
from bgs.judgments.trials import KEPT_PAIR
from bgs.stimuli import StimulusSet


def make_trials(stimuli, odd, n_stimuli, participant=None):
    stimuli, odd = np.asarray(stimuli).reshape(-1, 3), np.asarray(odd)
    n = len(odd)
    participant = np.array(["p"] * n) if participant is None else np.asarray(participant).astype(str)
    return Trials(participant, np.array(["b"] * n), np.arange(n), stimuli, odd, np.full(n, np.nan), n_stimuli)


def make_stimuli(n, n_test=0):
    split = tuple(["train"] * (n - n_test) + ["test"] * n_test) if n_test else None
    return StimulusSet(ids=tuple(f"clip{i:03d}" for i in range(n)), split=split)


def random_triplets(rng, n, t):
    return np.argsort(rng.random((t, n)), axis=1)[:, :3]


def judge(rng, positions, triplets, participants, attention):
    """Noisy choices of people who attend to different dimensions: the likelier odd one leaves the closer pair."""
    first, second = np.array(KEPT_PAIR).T
    gap = positions[triplets[:, first]] - positions[triplets[:, second]]
    closeness = -(attention[participants][:, None] * gap**2).sum(axis=2) / 3
    return (closeness + rng.gumbel(size=closeness.shape)).argmax(axis=1)


def planted(rng, n=30, people=12, t=600, dimensions=4):
    """(stimulus positions, trials of simulated people)."""
    positions = rng.normal(size=(n, dimensions))
    attention = np.exp(0.7 * rng.normal(size=(people, dimensions)))
    triplets, who = random_triplets(rng, n, t), rng.integers(people, size=t)
    return positions, make_trials(triplets, judge(rng, positions, triplets, who, attention), n, who)


def replicated_pairs(model, human, copies):
    """The pair list of a resample, written out: every copy of i with every copy of j ≠ i, unseen pairs left out."""
    x, y = [], []
    for i, j in itertools.combinations(range(len(model)), 2):
        if not np.isnan(human[i, j]):
            times = int(copies[i] * copies[j])
            x += [model[i, j]] * times
            y += [human[i, j]] * times
    return np.array(x), np.array(y)
