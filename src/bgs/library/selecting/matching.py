"""One-to-one pairs of clips from two sides, as alike as possible in all matched variables, and even as sets."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from bgs._errors import DataError
from bgs._typing import Bool, Float64, Int

#: Rounds in which what sets still differ in is weighed more.
_ROUNDS = 30
_STEP = 0.5


def most_pairs(allowed: Bool[np.ndarray, "a b"]) -> int:
    """How many one-to-one pairs there can be at most (Hopcroft & Karp 1973)."""
    partner = maximum_bipartite_matching(csr_matrix(allowed), perm_type="column")
    return int((partner >= 0).sum())


def cheapest_pairs(
    cost: Float64[np.ndarray, "a b"], allowed: Bool[np.ndarray, "a b"], pairs: int
) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    """Exactly so many one-to-one pairs with the smallest total cost, by an optimal assignment.

    Rows and columns that stay single are assigned to spare columns and rows at no cost; there are just as many spares as leave
    the asked number of pairs.

    Returns:
        Rows and columns of the pairs.

    Raises:
        DataError: there are not so many allowed pairs.
    """
    high, low = cost.shape
    never = 2 * float(np.abs(cost).max(initial=1.0)) * (pairs + 1)
    whole = np.zeros((high + low - pairs, low + high - pairs))
    whole[:high, :low] = np.where(allowed, cost, never)
    whole[high:, low:] = never * (high + low)
    rows, columns = linear_sum_assignment(whole)
    real = (rows < high) & (columns < low)
    rows, columns = rows[real], columns[real]
    if len(rows) != pairs or not allowed[rows, columns].all():
        raise DataError("there are not so many pairs", expected=f"{pairs} pairs", got=most_pairs(allowed))
    return rows, columns


def even_pairs(
    high: Float64[np.ndarray, "a d"],
    low: Float64[np.ndarray, "b d"],
    allowed: Bool[np.ndarray, "a b"],
    pairs: int,
) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    """Pairs whose members are alike, and whose sides have the same means (Lagrange multipliers on the differences of means).

    What is made small is the mean squared distance within pairs plus m times the squared distance between the means of the
    sides; if the sign of each pair's difference were random, the second would on average be as large as the first.

    Args:
        high, low: standardised matched variables of either side.
        allowed: pairs within the calipers.
        pairs: how many.

    Raises:
        DataError: there are not so many allowed pairs.
    """
    cost = _squared_distances(high, low)
    push = np.zeros(high.shape[1])
    best, least = None, np.inf
    for _ in range(_ROUNDS):
        rows, columns = cheapest_pairs(cost + 2 * ((high @ push)[:, None] - low @ push), allowed, pairs)
        apart = high[rows].mean(axis=0) - low[columns].mean(axis=0)
        total = float(cost[rows, columns].mean() + pairs * (apart @ apart))
        if total < least:
            best, least = (rows, columns), total
        push += _STEP * apart
    assert best is not None
    return best


def _squared_distances(
    first: Float64[np.ndarray, "a d"], second: Float64[np.ndarray, "b d"]
) -> Float64[np.ndarray, "a b"]:
    squares = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1)
    found: Float64[np.ndarray, "a b"] = np.maximum(squares - 2 * first @ second.T, 0)
    return found
