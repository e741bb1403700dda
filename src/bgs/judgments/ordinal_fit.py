"""Fitting an ordinal embedding: the posterior, its gradient and starting points."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from bgs._errors import BgsError
from bgs._typing import Float64
from bgs.judgments.choice_model import Answers, choice_loss, fit_distances

#: Distances are √(‖x_i − x_j‖² + this²), in log odds: negligible, and differentiable where points coincide.
SOFTNESS = 1e-3

#: Minimum variance of a start along each axis, as a fraction of the greatest: without any, the gradient
#: along that axis would always be 0.
_LEAST_VARIANCE = 1e-4

#: Relative convergence tolerance of the final fit, and within cross-validation.
DONE, NEARLY_DONE = 1e-9, 1e-5


def differences(answers: Answers, n: int) -> Any:
    """(p, n) sparse matrix whose product with n points is x_i − x_j for each shown pair i < j."""
    from scipy.sparse import csr_array

    row, (first, second) = np.arange(len(answers.cells)), np.divmod(answers.cells, n)
    sign = np.repeat([1.0, -1.0], len(row))
    where = np.tile(row, 2), np.concatenate([first, second])
    return csr_array((sign, where), shape=(len(row), n))


def soft_lengths(gap: Float64[np.ndarray, "p d"]) -> Float64[np.ndarray, " p"]:
    """(p,) √(‖gap‖² + softness²), the distances in the likelihood."""
    lengths: Float64[np.ndarray, " p"] = np.sqrt(np.einsum("pd,pd->p", gap, gap) + SOFTNESS**2)
    return lengths


def posterior_loss(
    points: Float64[np.ndarray, "n d"], apart: Any, answers: Answers, penalty: float, lapse: float
) -> tuple[float, Float64[np.ndarray, "n d"]]:
    """−log likelihood + penalty / 2 Σ x², and its (n, d) gradient.

    Args:
        points: (n, d) points.
        apart: :func:`differences` of the answers.
        answers: the pairs kept together.
        penalty: precision of the normal prior of every coordinate.
        lapse: probability that an answer is a guess.
    """
    gap = apart @ points
    distance = soft_lengths(gap)
    loss, slope = choice_loss(distance, answers, lapse)
    gradient = apart.T @ ((slope / distance)[:, None] * gap) + penalty * points
    return loss + penalty / 2 * float((points**2).sum()), gradient


def fit_points(
    starts: Iterable[Float64[np.ndarray, "n d"]],
    answers: Answers,
    penalty: float,
    lapse: float,
    done: float = DONE,
) -> Float64[np.ndarray, "n d"]:
    """The points with the lowest :func:`posterior_loss` over all starts.

    Raises:
        BgsError: a fit did not converge.
    """
    fits = [_descend(start, answers, penalty, lapse, done) for start in starts]
    return min(fits, key=lambda found: found[1])[0]


def _descend(
    start: Float64[np.ndarray, "n d"], answers: Answers, penalty: float, lapse: float, done: float
) -> tuple[Float64[np.ndarray, "n d"], float]:
    from scipy.optimize import minimize

    apart = differences(answers, len(start))

    def objective(flat: Float64[np.ndarray, " nd"]) -> tuple[float, Float64[np.ndarray, " nd"]]:
        loss, gradient = posterior_loss(flat.reshape(start.shape), apart, answers, penalty, lapse)
        return loss, gradient.ravel()

    found = minimize(
        objective, start.ravel(), jac=True, method="L-BFGS-B",
        options={"ftol": done, "gtol": 0.0, "maxiter": 10_000, "maxfun": 20_000},
    )  # fmt: skip
    if not np.isfinite(found.fun) or found.status == 1:  # 1: stopped by a limit
        raise BgsError(
            "the ordinal embedding did not converge", expected="at most 10,000 steps", got=found.nit
        )
    return found.x.reshape(start.shape), float(found.fun)


def classical_scaling(answers: Answers, n: int, dimensions: int, lapse: float) -> Float64[np.ndarray, "n d"]:
    """Principal coordinates of the choice model's distances (Torgerson 1952), in order of decreasing variance.

    Pairs that were not shown get the mean distance. Axes without variance get a little, so that the fit can use them.
    """
    distance = fit_distances(answers, 1.0, lapse)
    rdm = np.full((n, n), -distance.min())  # the mean distance, relative to the closest pair at 0
    first, second = np.divmod(answers.cells, n)
    rdm[first, second] = rdm[second, first] = distance - distance.min()
    np.fill_diagonal(rdm, 0.0)
    squared = rdm**2
    centred = squared - squared.mean(axis=0) - squared.mean(axis=1)[:, None] + squared.mean()
    variance, axes = np.linalg.eigh(-centred / 2)
    variance, axes = variance[::-1][:dimensions], axes[:, ::-1][:, :dimensions]
    points: Float64[np.ndarray, "n d"] = axes * np.sqrt(np.maximum(variance, _LEAST_VARIANCE * variance[0]))
    return points


def principal_axes(points: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, "n d"]:
    """Centre and rotate points so that axes are uncorrelated, in order of decreasing variance.

    Distances do not change. On every axis the coordinate of greatest magnitude is positive.
    """
    left, length, _ = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    turned: Float64[np.ndarray, "n d"] = left * length
    farthest = np.take_along_axis(turned, np.abs(turned).argmax(axis=0)[None], axis=0)
    return turned * np.where(farthest < 0, -1.0, 1.0)
