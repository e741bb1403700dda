"""A training of which nothing is kept but the embeddings."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from bgs.backbones import embed
from bgs.embeddings import Embeddings
from bgs.runs.run_folder import RunFolder
from bgs.runs.study import Study
from bgs.runs.trainer import new_backbone, new_refit, new_trainer
from bgs.stimuli import StimulusSet
from bgs.training import TrainingConfig


def tuned_on(config: TrainingConfig, study: Study, stimuli: StimulusSet) -> Embeddings:
    """Embeddings of ``stimuli`` after training on a study; nothing else of the run is kept."""
    with tempfile.TemporaryDirectory() as folder:
        log = RunFolder(Path(folder) / "run")
        log.open(config)
        trainer = new_trainer(config, new_backbone(config), study, log)
        chosen = trainer.run()
        if config.refit:
            trainer = new_refit(config, study, log.refit, chosen)
            trainer.run()
    backbone = trainer.backbone
    inputs = backbone.prepare(stimuli)
    values = embed(backbone, inputs, np.arange(len(stimuli)), config.micro_batch)
    return Embeddings(values, stimuli.ids, config.reference)
