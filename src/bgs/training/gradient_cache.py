"""Exact gradients of a loss on all embeddings, with the memory of one micro-batch.

Gradient caching (Gao et al. 2021): embed everything without a graph, take the loss's gradient with respect
to the embeddings, then embed again, micro-batch by micro-batch, and back-propagate each slice of that gradient.
Every micro-batch has random numbers of its own, so dropout masks are the same in both passes, in whichever process it is encoded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from bgs._rng import torch_seed
from bgs.backbones.processes import Processes
from bgs.objective import LossParts

Batch = TypeVar("Batch", bound=Any)


def cached_backward(
    encode: Callable[[Batch], Float[Tensor, "b d"]],
    batches: Sequence[Batch],
    loss: Callable[[Float[Tensor, "n d"]], LossParts],
    keep_graphs: int = 0,
    seed: int = 0,
    processes: Processes | None = None,
) -> LossParts:
    """Add the gradient of ``loss(encode(all batches))`` to every parameter, as plain back-propagation would.

    Among several processes, each encodes its share of the batches and adds the gradients that flow through these: their sum
    (:meth:`~bgs.backbones.processes.Processes.summed_gradients`) is the gradient.

    Args:
        encode: micro-batch -> (b, d) embeddings; may use torch's random numbers (dropout).
        batches: micro-batches, the same in all processes; the loss sees their embeddings concatenated in this order.
        loss: (n, d) embeddings -> loss parts.
        keep_graphs: number of last micro-batches of this process that keep their graph and are not encoded again.
        seed: seed of torch's random numbers in each micro-batch, with its number.
        processes: those that share the work; None is this one alone.

    Returns:
        The loss parts, detached from any graph.
    """
    processes = processes or Processes()

    def encoded(number: int) -> Tensor:
        torch.manual_seed(torch_seed(seed, "micro-batch", number))
        return encode(batches[number])

    own = processes.own(len(batches))
    cut = max(own.start, own.stop - keep_graphs)
    parts: list[Tensor] = []
    for number in own:
        with torch.set_grad_enabled(number >= cut):
            parts.append(encoded(number))
    vectors = torch.cat([part.detach() for part in parts])
    embeddings = processes.gather(vectors, [len(batch) for batch in batches]).requires_grad_()
    result = loss(embeddings)
    result.total.backward()
    assert embeddings.grad is not None
    before = sum(len(batch) for batch in batches[: own.start])
    slices = embeddings.grad[before : before + len(vectors)].split([len(part) for part in parts])
    kept = cut - own.start
    for part, gradient in zip(parts[kept:], slices[kept:], strict=True):
        part.backward(gradient)
    for number, gradient in zip(own[:kept], slices[:kept], strict=True):
        encoded(number).backward(gradient)
    return LossParts(result.total.detach(), result.local.detach(), result.rsa.detach())
