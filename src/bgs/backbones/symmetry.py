"""Symmetries of clips: mirror images and rotations that do not change the meaning."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from jaxtyping import UInt8

from bgs._errors import ConfigError

#: ``none``: the original clip; ``mirror``: also its left–right mirror image; ``square``: the eight symmetries of a square, for
#: worlds seen from above, without a preferred direction.
Symmetry = Literal["none", "mirror", "square"]
SYMMETRIES: tuple[Symmetry, ...] = get_args(Symmetry)
#: Number of images of a clip, including the original.
IMAGES: dict[Symmetry, int] = {"none": 1, "mirror": 2, "square": 8}


def turned(clip: UInt8[np.ndarray, "t s s 3"], image: int, images: int) -> UInt8[np.ndarray, "t s s 3"]:
    """Image number ``image`` of a clip: its mirror image, of 2; rotations by 90° (0–3) and their mirror images
    (4–7), of 8."""
    if images == 2:
        return clip[:, :, ::-1].copy()
    rotated = np.rot90(clip, image % 4, axes=(1, 2))
    return np.ascontiguousarray(rotated[:, :, ::-1] if image >= 4 else rotated)


def known_symmetry(value: str, where: str) -> Symmetry:
    """Check the name of a symmetry.

    Raises:
        ConfigError: unknown symmetry.
    """
    for known in SYMMETRIES:
        if value == known:
            return known
    raise ConfigError("unknown symmetry", where=where, expected=f"one of {', '.join(SYMMETRIES)}", got=value)
