"""Ridge regression of many columns at once, with the penalty chosen by leave-one-out cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bgs._scale import exponents
from bgs._typing import Float, Float64, Int

#: Candidate penalties, for features of unit variance.
PENALTIES: tuple[float, ...] = tuple(10.0**power for power in range(-2, 8))

#: Features with less relative variation are treated as constant.
_CONSTANT = 1e-10


@dataclass(frozen=True)
class Ridge:
    """A ridge regression of t targets, with the penalty that minimises the leave-one-out error for each.

    Equal to scikit-learn's ``Pipeline(StandardScaler(), RidgeCV(PENALTIES, alpha_per_target=True))``: features are
    standardised by the training rows; leave-one-out errors are exact, from one eigendecomposition (Golub, Heath &
    Wahba 1979, Technometrics 21:215); among equally good penalties, the smallest is chosen. Computations use the (m, m)
    products of rows, so the cost hardly depends on the width.

    Attributes:
        strength, vectors: (m,) eigenvalues and (m, m) eigenvectors of the products of training rows.
        targets: (m, t) centred targets.
        products: (q, m) products of test rows with training rows.
        penalties: (t,) chosen penalties.
    """

    strength: Float64[np.ndarray, " m"]
    vectors: Float64[np.ndarray, "m m"]
    targets: Float64[np.ndarray, "m t"]
    products: Float64[np.ndarray, "q m"]
    penalties: Float64[np.ndarray, " t"]

    @classmethod
    def fit(
        cls,
        train: Float[np.ndarray, "m d"],
        targets: Float[np.ndarray, "m t"],
        test: Float[np.ndarray, "q d"],
        together: int = 1,
    ) -> Ridge:
        """Fit m ≥ 2 rows; each group of ``together`` columns (the classes of one label) shares a penalty."""
        train, test = _standardise(train.astype(np.float64), test.astype(np.float64))
        centred = targets - targets.mean(axis=0)
        strength, vectors = np.linalg.eigh(train @ train.T)
        # Treat eigenvalues below the rounding error of the largest as 0.
        floor = len(train) * np.finfo(np.float64).eps * max(strength[-1], 0.0)
        strength = np.where(strength > floor, strength, 0.0)
        weights = vectors.T @ centred
        errors = np.stack([_loo_error(strength, vectors, weights, penalty) for penalty in PENALTIES])
        shared = errors.reshape(len(PENALTIES), -1, together).sum(axis=2)
        chosen = np.repeat(np.array(PENALTIES)[shared.argmin(axis=0)], together)
        return cls(strength, vectors, centred, test @ train.T, chosen)

    def deviations(self) -> Float64[np.ndarray, "q t"]:
        """Predictions of the test rows minus the training mean of each target; all 0 if no feature varies."""
        predicted: Float64[np.ndarray, "q t"] = self.products @ self._dual()
        return predicted

    def _dual(self) -> Float64[np.ndarray, "m t"]:
        weights = self.vectors.T @ self.targets
        dual: Float64[np.ndarray, "m t"] = self.vectors @ (
            weights / (self.strength[:, None] + self.penalties)
        )
        return dual

    def deleted(self) -> Float64[np.ndarray, "m q t"]:
        """:meth:`deviations` without each training row in turn, with fixed feature scaling and penalty.

        Exact: without row i a prediction p becomes p − h_i·e_i / (1 − h_ii), with residual e_i and weight h_i of
        the row in the prediction (Cook & Weisberg 1982, Residuals and Influence in Regression, ch. 2).
        """
        m, deviations, dual = len(self.targets), self.deviations(), self._dual()
        found = np.empty((m, *deviations.shape))
        rotated = self.products @ self.vectors
        for target, penalty in enumerate(self.penalties):
            free = _free(self.strength, self.vectors, penalty)
            weight = 1.0 / m + (rotated / (self.strength + penalty)) @ self.vectors.T
            change = weight * (penalty * dual[:, target] / free)
            mean = self.targets[:, target] / (m - 1)  # decrease of the mean when the row is left out
            found[:, :, target] = (deviations[:, target][:, None] + mean - change).T
        return found


def fold_deviations(
    features: Float[np.ndarray, "n d"],
    targets: Float[np.ndarray, "n t"],
    folds: Sequence[Int[np.ndarray, " _"]],
    *,
    together: int = 1,
) -> tuple[Float64[np.ndarray, "n t"], Float64[np.ndarray, "n t"]]:
    """Cross-validated predictions for every row in a fold.

    Returns:
        (n, t) predictions minus the mean of the training rows, and (n, t) those means; NaN for rows in no fold.
    """
    predicted, means = (np.full(targets.shape, np.nan) for _ in range(2))
    for fold in folds:
        rest = np.setdiff1d(np.arange(len(features)), fold)
        predicted[fold] = Ridge.fit(features[rest], targets[rest], features[fold], together).deviations()
        means[fold] = targets[rest].mean(axis=0)
    return predicted, means


def fold_deletions(
    features: Float[np.ndarray, "n d"],
    targets: Float[np.ndarray, "n t"],
    folds: Sequence[Int[np.ndarray, " _"]],
    *,
    together: int = 1,
) -> tuple[Float64[np.ndarray, "n n t"], Float64[np.ndarray, "n n t"]]:
    """:func:`fold_deviations` without each row in turn (first axis), for folds that contain every row once.

    The row's own entry is unchanged and must get weight 0 in scoring.
    """
    n = len(features)
    predicted, means = (np.empty((n, *targets.shape)) for _ in range(2))
    for fold in folds:
        rest = np.setdiff1d(np.arange(n), fold)
        ridge, mean = (
            Ridge.fit(features[rest], targets[rest], features[fold], together),
            targets[rest].mean(axis=0),
        )
        predicted[:, fold], means[:, fold] = ridge.deviations(), mean
        predicted[np.ix_(rest, fold)] = ridge.deleted()
        means[np.ix_(rest, fold)] = (mean - ridge.targets / (len(rest) - 1))[:, None]
    return predicted, means


def _standardise(
    train: Float64[np.ndarray, "m d"], test: Float64[np.ndarray, "q d"]
) -> tuple[Float64[np.ndarray, "m d"], Float64[np.ndarray, "q d"]]:
    """Standardise training and test rows by mean and SD of the training rows; constant features become 0."""
    shift = exponents(np.concatenate([train, test]), axis=0)  # so that squares neither overflow nor underflow
    train, test = np.ldexp(train, -shift), np.ldexp(test, -shift)
    mean, spread = train.mean(axis=0), train.std(axis=0)
    varied = spread > _CONSTANT * np.maximum(np.abs(mean), np.finfo(float).tiny)
    scale = np.where(varied, spread, np.inf)
    return (train - mean) / scale, (test - mean) / scale


def _loo_error(
    strength: Float64[np.ndarray, " m"],
    vectors: Float64[np.ndarray, "m m"],
    weights: Float64[np.ndarray, "m t"],
    penalty: float,
) -> Float64[np.ndarray, " t"]:
    """Mean squared leave-one-out error of each column, with the intercept refitted."""
    left = penalty / (strength + penalty)
    residual = vectors @ (weights * left[:, None])
    free = _free(strength, vectors, penalty)
    error: Float64[np.ndarray, " t"] = ((residual / free[:, None]) ** 2).mean(axis=0)
    return error


def _free(
    strength: Float64[np.ndarray, " m"], vectors: Float64[np.ndarray, "m m"], penalty: float
) -> Float64[np.ndarray, " m"]:
    """1 − leverage of each row: the intercept contributes 1/m, from the constant eigenvector with eigenvalue 0."""
    free: Float64[np.ndarray, " m"] = vectors**2 @ (penalty / (strength + penalty)) - 1.0 / len(vectors)
    return free
