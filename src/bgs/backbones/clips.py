"""Clips as network inputs: memory-mapped uint8 frames, converted to normalised pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from bgs._errors import ConfigError
from bgs._typing import Int
from bgs.backbones.backbone import Inputs
from bgs.backbones.symmetry import IMAGES, Symmetry, turned
from bgs.backbones.video_spec import VideoSpec
from bgs.stimuli.frame_pack import FrameArray
from bgs.stimuli.unreadable import Failure

Clips = UInt8[Tensor, "b t s s 3"]
Pixels = Float[Tensor, "b t 3 s s"]
#: Numbers converted at once on a CPU, about: few enough that they are still in its caches when they are scaled.
_BLOCK = 2**20


@dataclass(frozen=True)
class ColourClips:
    """Clips as floats, through which gradients flow: frames already chosen, resized and cropped, values 0–1."""

    values: Pixels


class VideoInputs(Inputs):
    """Clips as uint8 frames, often memory-mapped; a unit is a clip or one of its symmetric images.

    Drawing one image of a clip for an update is data augmentation; averaging over all of them makes the embedding of a
    stimulus invariant to the symmetry.

    Args:
        frames: (c, T, S, S, 3) uint8, an array or the frames of a cache.
        owner: (c,) position of the stimulus each clip belongs to.
        failures: clips that were skipped.
        symmetry: the symmetries used.
    """

    def __init__(
        self,
        frames: UInt8[np.ndarray, "c t s s 3"] | FrameArray,
        owner: Int[np.ndarray, " c"],
        failures: Sequence[Failure] = (),
        symmetry: Symmetry = "none",
    ) -> None:
        self._frames = frames
        self._images = IMAGES[symmetry]
        self.owner = np.repeat(owner, self._images)
        self.failures = tuple(failures)
        self.cost = np.ones(len(self.owner), dtype=np.int64)

    def batch(self, units: Int[np.ndarray, " b"]) -> Clips:
        clips = np.asarray(self._frames[units // self._images])  # the only copy, from the page cache
        for row, image in enumerate((units % self._images).tolist()):
            if image:
                clips[row] = turned(clips[row], image, self._images)
        return torch.from_numpy(clips)


class Normaliser:
    """Converts uint8 clips to float32 pixels with the checkpoint's mean and standard deviation per channel.

    Raises (when called):
        ConfigError: clips do not have the encoder's shape.
    """

    def __init__(self, spec: VideoSpec) -> None:
        self._spec = spec
        self._buffer = torch.empty(0)

    def new_pixels(self, clips: Clips, device: torch.device) -> Pixels:
        """Pixels in newly allocated memory."""
        return self._fill(torch.empty(clips.shape, device=device), clips)

    def buffered_pixels(self, clips: Clips, device: torch.device) -> Pixels:
        """Pixels in a reused buffer, overwritten by the next call; with gradients, in newly allocated memory.

        Allocating new pages costs a small network a seventh of its time.
        """
        if torch.is_grad_enabled():
            return self.new_pixels(clips, device)
        if self._buffer.shape != clips.shape or self._buffer.device != device:
            with torch.inference_mode(False):  # or later calls outside of that mode could not write into it
                self._buffer = torch.empty(clips.shape, device=device)
        return self._fill(self._buffer, clips)

    def of_colours(self, clips: ColourClips, device: torch.device) -> Pixels:
        """Pixels of clips of floats, by an operation that has a gradient."""
        values, wanted = clips.values, self._spec.preprocessing
        expected = (self._spec.frames, 3, wanted.size, wanted.size)
        if tuple(values.shape[1:]) != expected:
            raise ConfigError(
                "clips", where=self._spec.source, expected=expected, got=tuple(values.shape[1:])
            )
        values = values.to(device)
        mean, deviation = (values.new_tensor(each).reshape(3, 1, 1) for each in (wanted.mean, wanted.std))
        return (values - mean) / deviation

    def _fill(self, into: Float[Tensor, "b t s s 3"], clips: Clips) -> Pixels:
        """The pixels are a view: channels stay last in memory, as in the frames; patches in time are cut from them up to
        twice as fast as from planes (VideoMAE-B: 57 instead of 111 ms for two clips), patches of single frames about as fast.
        """
        wanted, device = self._spec.preprocessing, into.device
        expected = (self._spec.frames, wanted.size, wanted.size, 3)
        if tuple(clips.shape[1:]) != expected:
            raise ConfigError("clips", where=self._spec.source, expected=expected, got=tuple(clips.shape[1:]))
        deviation = torch.tensor(wanted.std, device=device)
        offset = -torch.tensor(wanted.mean, device=device) / deviation
        # Whole rows of a picture: for three numbers at a time, torch would not use vector instructions.
        scale, offset = (1 / (255 * deviation)).repeat(wanted.size), offset.repeat(wanted.size)
        rows, given = into.view(-1, len(scale)), clips.to(device).reshape(-1, len(scale))
        step = max(1, _BLOCK // len(scale) if device.type == "cpu" else len(rows))
        for block, values in zip(rows.split(step), given.split(step), strict=True):
            block.copy_(values).mul_(scale).add_(offset)
        return into.permute(0, 1, 4, 2, 3)
