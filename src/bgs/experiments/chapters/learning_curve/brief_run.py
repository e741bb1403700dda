"""A training of which nothing is kept but the embeddings."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from bgs.backbones import embed
from bgs.embeddings import Embeddings
from bgs.runs.run_folder import RunFolder
from bgs.runs.study import Study
from bgs.runs.trainer import new_backbone, new_trainer
from bgs.stimuli import StimulusSet
from bgs.training import TrainingConfig


def tuned_on(config: TrainingConfig, study: Study, stimuli: StimulusSet) -> Embeddings:
    """Embeddings of ``stimuli`` after training on a study; nothing else of the run is kept."""
    backbone = new_backbone(config)
    with tempfile.TemporaryDirectory() as folder:
        log = RunFolder(Path(folder) / "run")
        log.open(config)
        chosen = new_trainer(config, backbone, study, log).run()
        if config.refit:
            assert chosen.best_epoch is not None
            backbone = new_backbone(config)
            replay = chosen.rate_factors[: chosen.best_epoch + 1]
            new_trainer(config, backbone, study, log.refit, replay).run()
    inputs = backbone.prepare(stimuli)
    values = embed(backbone, inputs, np.arange(len(stimuli)), config.micro_batch)
    return Embeddings(values, stimuli.ids, config.reference)
