"""The optional projection head."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class ProjectionHead(nn.Module):
    """Linear → LayerNorm → ReLU → dropout → unit length: the published head (arXiv 2510.01502 v1, 128-d, .3).

    Args:
        width: input dimensions.
        dim: output dimensions.
        dropout: dropout rate, 0–1.
    """

    def __init__(self, width: int, dim: int = 128, dropout: float = 0.3) -> None:
        super().__init__()
        self.dim = dim
        self.linear = nn.Linear(width, dim)
        self.norm = nn.LayerNorm(dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: Float[Tensor, "b w"]) -> Float[Tensor, "b d"]:
        hidden = self.dropout(torch.relu(self.norm(self.linear(features))))
        return nn.functional.normalize(hidden, dim=-1)
