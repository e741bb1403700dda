"""Resizes frames, antialiased, with torch, in eight bits."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from bgs._optional import require
from bgs.stimuli.sampling import Sampling


def fit(picture: UInt8[np.ndarray, "h w 3"], sampling: Sampling) -> UInt8[np.ndarray, "s s 3"]:
    """Resize and centre-crop a frame as specified by ``sampling``.

    Sides and the offset of the crop are rounded down.
    """
    height, width = resized_sides(picture.shape[0], picture.shape[1], sampling)
    if (height, width) != picture.shape[:2]:
        picture = resize(picture, height, width, sampling.interpolation)
    top, left = (height - sampling.size) // 2, (width - sampling.size) // 2
    return picture[top : top + sampling.size, left : left + sampling.size]


def fit_frames(frames: UInt8[np.ndarray, "n h w 3"], sampling: Sampling) -> UInt8[np.ndarray, "t s s 3"]:
    """Of frames that are shown equally long, those that ``sampling`` takes, each fitted once."""
    positions = sampling.positions(len(frames))
    fitted = {position: fit(frames[position], sampling) for position in {*positions}}
    return np.stack([fitted[position] for position in positions])


def shrink(picture: UInt8[np.ndarray, "h w 3"], side: int) -> UInt8[np.ndarray, "h2 w2 3"]:
    """Resize a whole frame until its shorter side is ``side`` pixels; one that is not larger stays as it is."""
    height, width = picture.shape[:2]
    shorter = min(height, width)
    if shorter <= side:
        return picture
    return resize(picture, round(height * side / shorter), round(width * side / shorter))


def resized_sides(height: int, width: int, sampling: Sampling) -> tuple[int, int]:
    """Height and width of a frame after resizing, before the crop."""
    if sampling.crop == "none":
        return sampling.size, sampling.size
    shorter = min(height, width)
    return height * sampling.shorter_side // shorter, width * sampling.shorter_side // shorter


def resize(
    picture: UInt8[np.ndarray, "h w 3"], height: int, width: int, interpolation: str = "bilinear"
) -> UInt8[np.ndarray, "h2 w2 3"]:
    """Resize a whole frame, antialiased."""
    torch = require("torch", "video")
    # Channels-last uint8 frames use torch's integer kernel, six times as fast as floats.
    channels_first = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None]
    resized = torch.nn.functional.interpolate(
        channels_first, size=(height, width), mode=interpolation, antialias=True, align_corners=False
    )
    result: UInt8[np.ndarray, "h2 w2 3"] = resized[0].permute(1, 2, 0).numpy()
    return result
