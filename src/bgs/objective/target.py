"""What the embeddings are compared with, as tensors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Target:
    """Relations among N stimuli, local and global.

    Attributes:
        triplets: (t, 3) indices 0..N−1 of the stimuli of each trial.
        odd: (t,) slot of the odd one, 0–2.
        pairs: (p, 2) indices of the observed pairs, each pair once.
        dissimilarity: (p,) target dissimilarities.
        counts: (p,) how often each pair was observed.
    """

    triplets: Int[Tensor, "t 3"]
    odd: Int[Tensor, " t"]
    pairs: Int[Tensor, "p 2"]
    dissimilarity: Float[Tensor, " p"]
    counts: Float[Tensor, " p"]

    def to(self, device: torch.device | str) -> Target:
        """The same target on another device."""
        return Target(
            self.triplets.to(device),
            self.odd.to(device),
            self.pairs.to(device),
            self.dissimilarity.to(device),
            self.counts.to(device),
        )

    def batch(self, trials: Int[Tensor, " b"]) -> Target:
        """The same target with only some of its trials."""
        return Target(self.triplets[trials], self.odd[trials], self.pairs, self.dissimilarity, self.counts)
