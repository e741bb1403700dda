"""Low-rank adapters (Hu et al. 2021), through peft, on exactly specified layers."""

from __future__ import annotations

import re
from collections import defaultdict

import torch
from torch import nn

from bgs._errors import ConfigError
from bgs._optional import require
from bgs._rng import torch_seed
from bgs.backbones.backbone import Backbone
from bgs.backbones.head import ProjectionHead
from bgs.backbones.lora_settings import LoraSettings
from bgs.backbones.transform import Transform


def block_linears(module: nn.Module) -> list[str]:
    """Names of all linear layers inside numbered blocks (attention and MLP), not of embeddings or poolers."""
    return [
        name
        for name, layer in module.named_modules()
        if isinstance(layer, nn.Linear) and re.search(r"\.\d+\.", name)
    ]


def linear_pattern(names: list[str], layers: str) -> str:
    """A full-match pattern for the linear layers ``names``, restricted to ``all`` or the ``last:k`` blocks.

    A pattern that must match the full name, unlike peft's usual suffixes, cannot match an unused layer
    with the same suffix elsewhere in the model.

    Raises:
        ConfigError: no block has a linear layer, or there are fewer blocks than requested.
    """
    stems: dict[tuple[str, str], list[int]] = defaultdict(list)
    for name in names:
        before, number, after = re.split(r"\.(\d+)\.", name, maxsplit=1)
        stems[before, after].append(int(number))
    depth = max((max(numbers) for numbers in stems.values()), default=-1) + 1
    keep = depth if layers == "all" else int(layers.removeprefix("last:"))
    if not 0 < keep <= depth:
        raise ConfigError(
            "fewer blocks than requested",
            where="lora.layers",
            expected=f"all or last:1 to last:{depth}",
            got=layers,
        )
    by_blocks: dict[tuple[str, tuple[int, ...]], list[str]] = defaultdict(list)
    for (before, after), numbers in stems.items():
        by_blocks[before, tuple(n for n in sorted(numbers) if n >= depth - keep)].append(after)
    parts = [
        rf"{re.escape(before)}\.(?:{'|'.join(map(str, numbers))})\.(?:{'|'.join(map(re.escape, sorted(afters)))})"
        for (before, numbers), afters in by_blocks.items()
        if numbers
    ]
    return "|".join(parts)


def attach_lora(
    backbone: Backbone,
    settings: LoraSettings | None,
    head: ProjectionHead | Transform | None = None,
    seed: int = 0,
) -> None:
    """Freeze the backbone and add new adapters (and a head).

    A new adapter does not change the output: its second factor is zero. ``settings`` must be None for a backbone
    that is trained fully (a lookup table) or has a transform, which is trained alone, and only then.

    Raises:
        ConfigError: LoRA is requested for a backbone without layers, or not requested for one with layers, or nothing can
            be trained.
    """
    if isinstance(head, Transform):
        _attach_transform(backbone, settings, head)
        return
    if not any(True for _ in backbone.module.parameters()):
        raise ConfigError(
            "this model has nothing to train", where=backbone.spec.source,
            expected="a model with weights, or a transform",
        )  # fmt: skip
    if (settings is None) != backbone.trains_whole:
        expected = "lora: null" if backbone.trains_whole else "LoRA settings"
        raise ConfigError(f"cannot train {backbone.spec.source} this way", where="lora", expected=expected)
    backbone.head = head
    if settings is None:
        return
    peft = require("peft", "train")
    config = peft.LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=backbone.lora_pattern(settings.layers),
        bias="none",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(seed, "lora"))
        peft.inject_adapter_in_model(config, backbone.module)


def _attach_transform(backbone: Backbone, settings: LoraSettings | None, head: Transform) -> None:
    lookup = backbone.spec.family == "lookup"
    if settings is not None or lookup:
        raise ConfigError(
            f"cannot train a transform of {backbone.spec.source} this way", where="transform",
            expected="a model that reads stimuli" if lookup else "lora: null",
        )  # fmt: skip
    backbone.module.requires_grad_(False)
    backbone.trains_whole, backbone.head = False, head


def new_head(width: int, dim: int, dropout: float, seed: int) -> ProjectionHead:
    """A head with random weights determined by the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(seed, "head"))
        return ProjectionHead(width, dim, dropout)


def share_trainable(backbone: Backbone) -> tuple[int, int]:
    """Number of trained and of all parameters."""
    trained = sum(one.numel() for one in backbone.trainable().values() if one.requires_grad)
    return trained, sum(
        parameter.numel() for module in backbone.modules() for parameter in module.parameters()
    )
