"""Sign-flip test of paired differences."""

from __future__ import annotations

import numpy as np

from bgs._rng import generator
from bgs._typing import Float64

#: Means that differ by less are treated as equal.
_EQUAL = 1e-12


def sign_flip_p_value(values: Float64[np.ndarray, " n"], *, permutations: int, seed: int) -> float:
    """Two-sided p-value for a mean of zero; under the null, each value is symmetric about zero.

    p = (1 + #{|flipped mean| ≥ |mean|}) / (1 + permutations), never 0 (Phipson & Smyth 2010).

    Args:
        values: (n,) paired differences.
        permutations: number of random sign flips.
        seed: seed of the sign flips.

    Returns:
        1/(1 + permutations) to 1; NaN without values or permutations.
    """
    if not len(values) or permutations < 1:
        return float("nan")
    rng, count = generator(seed, "sign-flip"), 0
    observed = abs(values.mean()) - _EQUAL
    for start in range(0, permutations, 1000):  # in batches, to bound memory
        rows = min(1000, permutations - start)
        signs = rng.integers(0, 2, size=(rows, len(values)), dtype=np.int8) * 2.0 - 1.0
        count += int((np.abs(signs @ values / len(values)) >= observed).sum())
    return (1 + count) / (1 + permutations)
