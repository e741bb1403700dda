"""The training loop: epochs of updates, validation, selection, early stopping, checkpoints."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import NoReturn, Protocol, runtime_checkable

import numpy as np
import torch

from bgs._errors import BgsError
from bgs._typing import Float, Int
from bgs.backbones import Backbone, Inputs, embed
from bgs.backbones.adapter import load_trainable
from bgs.objective import LossParts
from bgs.training.checkpoint import LoopState, load_checkpoint, save_checkpoint, snapshot
from bgs.training.config import TrainingConfig
from bgs.training.settings import OptimizerSettings
from bgs.training.training_log import TrainingLog


@runtime_checkable
class GradientMethod(Protocol):
    """Computes the gradients of an epoch: :class:`FullGeometry` or :class:`PerTrial`."""

    @property
    def updates_per_epoch(self) -> int: ...

    def accumulate(self, epoch: int, update: int) -> LossParts:
        """Add the gradient of one update to the parameters."""
        ...


@dataclass(frozen=True)
class EpochRecord:
    """One line of ``metrics.jsonl``: mean loss parts of an epoch; None for values not measured."""

    epoch: int
    loss: float | None
    local: float | None
    rsa: float | None
    learning_rate: float
    validation_rsa: float | None = None


@dataclass(frozen=True)
class Validation:
    """Validation during training, on stimuli not used for gradients.

    Attributes:
        positions: (m,) positions in the inputs of the validation stimuli.
        measure: (m, d) embeddings -> validation RSA; larger is better.
    """

    positions: Int[np.ndarray, " m"]
    measure: Callable[[Float[np.ndarray, "m d"]], float]


@dataclass
class Trainer:
    """Trains a backbone, epoch by epoch; a resumed run gives the same numbers as an uninterrupted one.

    Attributes:
        config: configuration of the run.
        backbone: backbone with adapters attached.
        inputs: units of training and validation stimuli; test stimuli are not among them.
        method: computes the gradients.
        validation: None keeps the last epoch.
        log: writes metrics and checkpoints; None keeps neither.
        replay: plateau factors of the epochs of another run, to repeat these with the same learning rates and
            then stop; empty for an ordinary run.
    """

    config: TrainingConfig
    backbone: Backbone
    inputs: Inputs
    method: GradientMethod
    validation: Validation | None
    log: TrainingLog | None
    replay: Sequence[float] = ()

    def __post_init__(self) -> None:
        self.parameters = list(self.backbone.trainable().values())
        settings = self.config.optimizer
        self.optimizer = torch.optim.AdamW(
            self.parameters, settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.state = LoopState()

    @property
    def epochs(self) -> int:
        """Maximum number of epochs."""
        return len(self.replay) or self.config.epochs

    def run(self, report: Callable[[EpochRecord], None] | None = None) -> LoopState:
        """Train to the end, resuming from a checkpoint if there is one; the backbone gets the selected parameters.

        Args:
            report: called after every epoch.

        Raises:
            BgsError: loss, gradient, a parameter or an embedding is not finite; the checkpoint of the last finite epoch
                is kept.
        """
        if self.log is not None:
            self._resume(self.log)
        while self.state.epoch < self.epochs and not self.state.stopped:
            record = self._epoch(self.state.epoch)
            if self.log is not None:
                self.log.append_metrics(asdict(record))
                save_checkpoint(self.log.checkpoint, self.backbone, self.optimizer, self.state)
            if report is not None:
                report(record)
        if self.state.best:
            load_trainable(self.backbone, self.state.best, where="the best epoch")
        return self.state

    def _resume(self, log: TrainingLog) -> None:
        if log.checkpoint.is_file():
            self.state = load_checkpoint(log.checkpoint, self.backbone, self.optimizer)
        log.start_metrics(keep_before=self.state.epoch)

    def _epoch(self, epoch: int) -> EpochRecord:
        self.state.rate_factors.append(self.replay[epoch] if self.replay else self.state.rate_factor)
        parts = [self._update(epoch, update) for update in range(self.method.updates_per_epoch)]
        if not all(bool(torch.isfinite(parameter).all()) for parameter in self.parameters):
            self._not_finite("a trained parameter", f"epoch {epoch}", "NaN or inf")
        rate = self.optimizer.param_groups[0]["lr"]
        measured = self._validate(epoch) if self._validates_after(epoch) else None
        self.state.epoch = epoch + 1
        return EpochRecord(epoch, **_means(parts), learning_rate=rate, validation_rsa=measured)

    def _update(self, epoch: int, update: int) -> dict[str, float]:
        settings, per_epoch = self.config.optimizer, self.method.updates_per_epoch
        factor = (
            rate_factor(settings, epoch * per_epoch + update, self.config.epochs * per_epoch)
            * self.state.rate_factors[-1]
        )
        for group in self.optimizer.param_groups:
            group["lr"] = settings.learning_rate * factor
        self.optimizer.zero_grad(set_to_none=True)
        parts = self.method.accumulate(epoch, update).as_dict()
        penalty = self.backbone.penalty()
        if penalty is not None:
            penalty.backward()
        where = f"epoch {epoch}, update {update}"
        if not math.isfinite(parts["loss"]):
            self._not_finite("the loss", where, parts["loss"])
        largest = math.inf if settings.clip_norm is None else settings.clip_norm
        norm = float(torch.nn.utils.clip_grad_norm_(self.parameters, largest))
        if not math.isfinite(norm):
            self._not_finite("the gradient", where, norm)
        self.optimizer.step()
        return parts

    def _not_finite(self, what: str, where: str, got: object) -> NoReturn:
        """Raise an error before anything that is not finite is saved."""
        rate = self.optimizer.param_groups[0]["lr"]
        done = self.state.epoch
        kept = f"the checkpoint after epoch {done - 1} is kept" if done else "there is no checkpoint yet"
        raise BgsError(
            f"{what} is not finite", where=where, expected="a number", got=got,
            hint=f"the learning rate, {rate:.3g}, is probably too high: lower optimizer.learning_rate, "
            f"or set precision: fp32 if it is bf16; {kept}",
        )  # fmt: skip

    def _validates_after(self, epoch: int) -> bool:
        due = (epoch + 1) % self.config.validation.every == 0 or epoch + 1 == self.config.epochs
        return self.validation is not None and due

    def _validate(self, epoch: int) -> float:
        assert self.validation is not None
        vectors = embed(self.backbone, self.inputs, self.validation.positions, self.config.micro_batch)
        if not np.isfinite(vectors).all():
            self._not_finite("an embedding", f"validation after epoch {epoch}", "NaN or inf")
        measured = self.validation.measure(vectors)
        state = self.state
        if math.isnan(measured):
            raise BgsError(
                "validation RSA is not defined", where=f"epoch {epoch}",
                expected="distances that differ", got="a collapsed embedding",
            )  # fmt: skip
        if self.config.optimizer.schedule == "plateau":
            watch_plateau(state, self.config.optimizer, measured)
        if state.best_value is None or measured > state.best_value:
            state.best_value, state.best_epoch, state.best = measured, epoch, snapshot(self.backbone)
            state.stale = 0
            return measured
        state.stale += 1
        patience = self.config.validation.patience
        state.stopped = patience is not None and state.stale >= patience
        return measured


def _means(parts: list[dict[str, float]]) -> dict[str, float | None]:
    """Mean of each loss part over the updates in which it was computed."""
    present = {key: [part[key] for part in parts if not math.isnan(part[key])] for key in parts[0]}
    return {key: sum(values) / len(values) if values else None for key, values in present.items()}


def watch_plateau(state: LoopState, settings: OptimizerSettings, measured: float) -> None:
    """Reduce the rate when validation stalls, as PyTorch's ``ReduceLROnPlateau`` does (mode max, relative threshold)."""
    if state.rate_best is None or measured > state.rate_best * (1 + settings.plateau_threshold):
        state.rate_best, state.rate_stale = measured, 0
    else:
        state.rate_stale += 1
    if state.rate_stale > settings.plateau_patience:
        state.rate_factor, state.rate_stale = state.rate_factor * settings.plateau_factor, 0


def rate_factor(settings: OptimizerSettings, update: int, total: int) -> float:
    """Factor of the learning rate at an update (from 0) of ``total``: linear warm-up, then the schedule."""
    warm = min(1.0, (update + 1) / (settings.warmup + 1))
    if settings.schedule != "cosine":
        return warm
    return warm * 0.5 * (1 + math.cos(math.pi * update / total))
