"""Global supervision: correlation between model distances and target dissimilarities."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from bgs.objective.settings import SOFTNESS
from bgs.objective.soft_ranks import soft_rank


def weighted_correlation(
    x: Float[Tensor, " p"], y: Float[Tensor, " p"], weights: Float[Tensor, " p"]
) -> Float[Tensor, ""]:
    """Weighted Pearson correlation, −1 to 1; 0, with gradient 0, if either side is constant."""
    share = weights / weights.sum()
    x, y = x - (share * x).sum(), y - (share * y).sum()
    power = (share * x * x).sum() * (share * y * y).sum()
    if power <= torch.finfo(power.dtype).tiny:
        return (x * 0).sum()
    return (share * x * y).sum() / power.sqrt()


def mid_ranks(values: Float[Tensor, " p"]) -> Float[Tensor, " p"]:
    """Ranks 1..p; ties get their mean rank (as in scipy's rankdata)."""
    _, level, counts = torch.unique(values, return_inverse=True, return_counts=True)
    last = counts.cumsum(0)
    mean_rank = last - (counts - 1) / 2
    ranks: Tensor = mean_rank[level].to(values.dtype)
    return ranks


def rsa_correlation(
    distances: Float[Tensor, " p"],
    dissimilarity: Float[Tensor, " p"],
    weights: Float[Tensor, " p"],
    kind: Literal["pearson", "spearman"] = "pearson",
    softness: float = SOFTNESS,
) -> Float[Tensor, ""]:
    """Correlation between model distances and target dissimilarities over p observed pairs, −1 to 1.

    Args:
        distances: (p,) model distances.
        dissimilarity: (p,) target dissimilarities.
        weights: (p,) weight of each pair: its number of observations, or ones.
        kind: ``pearson``, or ``spearman`` with soft ranks for the model and mid-ranks for the target.
        softness: softness of the ranks.
    """
    if kind == "spearman":
        distances, dissimilarity = soft_rank(distances, softness), mid_ranks(dissimilarity)
    return weighted_correlation(distances, dissimilarity, weights)
