"""Points whose distances make the choices most likely: the posterior, its gradient, and where to begin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from bgs._errors import BgsError
from bgs._typing import Float64
from bgs.judgments.choice_model import Answers, choice_loss, fit_distances

#: Distances are √(‖x_i − x_j‖² + this²), in log odds: far too little to see, and the slope exists where points meet.
SOFTNESS = 1e-3

#: Of the greatest variance along an axis, what a start has at least along each: where there is none, no slope
#: would ever lead there.
_LEAST_VARIANCE = 1e-4

#: Relative progress of an iteration below which a fit is called done: of a final fit, and within cross-validation.
DONE, NEARLY_DONE = 1e-9, 1e-5


def differences(answers: Answers, n: int) -> Any:
    """(p, n) sparse matrix whose product with n points is x_i − x_j for each pair i < j that was shown."""
    from scipy.sparse import csr_array

    row, (first, second) = np.arange(len(answers.cells)), np.divmod(answers.cells, n)
    sign = np.repeat([1.0, -1.0], len(row))
    where = np.tile(row, 2), np.concatenate([first, second])
    return csr_array((sign, where), shape=(len(row), n))


def soft_lengths(gap: Float64[np.ndarray, "p d"]) -> Float64[np.ndarray, " p"]:
    """(p,) √(‖gap‖² + softness²), the distances that the likelihood is about."""
    lengths: Float64[np.ndarray, " p"] = np.sqrt(np.einsum("pd,pd->p", gap, gap) + SOFTNESS**2)
    return lengths


def posterior_loss(
    points: Float64[np.ndarray, "n d"], apart: Any, answers: Answers, penalty: float, lapse: float
) -> tuple[float, Float64[np.ndarray, "n d"]]:
    """−log likelihood + penalty / 2 Σ x², and its (n, d) gradient.

    Args:
        points: (n, d) points.
        apart: :func:`differences` of the answers.
        answers: what was kept together.
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
    """The points of least :func:`posterior_loss` that are reached from any of the starts.

    Raises:
        BgsError: a fit did not settle.
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
        raise BgsError("the ordinal embedding did not settle", expected="at most 10,000 steps", got=found.nit)
    return found.x.reshape(start.shape), float(found.fun)


def classical_scaling(answers: Answers, n: int, dimensions: int, lapse: float) -> Float64[np.ndarray, "n d"]:
    """Principal coordinates of the choice model's distances (Torgerson 1952), the axis of most variance first.

    A pair that was not shown is an average one. An axis without variance gets a little, so that it may be used.
    """
    distance = fit_distances(answers, 1.0, lapse)
    rdm = np.full((n, n), -distance.min())  # that of an average pair, the closest being at 0
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
    """The same points about their mean, turned so that axes are uncorrelated and their variance falls.

    Distances do not change. On every axis the coordinate farthest from 0 is positive.
    """
    left, length, _ = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    turned: Float64[np.ndarray, "n d"] = left * length
    farthest = np.take_along_axis(turned, np.abs(turned).argmax(axis=0)[None], axis=0)
    return turned * np.where(farthest < 0, -1.0, 1.0)
