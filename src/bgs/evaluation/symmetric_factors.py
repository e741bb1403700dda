"""Symmetric non-negative factorisation of a partly observed similarity matrix."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bgs._typing import Float64, Int

#: Maximum number of steps of a fit.
_STEPS = 500

#: Multiplications per block: large enough for BLAS, small enough for the block to stay in the cache.
_BLOCK = 2**18


class _Block(NamedTuple):
    """Rows of the matrices of pairs, without the empty columns left of the diagonal."""

    rows: slice
    columns: slice
    observed: Float64[np.ndarray, "r c"]
    similarity: Float64[np.ndarray, "r c"]
    residual: Float64[np.ndarray, "r c"]


class PairObjective:
    """Σ (target − w_first·w_second)² + penalty·Σ W over pairs, and its gradient.

    Pairs are cells above the diagonal of dense matrices, with unobserved ones multiplied by 0, so that only products of
    matrices are needed. These are computed in blocks of rows, each with its own buffer for the residual: full matrices
    of many clips would not stay in the cache between steps.

    Args:
        first, second: (p,) observed pairs, each once.
        target: (p,) their similarities.
        n: number of clips.
        rank: k, number of dimensions.
        penalty: ≥ 0.
    """

    def __init__(
        self, first: Int[np.ndarray, " p"], second: Int[np.ndarray, " p"], target: Float64[np.ndarray, " p"],
        n: int, rank: int, penalty: float,
    ) -> None:  # fmt: skip
        low, high = np.minimum(first, second), np.maximum(first, second)
        observed, similarity = np.zeros((n, n)), np.zeros((n, n))
        observed[low, high], similarity[low, high] = 1.0, target
        self._shape, self._penalty, self._blocks = (n, rank), penalty, list[_Block]()
        height = max(1, _BLOCK // (n * rank))
        for top in range(0, n, height):
            rows, columns = slice(top, top + height), slice(top, n)
            parts = observed[rows, columns].copy(), similarity[rows, columns].copy()
            self._blocks.append(_Block(rows, columns, *parts, np.empty_like(parts[0])))

    def __call__(self, flat: Float64[np.ndarray, " m"]) -> tuple[float, Float64[np.ndarray, " m"]]:
        """Value and (n·k,) gradient at the flattened (row-major) loadings."""
        loadings = flat.reshape(self._shape)
        squares, slope = 0.0, np.zeros(self._shape)
        for rows, columns, observed, similarity, residual in self._blocks:
            np.matmul(loadings[rows], loadings[columns].T, out=residual)
            residual *= observed
            residual -= similarity
            squares += float(np.einsum("rc,rc->", residual, residual))
            slope[rows] += residual @ loadings[columns]
            slope[columns] += residual.T @ loadings[rows]
        return squares + self._penalty * float(flat.sum()), (2.0 * slope + self._penalty).ravel()


def fit_factors(
    first: Int[np.ndarray, " p"],
    second: Int[np.ndarray, " p"],
    target: Float64[np.ndarray, " p"],
    n: int,
    rank: int,
    penalty: float,
    random: np.random.Generator,
) -> tuple[Float64[np.ndarray, "n k"], float]:
    """Minimise Σ (target − w_first·w_second)² + penalty·Σ W over W ≥ 0, by L-BFGS-B from a random start.

    W is kept non-negative by bounds, not by a transformation, so that zeros are exact.

    Args:
        first, second: (p,) observed pairs, each once.
        target: (p,) their similarities, above 0 on average.
        n: number of clips.
        rank: k, number of dimensions.
        penalty: ≥ 0.
        random: generator of the start.

    Returns:
        (n, k) W, and the value of the objective.
    """
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_limits

    start = random.uniform(0.5, 1.5, size=n * rank) * np.sqrt(target.mean() / rank)
    objective, bounds = PairObjective(first, second, target, n, rank, penalty), [(0.0, None)] * len(start)
    # Products take microseconds: threads would mostly wait, and rounding would depend on their number.
    with threadpool_limits(1, user_api="blas"):
        found = minimize(
            objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _STEPS}
        )
    return found.x.reshape(n, rank), float(found.fun)
