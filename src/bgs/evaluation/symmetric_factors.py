"""Symmetric non-negative factors of a partly observed similarity matrix."""

from __future__ import annotations

import numpy as np

from bgs._typing import Float64, Int

#: Steps after which a fit ends in any case.
_STEPS = 500


def fit_factors(
    first: Int[np.ndarray, " p"],
    second: Int[np.ndarray, " p"],
    target: Float64[np.ndarray, " p"],
    n: int,
    rank: int,
    penalty: float,
    random: np.random.Generator,
) -> tuple[Float64[np.ndarray, "n k"], float]:
    """W ≥ 0 of least Σ (target − w_first·w_second)² + penalty·Σ W, by L-BFGS-B from a random start.

    Bounds, not a transformation, keep W non-negative, so that zeros are exactly zero.

    Args:
        first, second: (p,) observed pairs, each once.
        target: (p,) their similarities, above 0 on average.
        n: clips.
        rank: k.
        penalty: ≥ 0.
        random: draws the start.

    Returns:
        (n, k) W, and the value of the objective.
    """
    from scipy.optimize import minimize

    observed, similarity = np.zeros((n, n)), np.zeros((n, n))
    observed[first, second] = observed[second, first] = 1.0
    similarity[first, second] = similarity[second, first] = target

    def objective(flat: Float64[np.ndarray, " m"]) -> tuple[float, Float64[np.ndarray, " m"]]:
        loadings = flat.reshape(n, rank)
        residual = observed * (loadings @ loadings.T) - similarity
        gradient = 2.0 * residual @ loadings + penalty
        # Every pair is in the square matrix twice.
        return 0.5 * float((residual**2).sum()) + penalty * float(flat.sum()), gradient.ravel()

    start = random.uniform(0.5, 1.5, size=n * rank) * np.sqrt(target.mean() / rank)
    found = minimize(
        objective,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * len(start),
        options={"maxiter": _STEPS},
    )
    return found.x.reshape(n, rank), float(found.fun)
