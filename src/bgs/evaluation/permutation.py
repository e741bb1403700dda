"""Permutation tests of an RSA, and of the unique contribution of a model RDM."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bgs._rdm import require_rdm
from bgs._rng import generator
from bgs._typing import Float, Float64, Int
from bgs.evaluation.rdm import pair_vector
from bgs.evaluation.rsa import centred_mid_ranks, dense_ranks, dot, mid_ranks, standardised

#: Correlations that differ by less are treated as equal.
_EQUAL = 1e-12

#: Powers of the other models' distances that are regressed out before the residual is permuted.
_POWERS = (1, 2, 3)

#: Singular values below this fraction of the largest are rounding error.
_SPAN = 1e-9


def permutation_p_value(
    model_rdm: Float[np.ndarray, "n n"], human_rdm: Float[np.ndarray, "n n"], *, permutations: int, seed: int
) -> float:
    """One-sided p-value of a Spearman RSA: is the correlation larger than with permuted stimulus labels?

    Stimuli, not pairs, are permuted, since pairs that share a stimulus are dependent (Mantel 1967, Cancer Research
    27:209). p = (1 + #{permuted ≥ observed}) / (1 + permutations), never 0 (Phipson & Smyth 2010).

    Args:
        model_rdm: (n, n) model distances.
        human_rdm: (n, n) human dissimilarities of the same stimuli, NaN where unseen.
        permutations: number of permutations.
        seed: seed of the permutations.

    Returns:
        1/(1 + permutations) to 1; NaN if the correlation is undefined or there are no permutations.
    """
    for name, rdm in (("model_rdm", model_rdm), ("human_rdm", human_rdm)):
        require_rdm(rdm, name)
    n, human = len(model_rdm), pair_vector(human_rdm)
    seen = ~np.isnan(human)
    first, second = (side[seen] for side in np.triu_indices(n, 1))
    # Ranks over all pairs preserve the order within any subset, so one ranking suffices for all permutations.
    ranks, once = dense_ranks(model_rdm.ravel()), np.ones(len(first))
    of_human, square = centred_mid_ranks(dense_ranks(human[seen]), once)

    def correlation(label: Int[np.ndarray, " n"]) -> float:
        codes = ranks.take(n * label.take(first) + label.take(second))
        of_model, model_square = centred_mid_ranks(codes, once)
        defined = square > 0 and model_square > 0
        return dot(of_human, of_model) / float(np.sqrt(square * model_square)) if defined else float("nan")

    rng, observed = generator(seed, "permutation"), correlation(np.arange(n))
    if np.isnan(observed) or permutations < 1:
        return float("nan")
    least = min(observed, 1.0) - _EQUAL
    count = sum(correlation(rng.permutation(n)) >= least for _ in range(permutations))
    return (1 + count) / (1 + permutations)


def unique_p_value(
    human_rdm: Float[np.ndarray, "n n"],
    model_rdm: Float[np.ndarray, "n n"],
    others: Sequence[Float[np.ndarray, "n n"]],
    *,
    ranks: bool = True,
    permutations: int,
    seed: int,
) -> float:
    """One-sided p-value of a unique part: do a model's distances correlate *positively* with people's beyond the other models?

    Permuting the model itself would also break its relation to the other models and so test a different null. Instead, the
    *residual* of the model on the others is permuted, by stimulus, while the others and the human RDM are
    unchanged: double semi-partialling (Dekker, Krackhardt & Snijders 2007, Psychometrika 72:563).
    The others are regressed out with their squares and cubes: a noisy copy of a model and the human RDM often share a
        nonlinear relation to its
    distances, which is not unique information of the copy. Of noisy copies, 5–6 % have p ≤ .05; with clustered
    clips, 7–12 %; of random linear maps of a base whose dimensions people weight differently, 19 %: whether tuning did better
    than those is tested by :func:`bgs.evaluation.random_change.random_change_p_value`.
    The statistic is the signed partial slope divided by its standard error for dependent dyads (Aronow, Samii & Assenova
    2015, Political Analysis 23:564, bounded below by that of independent pairs): residuals of two RDMs on a third are
    large at the same pairs even if they are unrelated, and a plain partial R² then rejects about twice too often.

    Args:
        human_rdm: (n, n) human dissimilarities, NaN where unseen.
        model_rdm: (n, n) distances of the tested model, all known.
        others: (n, n) distances of the other models, all known.
        ranks: whether to regress mid-ranks instead of values.
        permutations: number of permutations.
        seed: seed of the permutations.

    Returns:
        1/(1 + permutations) to 1, near 1 if the model correlates negatively with people; NaN if the others explain the
        model or the human RDM completely.
    """
    for name, rdm in (
        ("human_rdm", human_rdm),
        ("model_rdm", model_rdm),
        *(("others", rdm) for rdm in others),
    ):
        require_rdm(rdm, name)
    n, prepare = len(human_rdm), mid_ranks if ranks else np.asarray
    first, second = np.triu_indices(n, 1)
    human = pair_vector(human_rdm)
    seen = ~np.isnan(human)
    bent = [standardised(prepare(pair_vector(rdm))) ** power for rdm in others for power in _POWERS]
    known = np.stack([np.ones(len(seen)), *bent], axis=1)
    model = standardised(prepare(pair_vector(model_rdm)))
    residual = np.zeros((n, n))
    residual[first, second] = model - _projection(known) @ (_projection(known).T @ model)
    residual += residual.T
    first, second, basis = first[seen], second[seen], _projection(known[seen])
    left = standardised(prepare(human[seen]))
    left = left - basis @ (basis.T @ left)
    if min(residual.std(), left.std()) < _SPAN:  # both had unit variance
        return float("nan")

    def statistic(label: Int[np.ndarray, " n"]) -> float:
        shuffled = residual[label[first], label[second]]
        return _studentised(shuffled - basis @ (basis.T @ shuffled), left, first, second, n)

    rng, observed = generator(seed, "permutation", "unique"), statistic(np.arange(n))
    if np.isnan(observed) or permutations < 1:
        return float("nan")
    least = observed - _EQUAL * abs(observed)
    count = sum(statistic(rng.permutation(n)) >= least for _ in range(permutations))
    return (1 + count) / (1 + permutations)


def _studentised(
    x: Float64[np.ndarray, " p"],
    y: Float64[np.ndarray, " p"],
    first: Int[np.ndarray, " p"],
    second: Int[np.ndarray, " p"],
    n: int,
) -> float:
    """Covariance of two residuals divided by its standard error, if pairs that share a stimulus are dependent."""
    product, square = x @ y, x @ x
    if square <= 0:
        return float("nan")
    influence = x * (y - product / square * x)
    of_stimulus = np.bincount(first, influence, n) + np.bincount(second, influence, n)
    alone = influence @ influence
    variance = max(of_stimulus @ of_stimulus - alone, alone)
    return float(product / np.sqrt(variance)) if variance > 0 else float(np.copysign(np.inf, product))


def _projection(columns: Float64[np.ndarray, "p c"]) -> Float64[np.ndarray, "p b"]:
    """An orthonormal basis of the column space."""
    basis, strength, _ = np.linalg.svd(columns, full_matrices=False)
    span: Float64[np.ndarray, "p b"] = basis[:, strength > _SPAN * strength[0]]
    return span
