"""Region masks on a model's own grid: which share of each patch of each frame it saw belongs to which region."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bgs._errors import ConfigError
from bgs._typing import Float64, Int
from bgs.stimuli import RegionMasks, Sampling


def region_fractions(
    masks: RegionMasks, names: Sequence[str], sampling: Sampling, grid: tuple[int, int]
) -> Float64[np.ndarray, "k t h w"]:
    """How much of each patch each region covers, from 0 to 1; over all of a clip's regions it sums to 1.

    In time, frame i of T is the middle of the i-th of T equal parts of the clip, and masks are frames of equal
    length, so mask ⌊(2i + 1) · masks / 2T⌋ is on screen: the very frame that was decoded where there is one mask a
    video frame. In space, the part of the picture that ``sampling`` cuts out is laid over the masks in exact
    shares (masks have the clip's own shape, at any resolution); a mask's pixel may belong to several patches.

    Args:
        masks: of a clip.
        names: k regions, in the order wanted; one that the clip does not have covers nothing.
        sampling: what the model saw of the clip.
        grid: patches in height and width.

    Raises:
        ConfigError: a sampling of a span: masks do not say how long a clip lasts.
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
    """Where the model's view begins and ends along a side of the masks, in their pixels."""
    if sampling.crop == "none":
        return 0.0, float(length)
    seen = shorter * sampling.size / sampling.shorter_side
    return (length - seen) / 2, (length + seen) / 2


def _overlap(length: int, begin: float, end: float, cells: int) -> Float64[np.ndarray, "c n"]:
    """Share of each of ``cells`` equal parts of begin–end that each pixel of a side makes up; rows sum to 1."""
    edges = np.linspace(begin, end, cells + 1)
    pixels = np.arange(length)
    shared = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    shared = np.maximum(shared, 0.0)
    overlap: Float64[np.ndarray, "c n"] = shared / shared.sum(axis=1, keepdims=True)
    return overlap
