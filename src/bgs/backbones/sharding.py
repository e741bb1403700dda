"""Frozen weights spread over the processes of a run, for encoders that one device cannot hold (FSDP2).

What is trained stays whole in every process, so gradients, checkpoints and adapters are those of a run without this.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import nn

from bgs._errors import ConfigError
from bgs.backbones.backbone import Backbone
from bgs.backbones.processes import current, keep_in_step

if TYPE_CHECKING:
    from accelerate.utils import FullyShardedDataParallelPlugin

_ASKED, _VERSION = "ACCELERATE_USE_FSDP", "FSDP_VERSION"


def is_sharded() -> bool:
    """Whether accelerate's configuration asks for FSDP, and there are processes to spread weights over."""
    return current().size > 1 and os.environ.get(_ASKED, "").lower() == "true"


def place(backbone: Backbone, device: str) -> None:
    """Move a model to a device; if :func:`is_sharded`, of the frozen weights of its blocks a part in each process.

    A block is whole while it computes. The encoder need not fit on a device, but in the memory of the machine.

    Args:
        backbone: with its adapters attached, on the processor.
        device: where it is to compute.

    Raises:
        ConfigError: another version of FSDP is asked for, all weights are trained, or there are no such blocks.
    """
    if is_sharded():
        _shard(backbone, device)
    backbone.to(device)


def _shard(backbone: Backbone, device: str) -> None:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    plugin = _settings()
    if backbone.trains_whole:
        raise ConfigError(
            "FSDP spreads frozen weights, and all of this model are trained", where=_ASKED, expected="lora"
        )
    blocks = [*_blocks(backbone.module, plugin.transformer_cls_names_to_wrap)]
    mesh = init_device_mesh(torch.device(device).type, (current().size,))
    trained = {*backbone.trainable().values()}
    for block in blocks:
        fully_shard(
            block, mesh=mesh, ignored_params=trained & {*block.parameters()}, reshard_after_forward=plugin.reshard_after_forward,
            offload_policy=plugin.cpu_offload,
        )  # fmt: skip
    keep_in_step()


def _settings() -> FullyShardedDataParallelPlugin:
    """Those of `accelerate config`, as accelerate reads them.

    Raises:
        ConfigError: they are of FSDP1, which cannot leave weights whole that are trained.
    """
    from accelerate.utils import FullyShardedDataParallelPlugin

    version = os.environ.get(_VERSION, "1")
    if version != "2":
        raise ConfigError("FSDP2 is needed", where=_VERSION, expected="2 (fsdp_version: 2)", got=version)
    return FullyShardedDataParallelPlugin()


def _blocks(module: nn.Module, names: list[str] | None) -> Iterator[nn.Module]:
    """The blocks that accelerate's configuration names, or those that the encoder says must stay together.

    Raises:
        ConfigError: there is none.
    """
    wanted = set(names or ())
    if not wanted:
        for part in module.modules():
            wanted |= set(getattr(part, "_no_split_modules", None) or ())
    found = [part for part in module.modules() if type(part).__name__ in wanted]
    inner = {id(below) for part in found for below in part.modules() if below is not part}
    blocks = [part for part in found if id(part) not in inner]
    if not blocks:
        raise ConfigError(
            "no blocks to spread", where="FSDP_TRANSFORMER_CLS_TO_WRAP", expected="names of this encoder's layers",
            got=", ".join(sorted(wanted)) or "nothing",
        )  # fmt: skip
    yield from blocks
