"""Splits of stimuli. Clips, not trials, are what must not leak."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from bgs._errors import ConfigError
from bgs._rng import generator
from bgs._typing import Bool, Int


def split_validation(
    train: Bool[np.ndarray, " n"],
    fraction: float,
    seed: int,
    shuffle: Literal["bgs", "scikit-learn"] = "bgs",
) -> tuple[Int[np.ndarray, " a"], Int[np.ndarray, " b"]]:
    """Split the training stimuli into those to optimise on and those to validate on.

    Args:
        train: (n,) mask of training stimuli.
        fraction: share of them to validate on, 0–1; 0 validates on none.
        seed: the split depends on it and on nothing else.
        shuffle: ``bgs`` draws from a stream of its own and rounds the number of stimuli; ``scikit-learn`` gives the
            very split of its ``train_test_split(positions, test_size=fraction, random_state=seed)``.

    Returns:
        Sorted positions to optimise on and to validate on.

    Raises:
        ConfigError: fewer than three stimuli would be left on a side that is not empty.
    """
    positions = np.flatnonzero(train)
    n = len(positions)
    if shuffle == "bgs":
        n_validation, order = round(fraction * n), generator(seed, "validation split").permutation(n)
    else:
        n_validation, order = math.ceil(fraction * n), np.random.RandomState(seed).permutation(n)
    if n - n_validation < 3 or 0 < n_validation < 3:
        raise ConfigError(
            "too few training stimuli for a validation split", where="validation.fraction",
            expected="at least 3 stimuli on either side", got=f"{fraction} of {n}",
        )  # fmt: skip
    shuffled = positions[order]
    return np.sort(shuffled[n_validation:]), np.sort(shuffled[:n_validation])


def split_folds(n: int, folds: int, seed: int) -> list[Int[np.ndarray, " m"]]:
    """Split n stimuli into folds, each to be held out once.

    Returns:
        Sorted positions of each fold; sizes differ by at most one, and every position is in exactly one.

    Raises:
        ConfigError: a fold would have fewer than three stimuli, or there is only one fold.
    """
    if folds < 2 or n < 3 * folds:
        raise ConfigError(
            "impossible number of folds", where="folds", expected=f"2 to {n // 3} for {n} stimuli", got=folds
        )
    shuffled = generator(seed, "folds").permutation(n)
    return [np.sort(part) for part in np.array_split(shuffled, folds)]
