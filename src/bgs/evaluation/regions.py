"""Region masks on a model's patch grid: the fraction of each patch of each frame covered by each region."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bgs._errors import ConfigError
from bgs._typing import Float64, Int
from bgs.stimuli import RegionMasks, Sampling


def region_fractions(
    masks: RegionMasks, names: Sequence[str], sampling: Sampling, grid: tuple[int, int]
) -> Float64[np.ndarray, "k t h w"]:
    """Fraction of each patch covered by each region, 0 to 1; sums to 1 over all of a clip's regions.

    In time, frame i of T is the middle of the i-th of T equal parts of the clip, and masks are frames of equal
    duration, so mask ⌊(2i + 1) · masks / 2T⌋ is on screen: exactly the decoded frame if there is one mask per
    video frame. In space, the crop of ``sampling`` is mapped to the masks with exact area
    fractions (masks have the clip's aspect ratio, at any resolution); a pixel of a mask may belong to several patches.

    Args:
        masks: masks of a clip.
        names: k regions, in the desired order; regions that the clip does not have cover nothing.
        sampling: sampling of the clip by the model.
        grid: number of patches in height and width.

    Raises:
        ConfigError: the sampling has a span: masks do not give the duration of a clip.
    """
    if sampling.span is not None:
        raise ConfigError("masks cannot be matched to a span of a clip", expected="whole clips")
    shown = masks.labels[_shown(len(masks.labels), sampling.frames)]
    down, across = (
        _overlap(length, *_view(length, min(shown.shape[1:]), sampling), cells)
        for length, cells in zip(shown.shape[1:], grid, strict=True)
    )
    label = {name: number for number, name in enumerate(masks.names)}
    absent = np.zeros((sampling.frames, *grid))
    return np.stack([down @ (shown == label[name]) @ across.T if name in label else absent for name in names])


def _shown(masks: int, frames: int) -> Int[np.ndarray, " t"]:
    return (2 * np.arange(frames) + 1) * masks // (2 * frames)


def _view(length: int, shorter: int, sampling: Sampling) -> tuple[float, float]:
    """Start and end of the model's view along a side of the masks, in mask pixels."""
    if sampling.crop == "none":
        return 0.0, float(length)
    seen = shorter * sampling.size / sampling.shorter_side
    return (length - seen) / 2, (length + seen) / 2


def _overlap(length: int, begin: float, end: float, cells: int) -> Float64[np.ndarray, "c n"]:
    """Fraction of each of ``cells`` equal parts of begin–end covered by each pixel of a side; rows sum to 1."""
    edges = np.linspace(begin, end, cells + 1)
    pixels = np.arange(length)
    shared = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    shared = np.maximum(shared, 0.0)
    overlap: Float64[np.ndarray, "c n"] = shared / shared.sum(axis=1, keepdims=True)
    return overlap
