"""Full-geometry updates: every clip is encoded once, and the loss covers every trial and pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from bgs._rng import generator, torch_seed
from bgs._typing import Int
from bgs.backbones import Backbone, Inputs, pool
from bgs.objective import HybridObjective, LossParts, Target
from bgs.training.gradient_cache import cached_backward


@dataclass(frozen=True)
class FullGeometry:
    """Gradients of the objective over all clips, trials and observed pairs; an epoch is one update.

    Attributes:
        backbone: the backbone being trained.
        inputs: units of the stimuli.
        positions: (m,) positions in ``inputs`` of the target's stimuli 0..m−1.
        target: the training target.
        objective: the loss.
        views: units drawn per stimulus for an update; 0 uses all.
        micro_batch: units per forward pass.
        keep_graphs: number of micro-batches that are not encoded twice.
        seed: seed of dropout and of the drawn units.
    """

    backbone: Backbone
    inputs: Inputs
    positions: Int[np.ndarray, " m"]
    target: Target
    objective: HybridObjective
    views: int
    micro_batch: int
    keep_graphs: int
    seed: int
    updates_per_epoch: int = 1

    def accumulate(self, epoch: int, update: int) -> LossParts:
        """Add the gradient of one update to the parameters. Random numbers depend only on seed and epoch."""
        torch.manual_seed(torch_seed(self.seed, "dropout", epoch, update))
        units = self.inputs.draw(self.positions, self.views, generator(self.seed, "views", epoch, update))
        batches = self.inputs.batches(units, self.micro_batch)
        owner = np.searchsorted(self.positions, self.inputs.owner[np.concatenate(batches)])
        self.backbone.train()
        return cached_backward(
            lambda batch: self.backbone.forward(self.inputs.batch(batch)).float(),
            batches,
            lambda vectors: self.objective(pool(vectors, owner, len(self.positions)), self.target, epoch),
            self.keep_graphs,
        )
