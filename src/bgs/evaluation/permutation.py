"""Permutation test of an RSA."""

from __future__ import annotations

import numpy as np

from bgs._rng import generator
from bgs._typing import Float
from bgs.evaluation.rdm import pair_vector
from bgs.evaluation.rsa import dense_ranks, weighted_spearman

#: Correlations this close are equal but for rounding.
_EQUAL = 1e-12


def permutation_p_value(
    model_rdm: Float[np.ndarray, "n n"], human_rdm: Float[np.ndarray, "n n"], *, permutations: int, seed: int
) -> float:
    """One-sided p-value of a Spearman RSA: is the correlation larger than with stimulus labels shuffled?

    Stimuli, not pairs, are permuted, since the pairs of one stimulus hang together (Mantel 1967, Cancer Research
    27:209). p = (1 + #{shuffled ≥ observed}) / (1 + permutations), never 0 (Phipson & Smyth 2010).

    Args:
        model_rdm: (n, n) model distances.
        human_rdm: (n, n) human dissimilarities of the same stimuli, NaN where unseen.
        permutations: how many shuffles.
        seed: the shuffles depend on nothing else.

    Returns:
        1/(1 + permutations) to 1; NaN where the correlation is undefined or there are no permutations.
    """
    first, second = np.triu_indices(len(model_rdm), 1)
    human = pair_vector(human_rdm)
    seen = ~np.isnan(human)
    first, second, human = first[seen], second[seen], dense_ranks(human[seen])
    # Ranks over all pairs keep the order among any subset of them, so one ranking serves every shuffle.
    ranks = dense_ranks(model_rdm.ravel()).reshape(model_rdm.shape)
    once, rng = np.ones(len(human)), generator(seed, "permutation")
    observed = weighted_spearman(ranks[first, second][None], human, once)[0]
    if np.isnan(observed) or permutations < 1:
        return float("nan")
    count = 0
    for _ in range(permutations):
        label = rng.permutation(len(model_rdm))
        count += bool(
            weighted_spearman(ranks[label[first], label[second]][None], human, once)[0] >= observed - _EQUAL
        )
    return (1 + count) / (1 + permutations)
