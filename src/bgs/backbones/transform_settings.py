"""Settings of a trained transform of frozen embeddings."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from bgs._config import Settings, changed_keys


class TransformSettings(Settings):
    """A map of frozen embeddings that starts as the identity."""

    kind: Literal["linear", "low-rank", "mlp"] = "linear"
    """What is added to an embedding: a full matrix times it, a matrix of low rank times it, or a small network of it."""
    rank: int = Field(16, ge=1)
    """Of the matrix (kind: low-rank)."""
    hidden: int = Field(256, ge=1)
    """Units of the network's hidden layer (kind: mlp)."""
    pull: float | None = Field(None, ge=0)
    """Strength of the pull towards the identity: half of it times the squared norm of what is added is part of the loss. null
    chooses it on training clips: of 0.0001, 0.001, … 1 the one with the highest validation RSA."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Share of the embedding's dimensions that the added part does not see in an update."""

    @model_validator(mode="after")
    def _refuse_conflicts(self) -> TransformSettings:
        for key, kind in (("rank", "low-rank"), ("hidden", "mlp")):
            if key in changed_keys(self) and self.kind != kind:
                raise ValueError(f"{key} conflicts with kind: {self.kind}")
        return self
