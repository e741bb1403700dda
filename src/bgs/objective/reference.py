"""Slow, readable reference implementations of every part of the objective, with plain Python loops.

They are not used in training; tests check that the fast routines give the same values.
"""

from __future__ import annotations

import math

import numpy as np

from bgs._typing import Float, Int


def cosine_distance(a: Float[np.ndarray, " d"], b: Float[np.ndarray, " d"]) -> float:
    """1 − cosine similarity."""
    return 1.0 - float(a @ b) / (float(np.linalg.norm(a)) * float(np.linalg.norm(b)))


def hinge(
    embeddings: Float[np.ndarray, "n d"],
    triplets: Int[np.ndarray, "t 3"],
    odd: Int[np.ndarray, " t"],
    margin: float,
    hard_negatives: int = 0,
) -> float:
    """Mean hinge over both anchors of each trial, with the hardest constraints counted twice."""
    violations = []
    for trial, slot in zip(triplets, odd, strict=True):
        o = embeddings[trial[slot]]
        a, b = (embeddings[stimulus] for position, stimulus in enumerate(trial) if position != slot)
        for anchor, other in ((a, b), (b, a)):
            violations.append(max(0.0, margin + cosine_distance(anchor, other) - cosine_distance(anchor, o)))
    violations += sorted(violations, reverse=True)[:hard_negatives]
    return sum(violations) / len(violations)


def choice(
    embeddings: Float[np.ndarray, "n d"],
    triplets: Int[np.ndarray, "t 3"],
    odd: Int[np.ndarray, " t"],
    temperature: float,
) -> float:
    """Mean negative log-probability that the odd one is left out."""
    total = 0.0
    for trial, slot in zip(triplets, odd, strict=True):
        strengths = []
        for left_out in range(3):
            a, b = (embeddings[stimulus] for position, stimulus in enumerate(trial) if position != left_out)
            strengths.append(math.exp((1.0 - cosine_distance(a, b)) / temperature))
        total -= math.log(strengths[slot] / sum(strengths))
    return total / len(triplets)


def correlation(
    x: Float[np.ndarray, " p"], y: Float[np.ndarray, " p"], weights: Float[np.ndarray, " p"]
) -> float:
    """Weighted Pearson correlation, from its definition."""
    total = sum(weights)
    mean_x = sum(w * a for w, a in zip(weights, x, strict=True)) / total
    mean_y = sum(w * b for w, b in zip(weights, y, strict=True)) / total
    covariance = variance_x = variance_y = 0.0
    for w, a, b in zip(weights, x, y, strict=True):
        covariance += w * (a - mean_x) * (b - mean_y)
        variance_x += w * (a - mean_x) ** 2
        variance_y += w * (b - mean_y) ** 2
    return covariance / math.sqrt(variance_x * variance_y)


def soft_rank(
    values: Float[np.ndarray, " n"], softness: float, steps: int = 20_000
) -> Float[np.ndarray, " n"]:
    """Soft ranks from their definition: the point nearest to n·z/softness in the convex hull of permutations of 1..n.

    Frank–Wolfe with exact line search: each step moves towards the permutation that minimises the linearised objective.
    """
    n = len(values)
    goal = (values - values.mean()) / values.std(ddof=1) * n / softness
    point = np.full(n, (n + 1) / 2)
    for _ in range(steps):
        vertex = np.empty(n)
        vertex[np.argsort(goal - point)] = np.arange(1, n + 1)
        direction = vertex - point
        length = float(direction @ direction)
        if length < 1e-18:
            break
        point = point + min(1.0, max(0.0, float((goal - point) @ direction) / length)) * direction
    return point
