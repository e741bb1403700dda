"""Inputs whose content is their features: of a file, or of an encoder that stays frozen, computed once for all updates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float

from bgs._typing import Int
from bgs.backbones.backbone import Backbone, Features, Inputs
from bgs.backbones.encode import encode_units, pool


class KnownFeatures(Inputs):
    """Units with known features.

    Args:
        values: (u, d) float32 features.
        owner: (u,) position of the stimulus each unit belongs to.
    """

    def __init__(self, values: Float[np.ndarray, "u d"], owner: Int[np.ndarray, " u"]) -> None:
        self.values, self.owner = values, owner
        self.cost = np.ones(len(owner), dtype=np.int64)

    @classmethod
    def of_stimuli(cls, values: Float[np.ndarray, "n d"]) -> KnownFeatures:
        """One unit a stimulus."""
        return cls(values, np.arange(len(values)))

    @classmethod
    def of(
        cls,
        backbone: Backbone,
        inputs: Inputs,
        micro_batch: int,
        progress: Callable[[int], None] | None = None,
        frozen: Float[np.ndarray, "n d"] | None = None,
    ) -> KnownFeatures:
        """Features of all units of an encoder whose network is not trained, before its head.

        ``frozen``, the stimuli's embeddings by the same encoder, saves computing them where each stimulus has one unit.
        """
        if isinstance(inputs, KnownFeatures):
            return inputs
        if frozen is not None and np.array_equal(inputs.owner, np.arange(len(frozen))):
            return cls.of_stimuli(frozen)
        units = np.arange(len(inputs.owner))
        vectors = encode_units(backbone, inputs, units, micro_batch, progress, backbone.headless)
        return cls(vectors.cpu().numpy(), inputs.owner)

    def batch(self, units: Int[np.ndarray, " b"]) -> Features:
        return Features(torch.from_numpy(self.values[units]))

    def of_positions(self, positions: Int[np.ndarray, " m"]) -> Float[np.ndarray, "m d"]:
        """(m, d) means over the units of each stimulus; ``positions`` must ascend."""
        units = np.flatnonzero(np.isin(self.owner, positions))
        owner = np.searchsorted(positions, self.owner[units])
        return pool(torch.from_numpy(self.values[units]), owner, len(positions)).numpy()
