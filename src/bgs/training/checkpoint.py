"""A checkpoint is one safetensors file: trained parameters, the best so far, AdamW's moments, the loop's state."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bgs._errors import DataError
from bgs._files import atomic_path
from bgs.backbones import Backbone
from bgs.backbones.adapter import load_trainable

_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


@dataclass
class LoopState:
    """Where the loop stands between two epochs. Random numbers need no state: they follow from seed and epoch.

    Attributes:
        epoch: the next epoch to do.
        best_epoch: epoch after which validation was best, or None before the first validation.
        best_value: that validation RSA.
        stale: validations since the best one.
        rate_factors: what the plateau schedule had come down to in each epoch that was done.
        rate_factor: the same for the next one.
        rate_best: the validation RSA that the plateau schedule has to see surpassed.
        rate_stale: validations since then, or since the rate last fell.
        stopped: early stopping has ended the training.
    """

    epoch: int = 0
    best_epoch: int | None = None
    best_value: float | None = None
    stale: int = 0
    rate_factors: list[float] = field(default_factory=list)
    rate_factor: float = 1.0
    rate_best: float | None = None
    rate_stale: int = 0
    stopped: bool = False
    best: dict[str, Tensor] = field(default_factory=dict)


def snapshot(backbone: Backbone) -> dict[str, Tensor]:
    """A copy of the trained parameters."""
    return {name: parameter.detach().cpu().clone() for name, parameter in backbone.trainable().items()}


def save_checkpoint(
    path: Path, backbone: Backbone, optimizer: torch.optim.Optimizer, state: LoopState
) -> None:
    """Write everything needed to go on, atomically."""
    from safetensors.torch import save_file

    tensors = {f"now/{name}": tensor for name, tensor in snapshot(backbone).items()}
    tensors |= {f"best/{name}": tensor for name, tensor in state.best.items()}
    for name, parameter in backbone.trainable().items():
        moments = optimizer.state.get(parameter, {})
        tensors |= {
            f"{key}/{name}": moments[key].detach().cpu().contiguous() for key in _MOMENTS if key in moments
        }
    plain: dict[str, Any] = {key: value for key, value in asdict(state).items() if key != "best"}
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata={"state": json.dumps(plain)})


def load_checkpoint(path: Path, backbone: Backbone, optimizer: torch.optim.Optimizer) -> LoopState:
    """Put a checkpoint back; strict about names and shapes.

    Raises:
        DataError: the file is damaged or belongs to another model.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            state = LoopState(**json.loads(file.metadata()["state"]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except SafetensorError as error:
        raise DataError(
            f"damaged checkpoint: {error}", where=path, hint="start again in a new folder"
        ) from error
    load_trainable(backbone, _under("now", tensors), where=path)
    state.best = _under("best", tensors)
    moments = {key: _under(key, tensors) for key in _MOMENTS}
    for name, parameter in backbone.trainable().items():
        if name in moments["step"]:
            optimizer.state[parameter] = {
                key: moments[key][name].to(parameter.device if key != "step" else "cpu") for key in _MOMENTS
            }
    return state


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.partition("/")[2]: tensor for name, tensor in tensors.items() if name.startswith(f"{prefix}/")
    }
