"""Cosine similarities of embeddings: computed once for all pairs, then indexed by trial and by pair."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

#: Slot pairs of a trial; pair k is kept together when slot k is odd.
KEPT_PAIR = ((1, 2), (0, 2), (0, 1))


def cosine_similarities(embeddings: Float[Tensor, "n d"]) -> Float[Tensor, "n n"]:
    """(n, n) cosine similarities, −1 to 1; a zero vector has similarity 0 to everything."""
    unit = torch.nn.functional.normalize(embeddings, dim=-1)
    return unit @ unit.T


def pair_similarities(similarity: Float[Tensor, "n n"], triplets: Int[Tensor, "t 3"]) -> Float[Tensor, "t 3"]:
    """(t, 3) similarity of the pair kept together if slot 0, 1 or 2 is the odd one."""
    columns = [similarity[triplets[:, first], triplets[:, second]] for first, second in KEPT_PAIR]
    return torch.stack(columns, dim=1)
