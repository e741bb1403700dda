"""Propagates weights on tokens backwards through attention, from the output of a block to its input."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

#: One number per token, in the shape of a family's tokens without channels.
Weights = Float[Tensor, "b ..."]


@runtime_checkable
class Mixing(Protocol):
    """One attention step, averaged over heads: maps weights on its output tokens to weights on its input tokens.

    It is the product of a row vector with a matrix whose rows sum to 1, so the sum of weights is preserved.
    """

    def __call__(self, weights: Weights) -> Weights: ...


@dataclass(frozen=True, eq=False)
class TokenMixing:
    """All tokens of a clip (or of a frame) attend to each other.

    Attributes:
        attention: (…, n, n), queries by keys, with the leading axes of the weights.
    """

    attention: Float[Tensor, "*b n n"]

    def __call__(self, weights: Weights) -> Weights:
        return torch.einsum("...n,...nm->...m", weights, self.attention)


@dataclass(frozen=True, eq=False)
class TemporalMixing:
    """Divided attention over time: each position attends to itself in all frames; the class token keeps its weight.

    Attributes:
        attention: (B, positions, T, T). Tokens are a class token, then positions, each with T frames.
    """

    attention: Float[Tensor, "b p t t"]

    def __call__(self, weights: Weights) -> Weights:
        patches = weights[:, 1:].unflatten(1, self.attention.shape[1:3])
        mixed = torch.einsum("bpt,bptu->bpu", patches, self.attention)
        return torch.cat([weights[:, :1], mixed.flatten(1)], dim=1)


@dataclass(frozen=True, eq=False)
class SpatialMixing:
    """Divided attention over space: the patches of a frame and a copy of the class token attend to each other.

    The copies are averaged over frames to one class token.

    Attributes:
        attention: (B, T, 1 + positions, 1 + positions). Tokens as in :class:`TemporalMixing`.
    """

    attention: Float[Tensor, "b t n n"]

    def __call__(self, weights: Weights) -> Weights:
        frames = self.attention.shape[1]
        patches = weights[:, 1:].unflatten(1, (-1, frames)).transpose(1, 2)
        copies = (weights[:, :1] / frames).expand(-1, frames)
        mixed = torch.einsum("btn,btnm->btm", torch.cat([copies[:, :, None], patches], dim=2), self.attention)
        patches = mixed[:, :, 1:].transpose(1, 2).flatten(1)
        return torch.cat([mixed[:, :, 0].sum(dim=1, keepdim=True), patches], dim=1)


@contextmanager
def eager(model: Any) -> Iterator[None]:
    """Temporarily switch a transformers model to eager attention, since fused attention does not return weights."""
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)


@contextmanager
def caught(attention: nn.Module, asked: bool = False) -> Iterator[list[Float[Tensor, "s n n"]]]:
    """Yield a list that collects the attention weights of a module, averaged over heads, each time it runs.

    Only the module that is running holds the weights of all heads in memory. ``asked``: the module returns weights only
    if its second argument requests them.
    """
    found: list[Tensor] = []

    def ask(module: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        return (arguments[0], True)

    def keep(module: nn.Module, arguments: Any, output: tuple[Tensor, Tensor]) -> None:
        found.append(output[1].mean(dim=1))

    hooks = [attention.register_forward_hook(keep)]
    if asked:
        hooks.append(attention.register_forward_pre_hook(ask))
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()
