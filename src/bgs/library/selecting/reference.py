"""Slow, readable references: every choice of a tiny pool is tried."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np

from bgs._typing import Bool, Float64
from bgs.library.selecting.covering import distances_to


def smallest_radius(directions: Float64[np.ndarray, "n d"], k: int) -> float:
    """The smallest covering radius (cosine distance) of any k clips."""
    return min(
        float(distances_to(directions, np.array(chosen)).min(axis=0).max())
        for chosen in combinations(range(len(directions)), k)
    )


def smallest_cost(cost: Float64[np.ndarray, "a b"], allowed: Bool[np.ndarray, "a b"], pairs: int) -> float:
    """The smallest total cost of so many one-to-one allowed pairs; infinite if there are none."""
    high, low = cost.shape
    priced = np.where(allowed, cost, np.inf)
    return min(
        float(sum(priced[i, j] for i, j in zip(rows, columns, strict=True)))
        for rows in combinations(range(high), pairs)
        for columns in permutations(range(low), pairs)
    )
