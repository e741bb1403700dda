"""The cost of an experiment before it starts: cells, time and disk, from a timed forward pass of each model."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bgs._errors import BgsError
from bgs._rng import generator
from bgs.backbones import Backbone, VideoBackbone
from bgs.embeddings import Embeddings
from bgs.evaluation import evaluate
from bgs.experiments.cells import Cell, cells_of
from bgs.experiments.chapters import wanted_chapters
from bgs.experiments.conditions import Condition
from bgs.experiments.config import ExperimentConfig
from bgs.experiments.folder import ExperimentFolder, load_experiment_study
from bgs.runs.study import Study
from bgs.runs.trainer import new_backbone
from bgs.stimuli import StimulusSet
from bgs.training import TrainingConfig

#: How time is estimated.
RULE = (
    "A unit (a caption, a clip) costs what it takes in a forward pass. An update costs three of them a unit (forward, "
    "and backward for two), four where graphs are not kept and units are encoded twice; validating and embedding "
    "cost one. A transform costs one more pass, of the frozen model. Evaluation is timed with a fiftieth of its "
    "permutations. Left out: decoding clips, loading weights, early stopping, analyses and report, and what "
    "lora.layers: last:k saves."
)
_UNITS = 16  # timed at once, at most
_QUICK = 0.25  # seconds that a clip by itself takes at most, where more are timed together
_LENGTHS = (1 / 6, 1 / 2, 5 / 6)  # short, middling and long captions
_SHARE = 50


@dataclass(frozen=True)
class Cost:
    """The cost of one model.

    Attributes:
        seconds_a_unit: of one forward pass.
        train_seconds: to train one cell.
        embed_seconds: to embed all stimuli once.
        cell_bytes: a trained cell on disk: adapter, checkpoint, embeddings.
        frame_bytes: its clips in the frame cache, shared by its cells.
    """

    seconds_a_unit: float
    train_seconds: float
    embed_seconds: float
    cell_bytes: int
    frame_bytes: int


@dataclass(frozen=True)
class Plan:
    """The cells of an experiment and their cost.

    Attributes:
        cells: all of them, in order.
        done: names of those that are finished.
        costs: model -> cost, or why it could not be estimated.
        evaluation_seconds: of one cell; NaN where the data are yet to be made.
    """

    cells: tuple[Cell, ...]
    done: frozenset[str]
    costs: dict[str, Cost | str]
    evaluation_seconds: float

    def seconds(self, model: str) -> float:
        """Seconds that the unfinished cells of a model take; NaN where its cost is unknown."""
        cost = self.costs[model]
        if isinstance(cost, str):
            return float("nan")
        left = [cell for cell in self.cells if cell.model == model and cell.name not in self.done]
        each = cost.embed_seconds + np.nan_to_num(self.evaluation_seconds)
        trained = [cell.config.transform is None for cell in left if cell.condition is not Condition.BASE]
        adapted, frozen = sum(trained), len(trained) - sum(trained)
        return float(len(left) * each + adapted * cost.train_seconds + frozen * cost.embed_seconds)

    def bytes(self, model: str) -> float:
        """Bytes that all cells of a model need on disk; NaN where its cost is unknown."""
        cost = self.costs[model]
        if isinstance(cost, str):
            return float("nan")
        trained = sum(cell.model == model and cell.condition is not Condition.BASE for cell in self.cells)
        return float(trained * cost.cell_bytes + cost.frame_bytes)

    def to_json(self) -> dict[str, Any]:
        """Cells and costs as JSON types; what is not known is null, and ``error`` says why."""
        return {
            "cells": [
                {
                    "name": cell.name, "model": cell.model, "condition": cell.condition.value,
                    "seed": cell.seed, "done": cell.name in self.done,
                }
                for cell in self.cells
            ],
            "models": {model: self._cost_json(model) for model in self.costs},
            "evaluation_seconds": _known(self.evaluation_seconds),
        }  # fmt: skip

    def _cost_json(self, model: str) -> dict[str, Any]:
        cost = self.costs[model]
        return {
            "seconds_a_unit": None if isinstance(cost, str) else cost.seconds_a_unit,
            "seconds_left": _known(self.seconds(model)),
            "bytes": _known(self.bytes(model)),
            "error": cost if isinstance(cost, str) else None,
        }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def plan_experiment(config: ExperimentConfig, out: str | Path, *, mirror: str | Path | None = None) -> Plan:
    """Estimate an experiment; writes nothing.

    Raises:
        BgsError: the folder or the data cannot be used.
    """
    wanted_chapters(config)
    folder = ExperimentFolder(out)
    folder.check(config)
    study = _study(config, folder, mirror)
    cells = cells_of(config, folder.cells, folder.data_reference(config))
    costs: dict[str, Cost | str] = {}
    for model in config.models:
        try:
            costs[model] = _cost(next(cell.config for cell in cells if cell.model == model), config, study)
        except BgsError as error:  # a checkpoint that is not here yet: the others can still be estimated
            costs[model] = str(error)
        gc.collect()
    seconds = float("nan") if study is None else _evaluation_seconds(config, study)
    done = frozenset(cell.name for cell in cells if cell.is_done())
    return Plan(tuple(cells), done, costs, seconds)


def _study(config: ExperimentConfig, folder: ExperimentFolder, mirror: str | Path | None) -> Study | None:
    """The data; None where they have not been simulated yet."""
    if config.simulate is not None and not folder.data.is_dir():
        return None
    return load_experiment_study(config, folder.data_reference(config), mirror)


@dataclass(frozen=True)
class _Amount:
    """Amount of training data: stimuli in total, for optimisation and for validation, and trials."""

    stimuli: int
    optimised: int
    watched: int
    trials: int

    @classmethod
    def of(cls, settings: TrainingConfig, config: ExperimentConfig, study: Study | None) -> _Amount:
        if study is None:  # yet to be simulated: an upper bound
            assert config.simulate is not None
            return cls(config.simulate.clips, config.simulate.clips, 0, config.simulate.trials)
        optimise, validate = study.to_train(settings)
        trials = len(study.geometry(optimise).odd)
        return cls(len(study.stimuli), len(optimise), len(validate), trials)


def _cost(settings: TrainingConfig, config: ExperimentConfig, study: Study | None) -> Cost:
    backbone, amount = new_backbone(settings), _Amount.of(settings, config, study)
    a_unit = _seconds_a_unit(backbone, None if study is None else study.stimuli, settings.batch_size)
    views = 1.0 if study is None else _views(backbone, study.stimuli)
    trained = 4 * sum(parameter.numel() for parameter in backbone.trainable().values())
    return Cost(
        seconds_a_unit=a_unit,
        train_seconds=a_unit * _forward_passes(settings, amount, views),
        embed_seconds=a_unit * amount.stimuli * views,
        cell_bytes=5 * trained + 4 * amount.stimuli * backbone.width,  # adapter; now, best and two moments
        frame_bytes=amount.stimuli * _clip_bytes(backbone) if isinstance(backbone, VideoBackbone) else 0,
    )


def _forward_passes(settings: TrainingConfig, amount: _Amount, views: float) -> float:
    """Cost of a training run, in units; see :data:`RULE`."""
    per_trial = settings.gradient == "per-trial"
    trials = min(settings.per_trial.trials or amount.trials, amount.trials)
    units = (3 * trials if per_trial else amount.optimised) * min(settings.views or views, views)
    kept = math.inf if per_trial else max(1, settings.keep_graphs) * settings.batch_size
    watched = amount.watched + (amount.optimised if settings.evaluation.center else 0)
    validations = settings.epochs / settings.validation.every if amount.watched else 0.0
    # A refit takes, at most, all epochs on all training clips.
    trained = [units, units * (1 + amount.watched / amount.optimised)] if settings.refit else [units]
    passes = sum(4 * each - min(each, kept) for each in trained)
    return settings.epochs * passes + validations * watched * views


def _views(backbone: Backbone, stimuli: StimulusSet) -> float:
    """Mean number of units per stimulus."""
    if isinstance(backbone, VideoBackbone):
        return 1.0
    return len(backbone.prepare(stimuli).owner) / len(stimuli)


def _clip_bytes(backbone: VideoBackbone) -> int:
    return backbone.spec.frames * backbone.spec.preprocessing.size**2 * 3


def _seconds_a_unit(backbone: Backbone, stimuli: StimulusSet | None, micro_batch: int) -> float:
    """Seconds per unit of a forward pass over clips of noise, or over short, medium and long captions."""
    if not isinstance(backbone, VideoBackbone):
        return _forward_seconds(backbone, _captions(backbone, stimuli))
    one = _forward_seconds(backbone, [_noise(backbone, 1)])
    if one > _QUICK:
        return one
    # Of a small network the overhead of a pass counts: clips are taken together, as training takes them.
    return _forward_seconds(backbone, [_noise(backbone, min(micro_batch, _UNITS))])


def _forward_seconds(backbone: Backbone, batches: list[tuple[Any, int]]) -> float:
    """Seconds per unit of batches, and the units in each."""
    backbone.train(False)

    def forward() -> None:
        with torch.no_grad():
            for batch, _ in batches:
                backbone.forward(batch).cpu()

    first = _timed(forward)  # also wakes the device up; a second one where that costs little
    return (min(first, _timed(forward)) if first < 2 else first) / sum(count for _, count in batches)


def _noise(backbone: VideoBackbone, clips: int) -> tuple[Any, int]:
    frames, size = backbone.spec.frames, backbone.spec.preprocessing.size
    pixels = generator(0, "plan").integers(0, 256, (clips, frames, size, size, 3), dtype=np.uint8)
    return torch.from_numpy(pixels), clips


def _captions(backbone: Backbone, stimuli: StimulusSet | None) -> list[tuple[Any, int]]:
    if stimuli is None:
        raise BgsError("cannot be timed before the data are simulated", where=backbone.spec.source)
    inputs = backbone.prepare(stimuli)
    order = np.argsort(inputs.cost, kind="stable")
    count = min(_UNITS, len(order))
    starts = [round(place * (len(order) - count)) for place in _LENGTHS]
    return [(inputs.batch(order[start : start + count]), count) for start in starts]


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _evaluation_seconds(config: ExperimentConfig, study: Study) -> float:
    settings, n = config.evaluation, len(study.stimuli)
    noise = generator(0, "plan").standard_normal((n, 32))
    embeddings = Embeddings(noise, study.stimuli.ids, "noise")

    def work(permutations: int) -> None:
        for protocol in settings.protocols:
            evaluate(
                embeddings, study.stimuli, study.trials, protocol=protocol, distance=settings.distance,
                center=settings.center, against=embeddings, permutations=permutations,
            )  # fmt: skip

    few = -(-settings.permutations // _SHARE)
    work(few)  # the first takes longer
    fixed, sampled = _timed(lambda: work(0)), _timed(lambda: work(few))
    return fixed + max(0.0, sampled - fixed) * settings.permutations / max(1, few)
