"""Attention of models over the frames of a clip, as a spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from bgs._errors import DataError
from bgs._typing import Float64
from bgs.stimuli import ClipMaps

#: Colours range from no weight to this quantile of all weights drawn, so that a few extreme patches do not hide the
#: others; but at least to this multiple of uniform weight, so that noise looks like noise.
_TOP, _LEAST_TOP = 0.99, 2.0


@dataclass(frozen=True, eq=False)
class OverlayRow:
    """One model on one clip.

    Attributes:
        label: what the row is called.
        frames: (k, s, s, 3) uint8, as the model saw them.
        heat: (k, h, w) weight of each patch as a multiple of an even spread over the clip: 1 is chance.
        parts: k of the clip's T equal parts, from 0, whose middle each frame is.
        total: T.
    """

    label: str
    frames: UInt8[np.ndarray, "k s s 3"]
    heat: Float64[np.ndarray, "k h w"]
    parts: tuple[int, ...]
    total: int

    def moments(self) -> list[float]:
        """When each frame is shown, 0 (the clip's beginning) to 1 (its end)."""
        return [(2 * part + 1) / (2 * self.total) for part in self.parts]


@dataclass(frozen=True, eq=False)
class Overlay:
    """Models on one clip, one row each, on a common colour scale.

    Attributes:
        clip: stimulus id.
        method: how the weights came about.
        rows: from top to bottom.
        top: heat from which on the colour is the brightest.
    """

    clip: str
    method: str
    rows: tuple[OverlayRow, ...]
    top: float

    def describe(self) -> str:
        """The picture in words."""
        rows = "; ".join(f"{row.label}: {_brightest(row)}" for row in self.rows)
        scale = (
            f"{len(self.rows[0].parts)} frames per row, colours from 0 to {self.top:.1f} × uniform attention"
        )
        return f"{self.method} on {self.clip}, {scale}. {rows}"


def overlay(
    clip: str,
    maps: Mapping[str, ClipMaps],
    frames: Mapping[str, UInt8[np.ndarray, "t s s 3"]],
    columns: int | None = 6,
) -> Overlay:
    """The overlay of a clip.

    Args:
        clip: stimulus id.
        maps: label of a row -> the maps of a model; rows are drawn in this order.
        frames: the same labels -> the frames of this clip that the model saw.
        columns: frames drawn, evenly spread; None draws all of them.

    Raises:
        DataError: no model, or one without a map of this clip or with other frames than its map.
    """
    rows = tuple(_row(label, clip, found, frames[label], columns) for label, found in maps.items())
    if not rows:
        raise DataError("no map to lay over this clip", where=clip)
    heat = np.concatenate([row.heat.ravel() for row in rows])
    top = max(_LEAST_TOP, float(np.quantile(heat, _TOP)))
    return Overlay(clip, next(iter(maps.values())).method, rows, top)


def _row(
    label: str, clip: str, maps: ClipMaps, frames: UInt8[np.ndarray, "t s s 3"], columns: int | None
) -> OverlayRow:
    total = maps.sampling.frames
    if clip not in maps.stimulus_ids or len(frames) != total:
        raise DataError(
            "no map of these frames", where=f"{label}: {clip}", expected=f"{total} frames", got=len(frames)
        )
    values = maps.values[maps.stimulus_ids.index(clip)]
    count = total if columns is None else min(columns, total)
    parts = (2 * np.arange(count) + 1) * total // (2 * count)
    return OverlayRow(label, frames[parts], (values * values.size)[parts], tuple(parts.tolist()), total)


def _brightest(row: OverlayRow) -> str:
    frame, y, x = np.unravel_index(int(row.heat.argmax()), row.heat.shape)
    height, width = row.heat.shape[1:]
    down, across = (int(y) + 0.5) / height, (int(x) + 0.5) / width
    return (
        f"most at {100 * row.moments()[int(frame)]:.0f} % of the clip, {100 * across:.0f} % from the left and "
        f"{100 * down:.0f} % from the top ({row.heat.max():.1f} ×)"
    )
