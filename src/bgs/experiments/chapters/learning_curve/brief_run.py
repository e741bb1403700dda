"""A training of which nothing is kept but the embeddings."""

from __future__ import annotations

import numpy as np

from bgs.backbones import embed
from bgs.embeddings import Embeddings
from bgs.runs.study import Study
from bgs.runs.trainer import new_backbone, new_refit, new_trainer
from bgs.stimuli import StimulusSet
from bgs.training import TrainingConfig


def tuned_on(config: TrainingConfig, study: Study, stimuli: StimulusSet) -> Embeddings:
    """Embeddings of ``stimuli`` after training on a study; nothing else of the run is kept."""
    trainer = new_trainer(config, new_backbone(config), study, None)
    trainer.run()
    if config.refit:
        trainer = new_refit(trainer.config, study, None, trainer.state)
        trainer.run()
    backbone = trainer.backbone
    inputs = backbone.prepare(stimuli)
    values = embed(backbone, inputs, np.arange(len(stimuli)), config.batch_size)
    return Embeddings(values, stimuli.ids, config.reference)
