"""Balanced random triplets: every clip is shown equally often."""

from __future__ import annotations

import numpy as np

from bgs._typing import Int


def balanced_triplets(n_clips: int, n: int, rng: np.random.Generator) -> Int[np.ndarray, "n 3"]:
    """Random triplets of distinct clips; the numbers of times that two clips are shown differ by at most one.

    Shuffled decks of all clips are dealt one after the other, three clips at a time. Where a triplet spans two decks,
    the top of the second must not repeat what is left of the first: a clip that would is swapped with a later one.

    Args:
        n_clips: at least 3.
        n: number of triplets.
        rng: random generator.
    """
    decks = rng.permuted(np.tile(np.arange(n_clips), (-(-3 * n // n_clips), 1)), axis=1)
    for before in range(len(decks) - 1):
        left = (before + 1) * n_clips % 3
        if left:
            _avoid(decks[before + 1], decks[before, -left:], 3 - left)
    return decks.reshape(-1)[: 3 * n].reshape(n, 3)


def _avoid(deck: Int[np.ndarray, " c"], rest: Int[np.ndarray, " r"], top: int) -> None:
    """Swap clips of ``rest`` out of the first ``top`` places of a deck, in place."""
    taken = np.isin(deck, rest)
    wrong = np.flatnonzero(taken[:top])
    free = top + np.flatnonzero(~taken[top:])[: len(wrong)]
    deck[wrong], deck[free] = deck[free], deck[wrong]
