"""Attention maps: weights over frames and patches of a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bgs._errors import DataError, listed
from bgs._typing import Float64
from bgs.stimuli.sampling import Sampling

#: Tolerance for the sum of a map's weights.
_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class ClipMaps:
    """One attention map per clip.

    Attributes:
        values: (n, T, h, w) weights ≥ 0 on the h × w grid of patches of each of T frames; each clip's sum to 1.
        stimulus_ids: n distinct ids.
        sampling: the frames that the model saw, and the crop.
        source: the model.
        method: how the weights were computed.

    Raises:
        DataError: numbers of ids or frames do not match, or weights are negative or do not sum to 1.
    """

    values: Float64[np.ndarray, "n t h w"]
    stimulus_ids: tuple[str, ...]
    sampling: Sampling
    source: str
    method: str

    def __post_init__(self) -> None:
        n, frames = self.values.shape[:2]
        if n != len(self.stimulus_ids) or len(set(self.stimulus_ids)) != n or frames != self.sampling.frames:
            raise DataError(
                "maps, ids and frames do not match", where=self.source, got=f"shape {self.values.shape}",
                expected=f"{len(self.stimulus_ids)} distinct ids, {self.sampling.frames} frames",
            )  # fmt: skip
        totals = self.values.sum(axis=(1, 2, 3))
        wrong = ~(np.abs(totals - 1) < _TOLERANCE) | (self.values < 0).any(axis=(1, 2, 3))
        if wrong.any():
            bad = listed(self.stimulus_ids[i] for i in np.flatnonzero(wrong))
            raise DataError(f"no map for {bad}", where=self.source, expected="weights that sum to 1")

    def __len__(self) -> int:
        return len(self.stimulus_ids)

    def select(self, stimulus_ids: Sequence[str]) -> ClipMaps:
        """Select the maps of some clips, in that order.

        Raises:
            DataError: a clip has no map.
        """
        position = {name: row for row, name in enumerate(self.stimulus_ids)}
        missing = [name for name in stimulus_ids if name not in position]
        if missing:
            raise DataError(f"{len(missing)} clips have no map: {listed(missing)}", where=self.source)
        rows = [position[name] for name in stimulus_ids]
        return replace(self, values=self.values[rows], stimulus_ids=tuple(stimulus_ids))
