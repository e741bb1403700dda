"""What tuning an encoder on judgments would reach, in a world whose geometry is known: a map in closed form.

The simulated encoder sees most of what people go by, among much that they ignore. A linear map of its features is
learned from judgments among some clips, and tested on the others. It stands in for tuning: linear maps of frozen
encoders reach what LoRA reaches on the published data (``docs/limits.md``).
"""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from bgs._rng import generator
from bgs._typing import Bool, Float64, Int
from bgs.judgments import split_folds

#: Untuned agreement of captions with people on the published data, as a share of the noise ceiling.
UNTUNED_SHARE = 0.73
#: Dimensions of people's geometry that the encoder lacks: with one of eight missing, tuning ends where it does on the
#: published data (``docs/limits.md``).
MISSING = 1
_NUISANCE = 48
_RIDGES = (5.0, 20.0, 80.0)
_FOLDS, _FILLED, _BISECTIONS = 3, 3, 9
_FOR_STRENGTH = 120  # clips on which the strength of features is set

Matrix = Float64[np.ndarray, "n n"]
Clips = Int[np.ndarray, " _"]
Part = Float64[np.ndarray, "c c"]


def spearman(x: Float64[np.ndarray, " p"], y: Float64[np.ndarray, " p"]) -> float:
    """Correlation of ranks over the entries that both have; NaN for fewer than three, or a constant."""
    both = np.isfinite(x) & np.isfinite(y)
    if both.sum() < 3 or np.ptp(x[both]) == 0 or np.ptp(y[both]) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(x[both]), rankdata(y[both]))[0, 1])


def upper(rdm: Matrix, clips: Clips | None = None) -> Float64[np.ndarray, " p"]:
    """(p,) entries above the diagonal, of all clips or of some."""
    part = rdm if clips is None else rdm[np.ix_(clips, clips)]
    found: Float64[np.ndarray, " p"] = part[np.triu_indices(len(part), 1)]
    return found


def encoder_kernel(clips: Float64[np.ndarray, "n d"], truth: Matrix, held: Clips, seed: int) -> Matrix:
    """(n, n) inner products of centred features: all dimensions of the clips but :data:`MISSING`, and irrelevant ones.

    The strength of the relevant dimensions is set so that untuned cosine distances reach :data:`UNTUNED_SHARE` of the
    agreement with expected dissimilarities; ``held`` only scales the features, as when training.

    Args:
        clips: (n, d) clips in the space that people judge.
        truth: (n, n) expected dissimilarities.
        held: clips that are not learned from.
        seed: seed of the irrelevant dimensions, whose variances fall as 1 / k.
    """
    noise = generator(seed, "forecast", "nuisance").normal(size=(len(clips), _NUISANCE))
    spectrum = 1.0 / np.arange(1, _NUISANCE + 1)
    noise *= np.sqrt(spectrum / spectrum.sum())
    known = clips[:, : max(1, clips.shape[1] - MISSING)]
    some, low, high = np.arange(min(len(clips), _FOR_STRENGTH)), 0.0, 4.0
    for _ in range(_BISECTIONS):
        strength = (low + high) / 2
        kernel = _kernel(np.hstack([strength * known, noise]), held)
        reached = spearman(upper(cosine_distances(kernel), some), upper(truth, some))
        low, high = (strength, high) if reached < UNTUNED_SHARE else (low, strength)
    return kernel


def _kernel(features: Float64[np.ndarray, "n d"], held: Clips) -> Matrix:
    train = np.setdiff1d(np.arange(len(features)), held)
    centred = features - features[train].mean(axis=0)
    kernel: Matrix = centred @ centred.T / (centred[train] ** 2).sum(axis=1).mean()
    return kernel


def cosine_distances(kernel: Matrix) -> Matrix:
    """(n, n) cosine distances: the untuned encoder."""
    length = np.sqrt(np.diag(kernel))
    distances: Matrix = 1.0 - kernel / np.outer(length, length)
    return distances


def tuned_distances(kernel: Matrix, rdm: Matrix, train: Clips, held: Clips, seed: int) -> Part:
    """(m, m) dissimilarities of the held-out clips, learned from those among training clips.

    Args:
        kernel: (n, n) inner products of features.
        rdm: (n, n) human dissimilarities, NaN where unknown; only those among ``train`` are read.
        train, held: positions; at least nine for training.
        seed: seed of the folds of training clips that choose the ridge.
    """
    scores = np.zeros(len(_RIDGES))
    for fold in split_folds(len(train), _FOLDS, seed):
        left = train[fold]
        found = pair_maps(kernel, rdm, np.setdiff1d(train, left), left, _RIDGES)
        scores += np.nan_to_num([spearman(upper(one), upper(rdm, left)) for one in found])
    return pair_maps(kernel, rdm, train, held, _RIDGES[int(scores.argmax()) :][:1])[0]


def pair_maps(
    kernel: Matrix, rdm: Matrix, train: Clips, clips: Clips, ridges: tuple[float, ...]
) -> list[Part]:
    """Dissimilarities of ``clips`` for each ridge, learned from those among ``train``.

    Similarity is a + b · kernel + x′Mx, with features x and a constant: a and b by least squares, then M with the penalty
    ridge · ‖M‖², in the eigenvectors of the kernel. Unknown pairs are filled in with what the map says of them, repeatedly.
    """
    among, target = kernel[np.ix_(train, train)], -rdm[np.ix_(train, train)]
    observed = np.isfinite(target) & ~np.eye(len(train), dtype=bool)
    b, a = _line(among[observed], target[observed])
    rest = np.where(observed, target - a - b * among, 0.0)
    values, vectors = np.linalg.eigh(among + 1.0)
    products, new = np.outer(values, values), (kernel[np.ix_(clips, train)] + 1.0) @ vectors
    found = []
    for ridge in ridges:
        weights = _ridge(rest, observed, vectors, products, ridge)
        found.append(-(a + b * kernel[np.ix_(clips, clips)] + new @ weights @ new.T))
    return found


def _line(x: Float64[np.ndarray, " p"], y: Float64[np.ndarray, " p"]) -> tuple[float, float]:
    """Slope and intercept by least squares; no slope without variance."""
    if len(x) < 2 or np.ptp(x) == 0:
        return 0.0, float(y.mean()) if len(y) else 0.0
    slope = float(np.cov(x, y)[0, 1] / x.var(ddof=1))
    return slope, float(y.mean() - slope * x.mean())


def _ridge(
    rest: Matrix, observed: Bool[np.ndarray, "m m"], vectors: Matrix, products: Matrix, ridge: float
) -> Matrix:
    filled = rest
    for _ in range(_FILLED):
        fit = vectors @ (vectors.T @ filled @ vectors * products / (products + ridge)) @ vectors.T
        filled = np.where(observed, rest, fit)
    weights: Matrix = vectors.T @ filled @ vectors / (products + ridge)
    return weights
