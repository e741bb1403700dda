"""Differentiable ranks in O(n log n): projection onto the permutahedron (Blondel et al., ICML 2020)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from bgs.objective.settings import SOFTNESS


def soft_rank(values: Float[Tensor, " n"], softness: float = SOFTNESS) -> Float[Tensor, " n"]:
    """Differentiable ranks 1..n of ``values`` (ascending).

    Values are standardised first, so the result is invariant to their scale and offset. As ``softness``
    approaches 0, the ranks approach the hard ranks; the larger it is, the more neighbouring ranks are averaged. Constant
    values all get the mean rank.

    Args:
        values: (n,) finite numbers, n ≥ 2.
        softness: > 0; two values exchange rank smoothly while they differ by less than softness·std/n.
    """
    spread = values.std().clamp_min(torch.finfo(values.dtype).tiny)
    standard = (values - values.mean()) / spread
    ranks: Tensor = _Projection.apply(standard * (len(values) / softness))
    return ranks


class _Projection(torch.autograd.Function):
    """Euclidean projection onto the convex hull of the permutations of (1, …, n)."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor) -> Tensor:
        from scipy.optimize import isotonic_regression

        order = torch.argsort(scores, descending=True, stable=True)
        n = len(scores)
        excess = scores[order].detach().double().cpu().numpy() - np.arange(n, 0, -1)
        fit = isotonic_regression(excess, increasing=False)
        sizes = np.diff(fit.blocks)
        block = np.repeat(np.arange(len(sizes)), sizes)
        ctx.order, ctx.block = order, torch.as_tensor(block, device=scores.device)
        ctx.sizes = torch.as_tensor(sizes, device=scores.device, dtype=scores.dtype)
        ranks = torch.empty_like(scores)
        # In the order of the scores, the projection is score − isotonic fit of (score − rank).
        ranks[order] = torch.as_tensor(
            excess + np.arange(n, 0, -1) - fit.x, dtype=scores.dtype, device=scores.device
        )
        return ranks

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        # The Jacobian of isotonic regression averages within blocks, so the Jacobian of the projection is I − averaging.
        ordered = gradient[ctx.order]
        sums = torch.zeros_like(ctx.sizes).index_add_(0, ctx.block, ordered)
        result = torch.empty_like(gradient)
        result[ctx.order] = ordered - (sums / ctx.sizes)[ctx.block]
        return result
