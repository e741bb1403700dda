"""Influence functions of correlations over pairs: the effect of upweighting a pair, or one judgment of it."""

from __future__ import annotations

import numpy as np

from bgs._typing import Float64, Int
from bgs.evaluation.rsa import centred_mid_ranks, dense_ranks, standardised
from bgs.evaluation.showings import Showings


def rank_influence(x: Int[np.ndarray, " p"], y: Int[np.ndarray, " p"]) -> Float64[np.ndarray, " p"]:
    """(p,) influence of each pair on a Spearman correlation: the derivative by the pair's weight, times p.

    Additional weight adds to the sums of products of ranks and increases the ranks of all larger values.

    Args:
        x, y: (p,) dense ranks, see :func:`bgs.evaluation.rsa.dense_ranks`.

    Returns:
        Influences of mean 0; zeros if one side is constant.
    """
    once = np.ones(len(x))
    (of_x, square_x), (of_y, square_y) = centred_mid_ranks(x, once), centred_mid_ranks(y, once)
    if not (square_x > 0 and square_y > 0):
        return np.zeros(len(x))
    scale, halves = np.sqrt(square_x * square_y), 0.5 * (of_x @ of_y)
    of_product = of_x * of_y + _lifted(x, of_y) + _lifted(y, of_x)
    of_squares = [
        (r * r + 2 * _lifted(codes, r)) / s for codes, r, s in ((x, of_x, square_x), (y, of_y, square_y))
    ]
    influence: Float64[np.ndarray, " p"] = (of_product - halves * sum(of_squares)) * len(x) / scale
    return influence


def value_influence(x: Float64[np.ndarray, " p"], y: Float64[np.ndarray, " p"]) -> Float64[np.ndarray, " p"]:
    """(p,) influence of each pair on a Pearson correlation r: z_x z_y − r (z_x² + z_y²) / 2; zeros if a side is constant."""
    x, y = standardised(x), standardised(y)
    return x * y - 0.5 * np.mean(x * y) * (x * x + y * y) if x.any() and y.any() else np.zeros(len(x))


def showing_influence(
    showings: Showings,
    x: Float64[np.ndarray, " p"],
    of_pairs: Float64[np.ndarray, " p"],
) -> Float64[np.ndarray, " k"]:
    """(k,) influence of each showing of a pair on the correlation of ``x`` with the human RDM.

    A showing contributes its share of the pair's influence, and changes the pair's dissimilarity. The latter is computed
    as for Pearson's correlation, (z_x − r z_y) / SD(y), since ranks of discrete dissimilarities have no derivative.

    Args:
        showings: showings of the pairs; only those that make up the RDM are used.
        x: (p,) distances, or their mid-ranks.
        of_pairs: (p,) from :func:`rank_influence` or :func:`value_influence`.
    """
    rdm, shown, pair = showings.dissimilarity, showings.shown, showings.pair
    x, y, spread = standardised(x), standardised(rdm), float(rdm.std())
    slope = (x - np.mean(x * y) * y) / spread if spread > 0 else np.zeros(len(y))
    moved = of_pairs[pair] + slope[pair] * (showings.apart - rdm[pair])
    influence: Float64[np.ndarray, " k"] = moved * showings.own / shown[pair] / len(rdm)
    return influence


def correlation_influences(
    showings: Showings, distances: Float64[np.ndarray, " p"]
) -> Float64[np.ndarray, "2 k"]:
    """(2, k) influence of each showing on the Spearman and Pearson correlation of model distances with the human RDM."""
    ranks, human = dense_ranks(distances), showings.dissimilarity
    by_ranks = rank_influence(ranks, dense_ranks(human))
    mid = centred_mid_ranks(ranks, np.ones(len(ranks)))[0]
    return np.stack(
        [
            showing_influence(showings, mid, by_ranks),
            showing_influence(showings, distances, value_influence(distances, human)),
        ]
    )


def _lifted(codes: Int[np.ndarray, " p"], values: Float64[np.ndarray, " p"]) -> Float64[np.ndarray, " p"]:
    """(p,) sum of the values of all pairs that rank above each, plus half of those tied with it."""
    of_rank = np.bincount(codes, values)
    above = np.cumsum(of_rank[::-1])[::-1] - 0.5 * of_rank
    lifted: Float64[np.ndarray, " p"] = above[codes]
    return lifted
