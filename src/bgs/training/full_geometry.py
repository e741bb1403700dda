"""One update from the whole geometry: every clip encoded once, every trial and pair in the loss."""

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
        backbone: being trained.
        inputs: units of the stimuli.
        positions: (m,) positions in ``inputs`` of the target's stimuli 0..m−1.
        target: what they should look like.
        objective: the loss.
        views: units drawn of each stimulus for an update; 0 takes all.
        micro_batch: units encoded at a time.
        keep_graphs: micro-batches that are not encoded twice.
        seed: of dropout and of the drawn units.
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
        """Add the gradient of one update to the parameters. Random numbers depend on seed and epoch only."""
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
