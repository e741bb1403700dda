"""Pair counts: how often two stimuli were shown together, and how often they were kept together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bgs._typing import Float, Int
from bgs.judgments.trials import KEPT_PAIR, Trials


@dataclass(frozen=True)
class PairCounts:
    """Symmetric (n, n) integer counts with a zero diagonal.

    Attributes:
        together: times a pair was shown and kept together (the third stimulus was the odd one).
        shown: times a pair was shown, whatever the choice.
    """

    together: Int[np.ndarray, "n n"]
    shown: Int[np.ndarray, "n n"]

    @classmethod
    def from_trials(cls, trials: Trials) -> PairCounts:
        """Count every pair of every similarity judgment; attention checks and degenerate trials are ignored."""
        clean, n = trials.judgments, trials.n_stimuli
        shown, together = np.zeros(n * n, dtype=np.int64), np.zeros(n * n, dtype=np.int64)
        for slot, (first, second) in enumerate(KEPT_PAIR):
            cell = clean.stimuli[:, first] * n + clean.stimuli[:, second]
            shown += np.bincount(cell, minlength=n * n)
            together += np.bincount(cell[clean.odd == slot], minlength=n * n)
        in_slot_order = together.reshape(n, n), shown.reshape(n, n)
        return cls(*(counts + counts.T for counts in in_slot_order))

    def subset(self, positions: Int[np.ndarray, " m"]) -> PairCounts:
        """The counts among the stimuli at ``positions``, in that order."""
        grid = np.ix_(positions, positions)
        return PairCounts(self.together[grid], self.shown[grid])

    @property
    def coverage(self) -> float:
        """Proportion of distinct pairs shown at least once, 0–1 (NaN for fewer than two stimuli)."""
        upper = np.triu_indices(len(self.shown), 1)
        return float((self.shown[upper] > 0).mean()) if len(upper[0]) else float("nan")


def human_rdm(counts: PairCounts) -> Float[np.ndarray, "n n"]:
    """Human dissimilarity 1 − kept together / shown together, in 0–1 (Garcia & Isik, arXiv 2510.01502).

    How often a pair is kept also depends on the third stimuli: see :func:`bgs.judgments.choice_model_rdm`.

    Returns:
        (n, n) floats; 0 on the diagonal and NaN, never 0, where a pair was not shown.
    """
    rdm = np.full(counts.shown.shape, np.nan)
    np.divide(counts.together, counts.shown, out=rdm, where=counts.shown > 0)
    rdm = 1.0 - rdm
    np.fill_diagonal(rdm, 0.0)
    return rdm
