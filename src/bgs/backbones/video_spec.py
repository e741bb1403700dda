"""Native settings of a video checkpoint, and the settings in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bgs.backbones.backbone import BackboneSpec
from bgs.backbones.pooling import Pool, Time
from bgs.backbones.preprocessing import Preprocessing
from bgs.backbones.symmetry import Symmetry


@dataclass(frozen=True)
class Native:
    """Native settings of a checkpoint.

    Attributes:
        frames: frames per clip.
        size: width and height in pixels.
        patch: side of a patch in pixels; sizes are multiples of it.
        tubelet: frames that share a token; numbers of frames are multiples of it.
        width: width of the hidden states.
        embedding: width of the native embedding, after the last norm and any projection.
        depth: number of blocks.
    """

    frames: int
    size: int
    patch: int
    tubelet: int
    width: int
    embedding: int
    depth: int


@dataclass(frozen=True, kw_only=True)
class VideoSpec(BackboneSpec):
    """A :class:`BackboneSpec` with the settings for reading clips.

    Attributes:
        preprocessing: conversion of a clip to pixels.
        depth: number of blocks that are run.
        layer: the block whose tokens are pooled, None for the native embedding.
        symmetry: symmetries over which embeddings are averaged.
        pool: how tokens of single frames are pooled over space; None for the family's default.
        time: how they are summarised over time.
    """

    preprocessing: Preprocessing
    depth: int
    layer: int | None = None
    symmetry: Symmetry = "none"
    pool: Pool | None = None
    time: Time = "mean"

    @property
    def frames(self) -> int:
        """T, frames of a clip."""
        return self.preprocessing.sampling.frames

    def settings(self) -> dict[str, Any]:
        settings = {"layer": self.layer, "symmetry": self.symmetry, **self.preprocessing.settings()}
        # Recorded only where it differs from the default, so that older adapters remain valid.
        if self.pool is not None:
            settings["pool"] = self.pool
        if self.time != "mean":
            settings["time"] = self.time
        return settings
