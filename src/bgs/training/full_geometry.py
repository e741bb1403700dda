"""Full-geometry updates: every clip is encoded once, and the loss covers every trial and pair among the clips of the update."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from bgs._errors import ConfigError
from bgs._rng import generator, torch_seed
from bgs._typing import Int
from bgs.backbones import Backbone, Inputs, pool
from bgs.backbones.processes import current
from bgs.objective import HybridObjective, LossParts, Target
from bgs.training.gradient_cache import cached_backward


@dataclass(frozen=True)
class FullGeometry:
    """Gradients of the objective over all clips, trials and observed pairs; an epoch encodes every clip once.

    An epoch is one update, or, with ``clips_per_update``, several on random parts of the clips: each clip is in one of them.
    An update then sees the trials and pairs among its clips. All are equally likely to be seen, so the loss on trials is an
    unbiased estimate of that on all of them (Horvitz & Thompson 1952), and so are the moments of the correlation.

    Attributes:
        backbone: the backbone being trained.
        inputs: units of the stimuli.
        positions: (m,) positions in ``inputs`` of the target's stimuli 0..m−1, ascending.
        target: the training target.
        objective: the loss.
        views: units drawn per stimulus for an update; 0 uses all.
        micro_batch: units per forward pass.
        keep_graphs: number of micro-batches that are not encoded twice; at least one.
        seed: seed of dropout, of the drawn units and of the parts.
        clips_per_update: largest number of clips of an update; None is all.
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
    clips_per_update: int | None = None

    @cached_property
    def updates_per_epoch(self) -> int:
        """Number of parts that the clips are divided into."""
        return 1 if self.clips_per_update is None else -(-len(self.positions) // self.clips_per_update)

    def require_work(self) -> None:
        """Refuse more processes than an update, the smallest of an epoch, has micro-batches.

        Raises:
            ConfigError: there are.
        """
        last = self.updates_per_epoch - 1
        _require_work(len(self._batches(self._clips(0, last), 0, last)))

    def _batches(self, clips: Int[np.ndarray, " k"], epoch: int, update: int) -> list[Int[np.ndarray, " b"]]:
        """The units of an update of these clips, in micro-batches."""
        units = self.inputs.draw(
            self.positions[clips], self.views, generator(self.seed, "views", epoch, update)
        )
        return self.inputs.batches(units, self.micro_batch)

    def accumulate(self, epoch: int, update: int) -> LossParts:
        """Add the gradient of one update to the parameters. Random numbers depend only on seed, epoch and update."""
        clips = self._clips(epoch, update)
        batches = self._batches(clips, epoch, update)
        positions, target = self.positions, self.target
        if len(clips) < len(positions):
            target = target.among(torch.as_tensor(clips), len(positions))
            positions = positions[clips]
        _require_work(len(batches))
        owner = np.searchsorted(positions, self.inputs.owner[np.concatenate(batches)])
        self.backbone.train()
        processes = current()
        with processes.summed_gradients([*self.backbone.trainable().values()]):
            return cached_backward(
                lambda batch: self.backbone.forward(self.inputs.batch(batch)).float(),
                batches,
                lambda vectors: self.objective(pool(vectors, owner, len(positions)), target, epoch),
                self.keep_graphs,
                torch_seed(self.seed, "dropout", epoch, update),
                processes,
            )

    def _clips(self, epoch: int, update: int) -> Int[np.ndarray, " k"]:
        """Which of the clips 0..m−1 are in an update, ascending; parts differ in size by at most one."""
        m = len(self.positions)
        if self.updates_per_epoch == 1:
            return np.arange(m)
        order = generator(self.seed, "clips", epoch).permutation(m)
        return np.sort(np.array_split(order, self.updates_per_epoch)[update])


def _require_work(batches: int) -> None:
    """Refuse more processes than there is work for.

    Raises:
        ConfigError: there are.
    """
    if batches < current().size:
        raise ConfigError(
            "more processes than micro-batches", where="micro_batch", expected=f"at least {current().size} micro-batches",
            got=batches, hint="use a smaller micro_batch, or fewer processes",
        )  # fmt: skip
