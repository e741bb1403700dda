"""One-to-one pairs of clips from two sides, as alike as possible in all matched variables, and even as sets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from bgs._errors import DataError
from bgs._typing import Bool, Float64, Int

#: Rounds in which what sets still differ in is weighed more.
_ROUNDS = 40
_STEP = 2.0


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
    high: Sequence[Float64[np.ndarray, "a _"]],
    low: Sequence[Float64[np.ndarray, "b _"]],
    allowed: Bool[np.ndarray, "a b"],
    pairs: int,
    worth: Float64[np.ndarray, "a b"] | None = None,
) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    """Pairs whose members are alike, and whose sides have the same means (Lagrange multipliers on the differences of means).

    In each round the pairs with the smallest total squared distance (less what they are worth) are found, plus what multipliers
    charge for going on in the direction in which the sides still differ. Of all rounds, the one is kept whose pairs are alike
    (mean cost per variable) and whose sides are even in every variable (:func:`unevenness` of the worst): the smallest sum.

    Args:
        high, low: standardised matched variables of either side, one array each.
        allowed: pairs within the calipers.
        pairs: how many.
        worth: squared distance that a pair may cost more because of something else that speaks for it.

    Raises:
        DataError: there are not so many allowed pairs.
    """
    costs = [squared_distances(mine, theirs) for mine, theirs in zip(high, low, strict=True)]
    cost, charge = np.sum(costs, axis=0), np.zeros_like(costs[0])
    cost = cost if worth is None else cost - worth
    best, least = None, np.inf
    for done in range(_ROUNDS):
        rows, columns = cheapest_pairs(cost + charge, allowed, pairs)
        apart = [mine[rows] - theirs[columns] for mine, theirs in zip(high, low, strict=True)]
        mean_cost = float(cost[rows, columns].mean()) / len(costs)
        total = mean_cost + max(map(unevenness, apart))
        if total < least:
            best, least = (rows, columns), total
        for mine, theirs, differences in zip(high, low, apart, strict=True):
            push = _STEP * _weight(differences) * differences.mean(axis=0) / np.sqrt(1 + done)
            charge += (mine @ push)[:, None] - theirs @ push
    assert best is not None
    return best


def unevenness(differences: Float64[np.ndarray, "m d"]) -> float:
    """Squared difference of means relative to what random signs of the pairs' differences would leave: 1 is chance."""
    squares = float((differences**2).sum(axis=1).mean())
    mean = differences.mean(axis=0)
    return len(differences) * float(mean @ mean) / squares if squares > 0 else 0.0


def _weight(differences: Float64[np.ndarray, "m d"]) -> float:
    """More for a variable in which pairs are nearly the same: a small difference of means stands out in it."""
    squares = float((differences**2).sum(axis=1).mean())
    return 1 / float(np.sqrt(squares)) if squares > 0 else 0.0


def squared_distances(
    first: Float64[np.ndarray, "a d"], second: Float64[np.ndarray, "b d"]
) -> Float64[np.ndarray, "a b"]:
    """Squared Euclidean distances."""
    squares = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1)
    found: Float64[np.ndarray, "a b"] = np.maximum(squares - 2 * first @ second.T, 0)
    return found
