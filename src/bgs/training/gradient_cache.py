"""Exact gradients of a loss on all embeddings, with the memory of one micro-batch.

Gradient caching (Gao et al. 2021): embed everything without a graph, take the loss's gradient with respect
to the embeddings, then embed again, micro-batch by micro-batch, and back-propagate each slice of that gradient.
The last micro-batch is embedded with its graph at once, which takes no more memory than to do so later.
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
        keep_graphs: number of last micro-batches of this process that keep their graph and are not encoded again; at least one.
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
    numbers = [*own, *[own[-1]] * processes.padding(len(batches))]
    kept = max(0, len(numbers) - max(1, keep_graphs))
    parts: list[Tensor] = []
    for place, number in enumerate(numbers):
        with torch.set_grad_enabled(place >= kept):
            parts.append(encoded(number))
    vectors = torch.cat([part.detach() for part in parts[: len(own)]])
    embeddings = processes.gather(vectors, [len(batch) for batch in batches]).requires_grad_()
    result = loss(embeddings)
    result.total.backward()
    assert embeddings.grad is not None
    before = sum(len(batch) for batch in batches[: own.start])
    gradient = embeddings.grad[before : before + len(vectors)]
    slices = [*gradient.split([len(part) for part in parts[: len(own)]])]
    slices += [torch.zeros_like(part) for part in parts[len(own) :]]  # those only keep step
    for part, own_gradient in zip(parts[kept:], slices[kept:], strict=True):
        part.backward(own_gradient)
    for number, own_gradient in zip(numbers[:kept], slices[:kept], strict=True):
        encoded(number).backward(own_gradient)
    return LossParts(result.total.detach(), result.local.detach(), result.rsa.detach())
