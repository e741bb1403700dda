"""Checkpoints in one safetensors file: trained parameters, best parameters, AdamW's moments, state of the loop."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError
from torch import Tensor

from bgs._errors import DataError
from bgs._files import damage_as_error, sha256_of, write_tensors
from bgs.backbones import Backbone
from bgs.backbones.adapter import load_trainable
from bgs.training.training_log import AGAIN

_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


@dataclass
class _Progress:
    """State of the loop between two epochs. Random generators need no state: they are derived from seed and epoch.

    Attributes:
        epoch: the next epoch.
        best_epoch: epoch with the best validation, or None before the first validation.
        best_value: that validation RSA.
        stale: validations since the best one.
        rate_factors: factor of the plateau schedule in each finished epoch.
        rate_factor: factor in the next epoch.
        rate_best: the best validation RSA according to the plateau schedule.
        rate_stale: validations since then, or since the last reduction of the rate.
        stopped: whether early stopping has ended the training.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    epoch: int = 0
    best_epoch: int | None = None
    best_value: float | None = None
    stale: int = 0
    rate_factors: list[float] = field(default_factory=list)
    rate_factor: float = 1.0
    rate_best: float | None = None
    rate_stale: int = 0
    stopped: bool = False


@dataclass
class LoopState(_Progress):
    """State of the loop, with the best parameters so far."""

    best: dict[str, Tensor] = field(default_factory=dict)


def snapshot(backbone: Backbone) -> dict[str, Tensor]:
    """A copy of the trained parameters."""
    return {name: parameter.detach().cpu().clone() for name, parameter in backbone.trainable().items()}


def save_checkpoint(
    path: Path, backbone: Backbone, optimizer: torch.optim.Optimizer, state: LoopState
) -> None:
    """Write everything needed to resume, atomically."""
    tensors = {f"now/{name}": tensor for name, tensor in snapshot(backbone).items()}
    tensors |= {f"best/{name}": tensor for name, tensor in state.best.items()}
    for name, parameter in backbone.trainable().items():
        moments = optimizer.state.get(parameter, {})
        tensors |= {
            f"{key}/{name}": moments[key].detach().cpu().contiguous() for key in _MOMENTS if key in moments
        }
    plain: dict[str, Any] = {key: value for key, value in asdict(state).items() if key != "best"}
    write_tensors(path, tensors, {"state": json.dumps(plain | {"sha256": _hash(tensors)})})


def load_checkpoint(path: Path, backbone: Backbone, optimizer: torch.optim.Optimizer) -> LoopState:
    """Restore a checkpoint; names and shapes must match exactly.

    Raises:
        DataError: the file is damaged (files of older versions have no hash and are not checked) or belongs to another model.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file, damage_as_error(path, AGAIN):
            plain = json.loads(file.metadata()["state"])
            known = plain.pop("sha256", None)
            state = LoopState(**asdict(_progress(plain)))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except SafetensorError as error:
        raise DataError(f"damaged checkpoint: {error}", where=path, hint=AGAIN) from error
    if known is not None and known != _hash(tensors):
        raise DataError("damaged checkpoint: the values do not match their hash", where=path, hint=AGAIN)
    load_trainable(backbone, _under("now", tensors), where=path)
    state.best = _under("best", tensors)
    moments = {key: _under(key, tensors) for key in _MOMENTS}
    for name, parameter in backbone.trainable().items():
        if name in moments["step"]:
            optimizer.state[parameter] = {
                key: moments[key][name].to(parameter.device if key != "step" else "cpu") for key in _MOMENTS
            }
    return state


def _progress(plain: dict[str, Any]) -> _Progress:
    try:
        return TypeAdapter(_Progress).validate_json(json.dumps(plain), strict=True)
    except ValidationError as error:
        fault = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None


def _hash(tensors: dict[str, Tensor]) -> str:
    """SHA-256 of names and values."""
    parts = (
        (name, tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
        for name, tensor in sorted(tensors.items())
    )
    return sha256_of(*(part for pair in parts for part in pair))


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.partition("/")[2]: tensor for name, tensor in tensors.items() if name.startswith(f"{prefix}/")
    }
