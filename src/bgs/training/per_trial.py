"""The published procedure, as a baseline: a few trials per update, with every clip encoded for each trial."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from bgs._rng import generator, torch_seed
from bgs._typing import Int
from bgs.backbones import Backbone, Inputs, pool
from bgs.objective import HybridObjective, LossParts, Target, cosine_similarities
from bgs.training.settings import PerTrialSettings


@dataclass(frozen=True)
class PerTrial:
    """Gradients as in Garcia & Isik v1: batches of trials, and an RSA term on a few clips in some updates of an epoch.

    Attributes are those of :class:`~bgs.training.full_geometry.FullGeometry`; an epoch is a pass over
    the trials.
    """

    backbone: Backbone
    inputs: Inputs
    positions: Int[np.ndarray, " m"]
    target: Target
    objective: HybridObjective
    views: int
    settings: PerTrialSettings
    seed: int

    @cached_property
    def trials_per_epoch(self) -> int:
        """Trials per epoch."""
        return min(self.settings.trials or len(self.target.odd), len(self.target.odd))

    @property
    def updates_per_epoch(self) -> int:
        """Batches per epoch."""
        return -(-self.trials_per_epoch // self.settings.batch)

    def accumulate(self, epoch: int, update: int) -> LossParts:
        """Add the gradient of one update to the parameters."""
        torch.manual_seed(torch_seed(self.seed, "dropout", epoch, update))
        random = generator(self.seed, "views", epoch, update)
        self.backbone.train()
        local = self._local(self._batch(epoch, update), random)
        rsa = torch.full((), float("nan"), device=local.device)  # most updates have no RSA term
        total = self.objective.settings.alpha * local
        beta = self.objective.settings.beta.at(epoch)
        if beta and self._carries_rsa(update):
            rsa = self._rsa(random)
            total = total - beta * rsa
        if total.requires_grad:
            total.backward()
        return LossParts(total.detach(), local.detach(), rsa.detach())

    def _batch(self, epoch: int, update: int) -> Int[Tensor, " b"]:
        order = generator(self.seed, "trial order", epoch).permutation(len(self.target.odd))[
            : self.trials_per_epoch
        ]
        start = update * self.settings.batch
        return torch.as_tensor(order[start : start + self.settings.batch])

    def _carries_rsa(self, update: int) -> bool:
        times = min(self.settings.rsa_updates, self.updates_per_epoch)
        return times > 0 and update in np.linspace(0, self.updates_per_epoch - 1, times).round().astype(int)

    def _local(self, trials: Int[Tensor, " b"], random: np.random.Generator) -> Float[Tensor, ""]:
        batch = self.target.batch(trials)
        with torch.set_grad_enabled(self.objective.settings.alpha > 0):
            # Three encodings per trial, even of clips that recur within the batch, as in the published procedure.
            clips = batch.triplets.flatten().cpu().numpy()
            vectors = self._encode(clips, random)
            slots = torch.arange(len(clips), device=vectors.device).reshape(-1, 3)
            return self.objective.local(cosine_similarities(vectors), replace(batch, triplets=slots))

    def _rsa(self, random: np.random.Generator) -> Float[Tensor, ""]:
        n = min(self.settings.rsa_clips, len(self.positions))
        clips = random.permutation(len(self.positions))[:n]
        learn, watch = np.split(clips, [min(self.settings.rsa_gradient_clips, n)])
        parts = [self._encode(learn, random)]
        if len(watch):
            with torch.no_grad():
                parts.append(self._encode(watch, random))
        among = self._pairs_among(clips, len(learn))
        return self.objective.rsa(cosine_similarities(torch.cat(parts)), among)

    def _pairs_among(self, clips: Int[np.ndarray, " c"], learn: int) -> Target:
        """The target's observed pairs among some clips, in local indices, that contain one of the first ``learn``:
        pairs of clips without gradient are not in the published correlation (123 of 276 pairs are)."""
        among = self.target.among(torch.as_tensor(clips), len(self.positions))
        learned = (among.pairs < learn).any(dim=1)
        return replace(
            among, pairs=among.pairs[learned], dissimilarity=among.dissimilarity[learned], counts=among.counts[learned]
        )  # fmt: skip

    def _encode(self, clips: Int[np.ndarray, " c"], random: np.random.Generator) -> Float[Tensor, "c d"]:
        units = [self.inputs.draw(self.positions[clip : clip + 1], self.views, random) for clip in clips]
        owner = np.repeat(np.arange(len(clips)), [len(own) for own in units])
        return pool(
            self.backbone.forward(self.inputs.batch(np.concatenate(units))).float(), owner, len(clips)
        )
