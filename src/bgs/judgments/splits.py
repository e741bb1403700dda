"""Splits of stimuli: clips, not trials, must be kept apart to avoid leakage."""

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
    """Split the training stimuli into those for optimisation and those for validation.

    Args:
        train: (n,) mask of training stimuli.
        fraction: proportion used for validation, 0–1; 0 uses none.
        seed: random seed.
        shuffle: ``bgs`` uses a named random stream and rounds the number of stimuli; ``scikit-learn`` reproduces the
            split of its ``train_test_split(positions, test_size=fraction, random_state=seed)``.

    Returns:
        Sorted positions for optimisation and for validation.

    Raises:
        ConfigError: a nonempty side would have fewer than three stimuli.
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
            expected="at least 3 stimuli on each side", got=f"{fraction} of {n}",
        )  # fmt: skip
    shuffled = positions[order]
    return np.sort(shuffled[n_validation:]), np.sort(shuffled[:n_validation])


def split_folds(n: int, folds: int, seed: int) -> list[Int[np.ndarray, " m"]]:
    """Split n stimuli into folds, each held out once.

    Returns:
        Sorted positions of each fold; sizes differ by at most one, and every position is in exactly one.

    Raises:
        ConfigError: a fold would have fewer than three stimuli, or there is only one fold.
    """
    if folds < 2 or n < 3 * folds:
        raise ConfigError(
            "invalid number of folds", where="folds", expected=f"2 to {n // 3} for {n} stimuli", got=folds
        )
    shuffled = generator(seed, "folds").permutation(n)
    return [np.sort(part) for part in np.array_split(shuffled, folds)]
