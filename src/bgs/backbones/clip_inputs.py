"""Clips as an encoder's units, each also in its mirror images and rotations where these mean the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from bgs._typing import Int
from bgs.backbones.backbone import Inputs

#: ``none``: the clip as it is; ``mirror``: also left for right; ``square``: the eight symmetries of a square, for
#: worlds seen from above, where no direction is special.
Symmetry = Literal["none", "mirror", "square"]
SYMMETRIES: tuple[Symmetry, ...] = get_args(Symmetry)
_IMAGES: dict[Symmetry, int] = {"none": 1, "mirror": 2, "square": 8}

Clips = UInt8[Tensor, "b t s s 3"]


class VideoInputs(Inputs):
    """Clips as uint8 frames, often memory-mapped; a unit is a clip, or one of its images under a symmetry.

    Drawing one image of a clip for an update is augmentation; embedding all of them makes the embedding of a
    stimulus, their mean, the same whichever way its clip was turned.

    Args:
        frames: (c, T, S, S, 3) uint8.
        owner: (c,) position of the stimulus each clip belongs to.
        failures: (stimulus id, reason) of clips that were left out.
        symmetry: which images of a clip there are.
    """

    def __init__(
        self,
        frames: UInt8[np.ndarray, "c t s s 3"],
        owner: Int[np.ndarray, " c"],
        failures: Sequence[tuple[str, str]] = (),
        symmetry: Symmetry = "none",
    ) -> None:
        self._frames = frames
        self._images = _IMAGES[symmetry]
        self.owner = np.repeat(owner, self._images)
        self.failures = tuple(failures)
        self.cost = np.ones(len(self.owner), dtype=np.int64)

    def batch(self, units: Int[np.ndarray, " b"]) -> Clips:
        clips = np.asarray(self._frames[units // self._images])  # the one copy: from the page cache
        for row, image in enumerate((units % self._images).tolist()):
            if image:
                clips[row] = turned(clips[row], image, self._images)
        return torch.from_numpy(clips)


def turned(clip: UInt8[np.ndarray, "t s s 3"], image: int, images: int) -> UInt8[np.ndarray, "t s s 3"]:
    """Image number ``image`` of a clip: its mirror image, of 2; rotations by 90° (0–3) and their mirror images
    (4–7), of 8."""
    if images == 2:
        return clip[:, :, ::-1].copy()
    rotated = np.rot90(clip, image % 4, axes=(1, 2))
    return np.ascontiguousarray(rotated[:, :, ::-1] if image >= 4 else rotated)
