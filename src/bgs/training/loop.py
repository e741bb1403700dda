"""The training loop: epochs of updates, validation, selection, early stopping, checkpoints."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import NoReturn, Protocol, runtime_checkable

import numpy as np
import torch

from bgs._errors import BgsError
from bgs._files import sha256_of
from bgs._typing import Float, Int
from bgs.backbones import Backbone, Inputs, embed
from bgs.backbones.adapter import load_trainable
from bgs.backbones.processes import current
from bgs.objective import LossParts
from bgs.training.checkpoint import LoopState, load_checkpoint, save_checkpoint, snapshot
from bgs.training.config import TrainingConfig
from bgs.training.faults import involved, shown_parts
from bgs.training.settings import OptimizerSettings
from bgs.training.stopping import Asked, Stopped, watched_signals
from bgs.training.training_log import AGAIN, TrainingLog


@runtime_checkable
class GradientMethod(Protocol):
    """Computes the gradients of an epoch: :class:`FullGeometry` or :class:`PerTrial`."""

    @property
    def updates_per_epoch(self) -> int: ...

    @property
    def positions(self) -> Int[np.ndarray, " m"]:
        """(m,) positions in the inputs of the stimuli that are trained on."""
        ...

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
        names: ids of the stimuli of the inputs, for errors.
    """

    config: TrainingConfig
    backbone: Backbone
    inputs: Inputs
    method: GradientMethod
    validation: Validation | None
    log: TrainingLog | None
    replay: Sequence[float] = ()
    names: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.parameters = list(self.backbone.trainable().values())
        settings = self.config.optimizer
        self.optimizer = torch.optim.AdamW(
            self.parameters, settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.state = LoopState()
        self.identity = sha256_of(self.config.model_dump_json(), json.dumps([*self.replay]))
        self.asked = Asked()
        self.saved: str | None = None  # what the newest checkpoint was written after

    @property
    def epochs(self) -> int:
        """Maximum number of epochs."""
        return len(self.replay) or self.config.epochs

    def run(self, report: Callable[[EpochRecord], None] | None = None) -> LoopState:
        """Train to the end, resuming from a checkpoint if there is one; the backbone gets the selected parameters.

        Args:
            report: called after every epoch.

        Raises:
            BgsError: loss, gradient, a parameter or an embedding is not finite, or the disk is full; the last checkpoint is kept.
            Stopped: a signal asked for it, where :func:`~bgs.training.stopping.signals_stop_training` lets it.
        """
        if self.log is not None:
            self._resume(self.log)
        with watched_signals() as self.asked:
            while self.state.epoch < self.epochs and not self.state.stopped:
                record = self._epoch(self.state.epoch)
                if self.log is not None:
                    with self._last_one_kept():
                        self.log.append_metrics(asdict(record))
                self._save_where_due()
                if report is not None:
                    report(record)
                self._stop_where_asked()
        if self.state.best:
            load_trainable(self.backbone, self.state.best, where="the best epoch")
        return self.state

    def _resume(self, log: TrainingLog) -> None:
        found = log.checkpoints()
        if found:
            hint = f"delete this file to go on from {found[1].name}" if found[1:] else AGAIN
            self.state = load_checkpoint(found[0], self.backbone, self.optimizer, self.identity, hint)
            self.saved = self.state.place()
        log.start_metrics(keep_before=self.state.epoch)

    def _epoch(self, epoch: int) -> EpochRecord:
        state, updates = self.state, self.method.updates_per_epoch
        if len(state.rate_factors) == epoch:
            state.rate_factors.append(self.replay[epoch] if self.replay else state.rate_factor)
        while state.update < updates:
            state.add(self._update(epoch, state.update))
            if state.update < updates:
                self._save_where_due()
            self._stop_where_asked()
        self._require_finite_parameters()
        rate = self._rate(epoch, updates - 1)
        measured = self._validate(epoch) if self._validates_after(epoch) else None
        means = state.means()
        state.end_epoch()
        return EpochRecord(epoch, **means, learning_rate=rate, validation_rsa=measured)

    def _save_where_due(self) -> None:
        """Write a checkpoint after every so many updates, and after the last one."""
        state, updates = self.state, self.method.updates_per_epoch
        every = self.config.checkpoints.every or updates
        at_end = state.epoch == self.epochs or state.stopped
        if at_end or (state.epoch * updates + state.update) % every == 0:
            self._save()

    def _save(self) -> None:
        if self.log is None:
            return
        self._require_finite_parameters()
        with self._last_one_kept():
            keep = self.config.checkpoints.keep
            save_checkpoint(self.log, self.backbone, self.optimizer, self.state, self.identity, keep)
        self.saved = self.state.place()

    def _stop_where_asked(self) -> None:
        """End with a checkpoint if a signal came, to any of the processes.

        Raises:
            Stopped: it did.
        """
        asked = self.asked
        if not asked.watched:
            return
        number = max(current().exchange(asked.number))
        if not number:
            return
        place = self.state.place()
        if self.saved != place:
            self._save()
        asked.heeded = True
        kept = "" if self.log is None else f", {self.log.checkpoint} is written"
        raise Stopped(number, f"after {place}{kept}")

    @contextmanager
    def _last_one_kept(self) -> Iterator[None]:
        """What cannot be written (a full disk) leaves the last checkpoint whole, and says so."""
        try:
            yield
        except BgsError as error:
            raise BgsError(
                error.what,
                where=error.where,
                hint=f"{self._kept()}; make room, then call the same command again",
            ) from error

    def _kept(self) -> str:
        return f"the checkpoint after {self.saved} is kept" if self.saved else "there is no checkpoint yet"

    def _rate(self, epoch: int, update: int) -> float:
        settings, per_epoch = self.config.optimizer, self.method.updates_per_epoch
        factor = rate_factor(settings, epoch * per_epoch + update, self.config.epochs * per_epoch)
        return settings.learning_rate * (factor * self.state.rate_factors[epoch])

    def _update(self, epoch: int, update: int) -> dict[str, float]:
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(epoch, update)
        self.optimizer.zero_grad(set_to_none=True)
        parts = self.method.accumulate(epoch, update).as_dict()
        penalty = self.backbone.penalty()
        if penalty is not None:
            penalty.backward()
        where = f"epoch {epoch}, update {update}"
        if not math.isfinite(parts["loss"]):
            self._not_finite("the loss", where, parts)
        clip_norm = self.config.optimizer.clip_norm
        largest = math.inf if clip_norm is None else clip_norm
        norm = float(torch.nn.utils.clip_grad_norm_(self.parameters, largest))
        if not math.isfinite(norm):
            self._not_finite("the gradient", where, parts | {"norm": norm})
        self.optimizer.step()
        return parts

    def _require_finite_parameters(self) -> None:
        if not all(bool(torch.isfinite(parameter).all()) for parameter in self.parameters):
            self._not_finite("a trained parameter", self.state.place(), {})

    def _not_finite(self, what: str, where: str, parts: Mapping[str, float]) -> NoReturn:
        """Raise an error before anything that is not finite is saved; it says which clips are involved."""
        rate = self._rate(self.state.epoch, max(0, self.state.update - 1))
        clips = involved(
            self.backbone, self.inputs, self.method.positions, self.config.batch_size, self.names
        )
        raise BgsError(
            f"{what} is not finite", where=where, expected="a number", got=shown_parts(parts) or "NaN or inf",
            hint=f"{clips}; the learning rate, {rate:.3g}, is probably too high: lower optimizer.learning_rate, "
            f"or set precision: fp32 if it is bf16; {self._kept()}",
        )  # fmt: skip

    def _validates_after(self, epoch: int) -> bool:
        due = (epoch + 1) % self.config.validation.every == 0 or epoch + 1 == self.config.epochs
        return self.validation is not None and due

    def _validate(self, epoch: int) -> float:
        assert self.validation is not None
        # It may take minutes, and what it needs is saved already; several processes wait for each other until its end.
        between = (lambda _: self._stop_where_asked()) if current().size == 1 else None
        vectors = embed(
            self.backbone, self.inputs, self.validation.positions, self.config.batch_size, between
        )
        if not np.isfinite(vectors).all():
            self._not_finite("an embedding", f"validation after epoch {epoch}", {})
        measured = self.validation.measure(vectors)
        state = self.state
        if math.isnan(measured):
            raise BgsError(
                "validation RSA is not defined", where=f"epoch {epoch}",
                expected="distances that differ", got="a collapsed embedding",
                hint=f"the learning rate, {self._rate(epoch, self.method.updates_per_epoch - 1):.3g}, is probably too high: "
                f"lower optimizer.learning_rate; {self._kept()}",
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
