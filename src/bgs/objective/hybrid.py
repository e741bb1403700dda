"""The hybrid objective: a local loss on trials plus a global loss on geometry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from bgs.objective.distances import cosine_similarities, pair_similarities
from bgs.objective.rsa import rsa_correlation
from bgs.objective.settings import ObjectiveSettings
from bgs.objective.target import Target
from bgs.objective.trial_chunks import mean_over_trials
from bgs.objective.triplet import choice_loss, hinge_loss


@dataclass(frozen=True)
class LossParts:
    """A loss and its terms; terms with weight 0 are still reported."""

    total: Float[Tensor, ""]
    local: Float[Tensor, ""]
    rsa: Float[Tensor, ""]

    def as_dict(self) -> dict[str, float]:
        """Plain numbers: ``loss``, ``local`` and ``rsa`` (a correlation, −1 to 1)."""
        return {"loss": float(self.total), "local": float(self.local), "rsa": float(self.rsa)}


@dataclass(frozen=True)
class HybridObjective:
    """alpha · local(trials) + beta(epoch) · (−RSA), over all trials and observed pairs at once.

    Source: Garcia & Isik, arXiv 2510.01502. Distances are cosine.
    """

    settings: ObjectiveSettings

    def __call__(self, embeddings: Float[Tensor, "n d"], target: Target, epoch: int) -> LossParts:
        """The loss of an (n, d) embedding matrix at an epoch (from 0)."""
        similarity = cosine_similarities(embeddings)
        local = self.local(similarity, target)
        rsa = self.rsa(similarity, target)
        total = self.settings.alpha * local - self.settings.beta.at(epoch) * rsa
        return LossParts(total, local, rsa)

    def local(self, similarity: Float[Tensor, "n n"], target: Target) -> Float[Tensor, ""]:
        """Loss on the trials of the target; 0 if there are none."""
        if not len(target.odd):
            return similarity.sum() * 0
        return target.trial_weight * self._mean_loss(similarity, target)

    def _mean_loss(self, similarity: Float[Tensor, "n n"], target: Target) -> Float[Tensor, ""]:
        settings = self.settings
        if settings.hard_negatives:  # the hardest of all trials: they are looked at together
            pairs = pair_similarities(similarity, target.triplets)
            return hinge_loss(pairs, target.odd, settings.margin, settings.hard_negatives)
        if settings.local == "choice":
            loss = partial(choice_loss, temperature=settings.temperature)
        else:
            loss = partial(hinge_loss, margin=settings.margin)
        return mean_over_trials(similarity, target.triplets, target.odd, loss)

    def rsa(self, similarity: Float[Tensor, "n n"], target: Target) -> Float[Tensor, ""]:
        """Correlation between model distances and target dissimilarities over the observed pairs; 0 if there are none."""
        if not len(target.pairs):
            return similarity.sum() * 0
        distances = 1 - similarity[target.pairs[:, 0], target.pairs[:, 1]]
        weights = target.counts if self.settings.weighting == "counts" else torch.ones_like(target.counts)
        return rsa_correlation(
            distances, target.dissimilarity, weights, self.settings.rsa, self.settings.softness
        )
