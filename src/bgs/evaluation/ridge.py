"""Ridge regression of many columns at once, its penalty chosen by leaving one training clip out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bgs._typing import Float, Float64, Int

#: Penalties to choose from, on features of unit variance.
PENALTIES: tuple[float, ...] = tuple(10.0**power for power in range(-2, 8))

#: A feature that varies less than this, relative to its size, is a constant with rounding error.
_CONSTANT = 1e-10


def ridge_deviations(
    train: Float[np.ndarray, "m d"],
    targets: Float[np.ndarray, "m t"],
    test: Float[np.ndarray, "q d"],
    *,
    together: int = 1,
    penalties: Sequence[float] = PENALTIES,
) -> Float64[np.ndarray, "q t"]:
    """What ridge regression predicts for new rows, less the training mean of each target.

    Equal to scikit-learn's ``Pipeline(StandardScaler(), RidgeCV(penalties, alpha_per_target=True))``: features are
    standardised by the training rows; of the penalties, the one with the least squared leave-one-out error is taken
    (exact, from one eigendecomposition: Golub, Heath & Wahba 1979, Technometrics 21:215; the smallest of equals).
    Works on the (m, m) products of rows, so that width costs next to nothing.

    Args:
        train: (m, d) training features, m ≥ 2.
        targets: (m, t) what to predict.
        test: (q, d) features of the rows to predict.
        together: each run of so many columns (one label's classes) shares a penalty.
        penalties: of which to choose, > 0, ascending.

    Returns:
        (q, t) predictions minus ``targets.mean(axis=0)``; all 0 where no feature varies.
    """
    train, test = _standardise(train.astype(np.float64), test.astype(np.float64))
    centred = targets - targets.mean(axis=0)
    # A product of rows is as large as there are features; eigenvalues below its rounding error are none.
    strength, vectors = np.linalg.eigh(train @ train.T)
    strength = np.where(strength > len(train) * np.finfo(float).eps * max(strength[-1], 0.0), strength, 0.0)
    weights = vectors.T @ centred
    errors = np.stack([_loo_error(strength, vectors, weights, penalty) for penalty in penalties])
    shared = errors.reshape(len(penalties), -1, together).sum(axis=2)
    chosen = np.repeat(np.asarray(penalties)[shared.argmin(axis=0)], together)
    dual = vectors @ (weights / (strength[:, None] + chosen))
    predicted: Float64[np.ndarray, "q t"] = (test @ train.T) @ dual
    return predicted


def fold_deviations(
    features: Float[np.ndarray, "n d"],
    targets: Float[np.ndarray, "n t"],
    folds: Sequence[Int[np.ndarray, " q"]],
    *,
    together: int = 1,
) -> tuple[Float64[np.ndarray, "n t"], Float64[np.ndarray, "n t"]]:
    """Predictions for every row in a fold by a model that never saw that fold's rows.

    Returns:
        (n, t) predictions less the mean of the rows trained on, and (n, t) those means; NaN for rows in no fold.
    """
    predicted, means = (np.full(targets.shape, np.nan) for _ in range(2))
    for fold in folds:
        rest = np.setdiff1d(np.arange(len(features)), fold)
        predicted[fold] = ridge_deviations(features[rest], targets[rest], features[fold], together=together)
        means[fold] = targets[rest].mean(axis=0)
    return predicted, means


def _standardise(
    train: Float64[np.ndarray, "m d"], test: Float64[np.ndarray, "q d"]
) -> tuple[Float64[np.ndarray, "m d"], Float64[np.ndarray, "q d"]]:
    """Both by mean and standard deviation of the training rows; constant features are 0."""
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
    """Mean squared leave-one-out error of each column, with the intercept refitted too."""
    left = penalty / (strength + penalty)
    residual = vectors @ (weights * left[:, None])
    # 1 − leverage: the intercept takes 1/m of every row, the share of the constant eigenvector, whose strength is 0.
    free = vectors**2 @ left - 1.0 / len(vectors)
    error: Float64[np.ndarray, " t"] = ((residual / free[:, None]) ** 2).mean(axis=0)
    return error
