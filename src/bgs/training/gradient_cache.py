"""Exact gradients of a loss on all embeddings, with the memory of one micro-batch.

Gradient caching (Gao et al. 2021): embed everything without a graph, take the loss's gradient with respect
to the embeddings, then embed again, micro-batch by micro-batch, and back-propagate each slice of that gradient.
The second pass repeats the random numbers of the first, so dropout masks are the same in both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from bgs.objective import LossParts

Batch = TypeVar("Batch")


class _RandomState:
    """State of torch's generators (CPU, and CUDA if used)."""

    def __init__(self) -> None:
        self._cpu = torch.get_rng_state()
        self._cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []

    def restore(self) -> None:
        torch.set_rng_state(self._cpu)
        if self._cuda:
            torch.cuda.set_rng_state_all(self._cuda)


def cached_backward(
    encode: Callable[[Batch], Float[Tensor, "b d"]],
    batches: Sequence[Batch],
    loss: Callable[[Float[Tensor, "n d"]], LossParts],
    keep_graphs: int = 0,
) -> LossParts:
    """Add the gradient of ``loss(encode(all batches))`` to every parameter, as plain back-propagation would.

    Args:
        encode: micro-batch -> (b, d) embeddings; may use random numbers (dropout).
        batches: micro-batches; the loss sees their embeddings concatenated in this order.
        loss: (n, d) embeddings -> loss parts.
        keep_graphs: number of last micro-batches that keep their graph and are not encoded again.

    Returns:
        The loss parts, detached from any graph.
    """
    cut = max(0, len(batches) - keep_graphs)
    states: list[_RandomState] = []
    parts: list[Tensor] = []
    for number, batch in enumerate(batches):
        if number < cut:
            states.append(_RandomState())
        with torch.set_grad_enabled(number >= cut):
            parts.append(encode(batch))
    embeddings = torch.cat([part.detach() for part in parts]).requires_grad_()
    result = loss(embeddings)
    result.total.backward()
    assert embeddings.grad is not None
    slices = embeddings.grad.split([len(part) for part in parts])
    for part, gradient in zip(parts[cut:], slices[cut:], strict=True):
        part.backward(gradient)
    _replay(encode, batches[:cut], states, slices[:cut])
    return LossParts(result.total.detach(), result.local.detach(), result.rsa.detach())


def _replay(
    encode: Callable[[Batch], Tensor],
    batches: Sequence[Batch],
    states: Sequence[_RandomState],
    gradients: Sequence[Tensor],
) -> None:
    after = _RandomState()
    for batch, state, gradient in zip(batches, states, gradients, strict=True):
        state.restore()
        encode(batch).backward(gradient)
    after.restore()
