"""The training target of the embeddings, as tensors."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
        trial_weight: what the mean loss on the trials is multiplied by; 1, unless they are a part of more.
    """

    triplets: Int[Tensor, "t 3"]
    odd: Int[Tensor, " t"]
    pairs: Int[Tensor, "p 2"]
    dissimilarity: Float[Tensor, " p"]
    counts: Float[Tensor, " p"]
    trial_weight: float = 1.0

    def to(self, device: torch.device | str) -> Target:
        """Copy the target to another device."""
        return Target(
            self.triplets.to(device),
            self.odd.to(device),
            self.pairs.to(device),
            self.dissimilarity.to(device),
            self.counts.to(device),
            self.trial_weight,
        )

    def batch(self, trials: Int[Tensor, " b"]) -> Target:
        """The target with a subset of its trials."""
        return replace(self, triplets=self.triplets[trials], odd=self.odd[trials])

    def among(self, stimuli: Int[Tensor, " k"], n: int) -> Target:
        """The trials and pairs among some of the stimuli, which become 0..k−1, as an estimate of the whole.

        The mean loss on these trials is weighted so that its expectation over random sets of k stimuli is the mean over all
        trials: each is within a set with probability k(k−1)(k−2) / N(N−1)(N−2) (Horvitz & Thompson 1952).

        Args:
            stimuli: distinct stimuli.
            n: N.
        """
        place = torch.full((n,), -1, dtype=torch.int64, device=self.triplets.device)
        place[stimuli.to(place.device)] = torch.arange(len(stimuli), device=place.device)
        triplets, pairs = place[self.triplets], place[self.pairs]
        seen, known = (triplets >= 0).all(dim=1), (pairs >= 0).all(dim=1)
        k, expected = len(stimuli), len(self.odd) / (n * (n - 1) * (n - 2))
        expected *= k * (k - 1) * (k - 2)
        weight = float(seen.sum()) / expected if expected else 0.0
        return Target(
            triplets[seen], self.odd[seen], pairs[known], self.dissimilarity[known], self.counts[known],
            self.trial_weight * weight,
        )  # fmt: skip
