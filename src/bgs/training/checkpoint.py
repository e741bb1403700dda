"""Checkpoints in one safetensors file: trained parameters, best parameters, AdamW's moments, state of the loop."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
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
from bgs.training.training_log import AGAIN, TrainingLog

#: Of the format. 1, before there were checkpoints within an epoch, has no number; it is still read.
VERSION = 2
_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


@dataclass
class _Progress:
    """State of the loop between two updates. Random generators need no state: they are derived from seed, epoch and update.

    Attributes:
        epoch: the next epoch, or the one that is under way.
        update: its next update; where all are done, its validation is next.
        totals: sum of each loss part over those of its updates in which it was computed.
        counts: number of these updates.
        best_epoch: epoch with the best validation, or None before the first validation.
        best_value: that validation RSA.
        stale: validations since the best one.
        rate_factors: factor of the plateau schedule in each epoch that was begun.
        rate_factor: factor in the next epoch.
        rate_best: the best validation RSA according to the plateau schedule.
        rate_stale: validations since then, or since the last reduction of the rate.
        stopped: whether early stopping has ended the training.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    epoch: int = 0
    update: int = 0
    totals: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    best_epoch: int | None = None
    best_value: float | None = None
    stale: int = 0
    rate_factors: list[float] = field(default_factory=list)
    rate_factor: float = 1.0
    rate_best: float | None = None
    rate_stale: int = 0
    stopped: bool = False

    def add(self, parts: Mapping[str, float]) -> None:
        """Count an update that is done; a part that is NaN was not computed in it."""
        for name, value in parts.items():
            computed = not math.isnan(value)
            self.totals[name] = self.totals.get(name, 0.0) + (value if computed else 0.0)
            self.counts[name] = self.counts.get(name, 0) + computed
        self.update += 1

    def means(self) -> dict[str, float | None]:
        """Mean of each loss part over the updates of this epoch in which it was computed."""
        return {name: total / n if (n := self.counts[name]) else None for name, total in self.totals.items()}

    def end_epoch(self) -> None:
        """Turn to the next epoch."""
        self.epoch, self.update, self.totals, self.counts = self.epoch + 1, 0, {}, {}

    def place(self) -> str:
        """The last thing done: ``epoch 3``, or ``epoch 4, update 17``."""
        return f"epoch {self.epoch}, update {self.update - 1}" if self.update else f"epoch {self.epoch - 1}"


@dataclass
class LoopState(_Progress):
    """State of the loop, with the best parameters so far."""

    best: dict[str, Tensor] = field(default_factory=dict)


def snapshot(backbone: Backbone) -> dict[str, Tensor]:
    """A copy of the trained parameters."""
    return {name: parameter.detach().cpu().clone() for name, parameter in backbone.trainable().items()}


def save_checkpoint(
    log: TrainingLog, backbone: Backbone, optimizer: torch.optim.Optimizer, state: LoopState, run: str, keep: int = 1,
) -> None:  # fmt: skip
    """Write everything needed to resume, atomically, and keep ``keep`` checkpoints with this one; ``run`` tells runs apart."""
    tensors = {f"now/{name}": tensor for name, tensor in snapshot(backbone).items()}
    tensors |= {f"best/{name}": tensor for name, tensor in state.best.items()}
    for name, parameter in backbone.trainable().items():
        moments = optimizer.state.get(parameter, {})
        tensors |= {
            f"{key}/{name}": moments[key].detach().cpu().contiguous() for key in _MOMENTS if key in moments
        }
    plain = _plain(state)
    # One entry, since safetensors writes several in any order.
    text = json.dumps({"version": VERSION, "run": run, **plain, "sha256": _hash(tensors, plain)})
    write_tensors(log.checkpoint, tensors, {"state": text}, lambda: log.age_checkpoints(keep))


def load_checkpoint(
    path: Path,
    backbone: Backbone,
    optimizer: torch.optim.Optimizer,
    run: str,
    hint: str = AGAIN,
) -> LoopState:
    """Restore a checkpoint; names and shapes must match exactly.

    Raises:
        DataError: the file is damaged (``hint`` is the next step), of another version, or belongs to another model or run.
    """
    state, tensors, of = _read(path, hint)
    if of not in (None, run):
        raise DataError(
            "the checkpoint of another run",
            where=path,
            expected="one with the settings of this run",
            hint=AGAIN,
        )
    load_trainable(backbone, _under("now", tensors), where=path)
    state.best = _under("best", tensors)
    moments = {key: _under(key, tensors) for key in _MOMENTS}
    for name, parameter in backbone.trainable().items():
        if name in moments["step"]:
            optimizer.state[parameter] = {
                key: moments[key][name].to(parameter.device if key != "step" else "cpu") for key in _MOMENTS
            }
    return state


def _read(path: Path, hint: str) -> tuple[LoopState, dict[str, Tensor], str | None]:
    """State, tensors, and the run that they belong to, which files of earlier versions do not tell."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise DataError("a checkpoint that is no file", where=path, hint=hint)
    try:
        with safe_open(path, framework="pt") as file, damage_as_error(path, hint):
            plain = json.loads(file.metadata()["state"])
            version, known, run = plain.pop("version", 1), plain.pop("sha256", None), plain.pop("run", None)
            _require_version(version, path)
            state = LoopState(**asdict(_progress(plain)))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except SafetensorError as error:
        raise DataError(f"damaged checkpoint: {error}", where=path, hint=hint) from error
    # of version 1, the first files had no hash
    right = known in (None, _hash(tensors)) if version == 1 else known == _hash(tensors, plain)
    if not right:
        raise DataError("damaged checkpoint: the values do not match their hash", where=path, hint=hint)
    return state, tensors, run


def _require_version(found: object, path: Path) -> None:
    if found not in (1, VERSION):
        raise DataError(
            "a checkpoint of another version", where=path, expected=f"{VERSION}, or 1", got=found,
            hint="go on with the version of bgs that wrote it, or start again in a new folder",
        )  # fmt: skip


def _plain(state: LoopState) -> dict[str, Any]:
    return {key: value for key, value in asdict(state).items() if key != "best"}


def _progress(plain: dict[str, Any]) -> _Progress:
    try:
        return TypeAdapter(_Progress).validate_json(json.dumps(plain), strict=True)
    except ValidationError as error:
        fault = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None


def _hash(tensors: dict[str, Tensor], plain: dict[str, Any] | None = None) -> str:
    """SHA-256 of names and values, and of the state of the loop where it is given."""
    parts = (
        (name, tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
        for name, tensor in sorted(tensors.items())
    )
    state = () if plain is None else (json.dumps(plain, sort_keys=True),)
    return sha256_of(*(part for pair in parts for part in pair), *state)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.partition("/")[2]: tensor for name, tensor in tensors.items() if name.startswith(f"{prefix}/")
    }
