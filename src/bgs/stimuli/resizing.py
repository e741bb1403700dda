"""Resizes frames, antialiased, with torch, in eight bits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from bgs._optional import require
from bgs.stimuli.sampling import Sampling

#: Pictures are resized together, up to this many bytes of them: each call takes as long as a small picture.
_TOGETHER = 1 << 25


def fit(pictures: Sequence[UInt8[np.ndarray, "h w 3"]], sampling: Sampling) -> UInt8[np.ndarray, "t s s 3"]:
    """Resize and centre-crop frames as specified by ``sampling``.

    Sides and the offset of the crop are rounded down.
    """
    alike = {picture.shape for picture in pictures}
    size = 1 if len(alike) > 1 else max(1, _TOGETHER // pictures[0].nbytes)
    parts = [_fit(np.stack(pictures[i : i + size]), sampling) for i in range(0, len(pictures), size)]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)  # whoever keeps them copies them


def _fit(pictures: UInt8[np.ndarray, "t h w 3"], sampling: Sampling) -> UInt8[np.ndarray, "t s s 3"]:
    height, width = resized_sides(pictures.shape[1], pictures.shape[2], sampling)
    if (height, width) != pictures.shape[1:3]:
        pictures = resize(pictures, height, width, sampling.interpolation)
    top, left = (height - sampling.size) // 2, (width - sampling.size) // 2
    cropped: UInt8[np.ndarray, "t s s 3"] = pictures[
        :, top : top + sampling.size, left : left + sampling.size
    ]
    return cropped


def fit_frames(frames: UInt8[np.ndarray, "n h w 3"], sampling: Sampling) -> UInt8[np.ndarray, "t s s 3"]:
    """Of frames that are shown equally long, those that ``sampling`` takes, each fitted once."""
    positions = sampling.positions(len(frames))
    chosen = sorted({*positions})
    fitted = fit([frames[position] for position in chosen], sampling)
    return fitted[np.searchsorted(chosen, positions)]


def shrink(picture: UInt8[np.ndarray, "h w 3"], side: int) -> UInt8[np.ndarray, "h2 w2 3"]:
    """Resize a whole frame until its shorter side is ``side`` pixels; one that is not larger stays as it is."""
    height, width = picture.shape[:2]
    shorter = min(height, width)
    if shorter <= side:
        return picture
    resized = resize(picture[None], round(height * side / shorter), round(width * side / shorter))
    small: UInt8[np.ndarray, "h2 w2 3"] = resized[0]
    return small


def resized_sides(height: int, width: int, sampling: Sampling) -> tuple[int, int]:
    """Height and width of a frame after resizing, before the crop."""
    if sampling.crop == "none":
        return sampling.size, sampling.size
    shorter = min(height, width)
    return height * sampling.shorter_side // shorter, width * sampling.shorter_side // shorter


def resize(
    pictures: UInt8[np.ndarray, "t h w 3"], height: int, width: int, interpolation: str = "bilinear"
) -> UInt8[np.ndarray, "t h2 w2 3"]:
    """Resize whole frames, antialiased."""
    torch = require("torch", "video")
    # Channels-last uint8 frames use torch's integer kernel, six times as fast as floats.
    channels_first = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)
    resized = torch.nn.functional.interpolate(
        channels_first, size=(height, width), mode=interpolation, antialias=True, align_corners=False
    )
    result: UInt8[np.ndarray, "t h2 w2 3"] = resized.permute(0, 2, 3, 1).numpy()
    return result
