"""A mean over trials taken chunk by chunk: the memory of a chunk, however many trials there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from bgs.objective.distances import KEPT_PAIR, pair_similarities

#: Most trials whose similarities and their gradient are held at once.
CHUNK = 2**18

#: (c, 3) similarities and (c,) odd slots -> mean loss of these trials.
TrialLoss = Callable[[Float[Tensor, "c 3"], Int[Tensor, " c"]], Tensor]


def mean_over_trials(
    similarity: Float[Tensor, "n n"], triplets: Int[Tensor, "t 3"], odd: Int[Tensor, " t"], loss: TrialLoss
) -> Float[Tensor, ""]:
    """``loss(pair_similarities(similarity, triplets), odd)``, for a loss that is a mean over trials.

    Beyond :data:`CHUNK` trials the gradient with respect to the similarities is summed up chunk by chunk as the loss is
    computed, so that only these (n, n) numbers are kept for the backward pass; there is no second derivative then.
    """
    if len(odd) <= CHUNK:
        return loss(pair_similarities(similarity, triplets), odd)
    mean: Tensor = _InChunks.apply(similarity, triplets, odd, loss)
    return mean


class _InChunks(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, similarity: Tensor, triplets: Tensor, odd: Tensor, loss: TrialLoss) -> Tensor:
        gradient, total = torch.zeros_like(similarity), similarity.new_zeros(())
        for part, chosen in zip(triplets.split(CHUNK), odd.split(CHUNK), strict=True):
            pairs = pair_similarities(similarity, part).requires_grad_()
            with torch.enable_grad():
                share = loss(pairs, chosen) * (len(chosen) / len(odd))
            (slope,) = torch.autograd.grad(share, pairs)
            for slot, (first, second) in enumerate(KEPT_PAIR):
                place = part[:, first] * len(similarity) + part[:, second]
                gradient.view(-1).index_add_(0, place, slope[:, slot])
            total += share.detach()
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> Any:
        (gradient,) = ctx.saved_tensors
        return upstream * gradient, None, None, None
