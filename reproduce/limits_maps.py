"""Maps from features of clips to human dissimilarities: what reproduce/limits.py trains, each in well under a second."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import minimize

from bgs._typing import Bool, Float64, Int
from bgs.evaluation import spearman
from bgs.judgments import Trials, split_folds
from bgs.judgments.trials import KEPT_PAIR

Matrix = Float64[np.ndarray, "n n"]
Positions = Int[np.ndarray, " m"]
#: Strengths of the ridge that inner folds choose among.
RIDGES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
#: Times that pairs nobody judged are filled in with what the map says of them.
_FILLED = 4


def upper(rdm: Matrix) -> Float64[np.ndarray, " p"]:
    """(p,) entries above the diagonal."""
    return rdm[np.triu_indices(len(rdm), 1)]


def score(predicted: Matrix, human: Matrix, clips: Positions) -> float:
    """Spearman correlation among ``clips``; ``human`` is over all."""
    return spearman(upper(predicted), upper(human[np.ix_(clips, clips)]))


def linear_kernel(features: Float64[np.ndarray, "n d"], train: Positions) -> Matrix:
    """(n, n) inner products of features centred on the training clips, whose mean squared length is 1."""
    centred = features - features[train].mean(axis=0)
    return centred @ centred.T / (centred[train] ** 2).sum(axis=1).mean()


def radial_kernel(linear: Matrix, width: float = 1.0) -> Matrix:
    """exp(−width · squared distance / 2)."""
    squares = np.diag(linear)
    return np.exp(-width * np.maximum(squares[:, None] + squares - 2 * linear, 0.0) / 2)


def cosine_rdm(linear: Matrix, clips: Positions) -> Matrix:
    """(m, m) cosine distances: the untuned features."""
    length = np.sqrt(np.diag(linear)[clips])
    return 1.0 - linear[np.ix_(clips, clips)] / np.outer(length, length)


def pair_maps(
    kernel: Matrix, rdm: Matrix, train: Positions, clips: Positions, ridges: Sequence[float]
) -> list[Matrix]:
    """Dissimilarities of ``clips`` for each ridge, learned from those among ``train``.

    Similarity is a + b · kernel + x′Mx with features x of the kernel and a constant: a and b by least squares, then M with
    the penalty ridge · ‖M‖², exactly, in the eigenvectors of the kernel. With a linear kernel that is a linear map.

    Args:
        kernel: (n, n) over all clips.
        rdm: (n, n) human dissimilarities; only those among ``train`` are read, NaN where unknown.
        train, clips: positions.
        ridges: strengths.
    """
    among, observed, b, a = kernel[np.ix_(train, train)], *_slope(kernel, rdm, train)
    target = np.where(observed, -rdm[np.ix_(train, train)] - a - b * among, 0.0)
    values, vectors = np.linalg.eigh(among + 1.0)
    products, to_train = np.outer(values, values), (kernel[np.ix_(clips, train)] + 1.0) @ vectors
    found = []
    for ridge in ridges:
        filled = target
        for _ in range(_FILLED):
            turned = vectors.T @ filled @ vectors
            fit = vectors @ (turned * products / (products + ridge)) @ vectors.T
            filled = np.where(observed, target, fit)
        weights = vectors.T @ filled @ vectors / (products + ridge)
        found.append(-(a + b * kernel[np.ix_(clips, clips)] + to_train @ weights @ to_train.T))
    return found


def _slope(kernel: Matrix, rdm: Matrix, train: Positions) -> tuple[Bool[np.ndarray, "m m"], float, float]:
    observed = np.isfinite(rdm[np.ix_(train, train)])
    np.fill_diagonal(observed, False)
    x, y = kernel[np.ix_(train, train)][observed], -rdm[np.ix_(train, train)][observed]
    b, a = np.polyfit(x, y, 1)
    return observed, float(b), float(a)


def choose(
    learn: Callable[[Positions, Positions], Sequence[Matrix]],
    human: Matrix,
    train: Positions,
    folds: int,
    seed: int,
) -> int:
    """Which of the settings of ``learn(train, clips)`` foretells left-out folds of ``train`` best."""
    scores = []
    for fold in split_folds(len(train), folds, seed):
        left = train[fold]
        found = learn(np.setdiff1d(train, left), left)
        scores.append([score(predicted, human, left) for predicted in found])
    return int(np.mean(scores, axis=0).argmax())


def gradient_map(
    kernel: Matrix, human: Matrix, trials: Trials, train: Positions, clips: Positions, ridge: float, rank: int
) -> Matrix:
    """Cosine distances under a linear map, by L-BFGS on the likelihood of choices and the correlation with people.

    The hybrid objective (softmax of cosines over .2, and Pearson), penalty ridge / 2 · ‖W − 1‖²; W maps the first ``rank``
    principal components of the training clips.
    """
    values, vectors = np.linalg.eigh(kernel[np.ix_(train, train)])
    values, vectors = values[-rank:], vectors[:, -rank:]
    points = kernel[:, train] @ vectors / np.sqrt(np.maximum(values, 1e-9))
    inside = np.zeros(len(kernel), dtype=bool)
    inside[train] = True
    trials = trials.within(inside)
    shown = np.searchsorted(train, trials.stimuli)[:, np.array(KEPT_PAIR)]
    cell, row, m = shown[..., 0] * len(train) + shown[..., 1], np.arange(len(trials)), len(train)
    first, second = np.triu_indices(m, 1)
    wanted = -human[np.ix_(train, train)][first, second]
    seen = np.isfinite(wanted)
    first, second, wanted = first[seen], second[seen], wanted[seen]
    wanted = (wanted - wanted.mean()) / wanted.std()
    here, start = points[train], np.eye(rank)

    def loss(flat: Float64[np.ndarray, " w"]) -> tuple[float, Float64[np.ndarray, " w"]]:
        weights = flat.reshape(rank, rank)
        mapped = here @ weights
        length = np.linalg.norm(mapped, axis=1, keepdims=True)
        unit = mapped / length
        alike = unit @ unit.T
        logits = alike.ravel()[cell] / 0.2
        chance = np.exp(logits - logits.max(axis=1, keepdims=True))
        chance /= chance.sum(axis=1, keepdims=True)
        value = -np.log(chance[row, trials.odd]).mean()
        chance[row, trials.odd] -= 1.0
        slope = np.bincount(cell.ravel(), chance.ravel() / (0.2 * len(trials)), m * m).reshape(m, m)
        away = alike[first, second] - alike[first, second].mean()
        spread, p = away.std(), len(away)
        rho = float(away @ wanted) / (p * spread)
        slope[first, second] -= (wanted - rho * away / spread) / (p * spread)
        turned = (slope + slope.T) @ unit
        turned = (turned - unit * (unit * turned).sum(axis=1, keepdims=True)) / length
        away_from_start = weights - start
        total = value - rho + ridge / 2 * float((away_from_start**2).sum())
        return total, (here.T @ turned + ridge * away_from_start).ravel()

    fitted = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 60})
    mapped = points[clips] @ fitted.x.reshape(rank, rank)
    mapped /= np.linalg.norm(mapped, axis=1, keepdims=True)
    return 1.0 - mapped @ mapped.T
