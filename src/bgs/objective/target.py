"""The training target of the embeddings, as tensors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Target:
    """Local and global relations among N stimuli.

    Attributes:
        triplets: (t, 3) indices 0..N−1 of the stimuli of each trial.
        odd: (t,) slot of the odd one, 0–2.
        pairs: (p, 2) indices of the observed pairs, each pair once.
        dissimilarity: (p,) target dissimilarities.
        counts: (p,) number of observations of each pair.
    """

    triplets: Int[Tensor, "t 3"]
    odd: Int[Tensor, " t"]
    pairs: Int[Tensor, "p 2"]
    dissimilarity: Float[Tensor, " p"]
    counts: Float[Tensor, " p"]

    def to(self, device: torch.device | str) -> Target:
        """Copy the target to another device."""
        return Target(
            self.triplets.to(device),
            self.odd.to(device),
            self.pairs.to(device),
            self.dissimilarity.to(device),
            self.counts.to(device),
        )

    def batch(self, trials: Int[Tensor, " b"]) -> Target:
        """The target with a subset of its trials."""
        return Target(self.triplets[trials], self.odd[trials], self.pairs, self.dissimilarity, self.counts)
