"""Settings of low-rank adapters."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from bgs._config import Settings

_LAYERS = re.compile(r"all|last:[1-9]\d*")


class LoraSettings(Settings):
    """Rank, scale and location of the adapters. Defaults are those of the paper (v1)."""

    rank: int = Field(8, ge=1)
    """Rank of the adapters."""
    alpha: float = Field(16, gt=0)
    """Adapters are scaled by alpha / rank."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout rate of their inputs."""
    layers: str = "all"
    """Adapted transformer blocks: ``all``, or ``last:k``."""

    @field_validator("layers")
    @classmethod
    def _known_layers(cls, layers: str) -> str:
        if not _LAYERS.fullmatch(layers):
            raise ValueError("expected `all` or `last:k`")
        return layers
