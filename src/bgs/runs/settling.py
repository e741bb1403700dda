"""Settles what a configuration leaves to this machine: the micro-batch."""

from __future__ import annotations

import numpy as np

from bgs._errors import ConfigError
from bgs._rng import generator
from bgs.backbones.micro_batch import measured_micro_batch
from bgs.backbones.processes import Processes, alone
from bgs.backbones.sharding import is_sharded
from bgs.runs.run_folder import RunFolder
from bgs.runs.study import Study
from bgs.runs.trainer import new_backbone
from bgs.training import TrainingConfig


def settled(config: TrainingConfig, study: Study, folder: RunFolder, processes: Processes) -> TrainingConfig:
    """The configuration with a number for ``micro_batch: auto``: that of the run in the folder, or the one measured now.

    Dropout depends on micro-batches, so a run keeps the number that it was begun with. Of several processes the first decides.

    Raises:
        ConfigError: the weights are spread over the processes.
        BgsError: stimuli cannot be read, memory does not suffice for one unit, or another process failed.
    """
    if config.micro_batch != "auto":
        return config
    if is_sharded():
        raise ConfigError("not measured with FSDP", where="micro_batch", expected="a number", got="auto")
    chosen = 0
    with processes.together():
        if processes.is_first:
            chosen = folder.micro_batch() or _measured(config, study, processes.size)
    return config.model_copy(update={"micro_batch": processes.exchange(chosen)[0]})


def _measured(config: TrainingConfig, study: Study, processes: int) -> int:
    """Measured with a model of its own, so that training begins as it would with the number given."""
    optimise, _ = study.to_train(config)
    parts = -(-len(optimise) // (config.clips_per_update or len(optimise)))
    stimuli = study.stimuli.subset(optimise[: len(optimise) // parts])  # as many as in the smallest update
    with alone():
        backbone = new_backbone(config)
        backbone.require_readable(study.stimuli)
        inputs = backbone.prepare(stimuli)
        units = inputs.draw(np.arange(len(stimuli)), config.views, generator(config.seed, "micro-batch"))
        return measured_micro_batch(
            backbone, inputs, units, max(1, len(units) // processes), train=True
        )  # a micro-batch for each process, at least
