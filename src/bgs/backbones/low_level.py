"""Low-level baselines: colour and motion features of a clip, without trainable weights."""

from __future__ import annotations

from abc import abstractmethod
from functools import lru_cache
from typing import ClassVar
from urllib.parse import parse_qsl

import numpy as np
import torch
from jaxtyping import Complex, Float, UInt8
from torch import Tensor, nn

from bgs._errors import ConfigError
from bgs._typing import Float64
from bgs.backbones.backbone import BackboneSpec
from bgs.backbones.clip_reader import ClipReader
from bgs.backbones.clips import Clips
from bgs.stimuli import Sampling

#: Side in pixels at which clips are read, and side in cells of the pixel baseline's grid.
SIZE, CELLS = 64, 16
#: Luma weights of the colour channels (ITU-R BT.601).
_GREY = np.array([0.299, 0.587, 0.114])

#: Eight directions of motion, in degrees: 0 is rightward, 90 upward.
DIRECTIONS = tuple(range(0, 360, 45))
#: Cycles per pixel, and cycles per frame.
SPATIAL, TEMPORAL = (1 / 16, 1 / 8), (1 / 8, 1 / 4)
#: Standard deviation of a filter's window, in cycles of its wave.
_WINDOW = 0.5
#: Side in cells of the grid over which motion energy is averaged.
GRID = 4
#: Lower energy is treated as rounding error, so that a still clip has exactly zero energy.
_NOTHING = 1e-20


class LowLevelBackbone(ClipReader):
    """A fixed function of the frames of a single clip.

    Attributes:
        family: the name before the colon.
        variants: possible names after the colon; the first is the default.
        frames: T, frames per clip.
    """

    family: ClassVar[str]
    variants: ClassVar[tuple[str, ...]]
    frames: ClassVar[int]

    def __init__(self, variant: str, width: int) -> None:
        self.variant = variant
        self.module = nn.Identity()
        self.spec = BackboneSpec(self.family, f"{self.family}:{variant}", width)

    @classmethod
    def load(cls, name: str) -> LowLevelBackbone:
        """Load the baseline ``<family>:<variant>``.

        Raises:
            ConfigError: unknown variant, or settings, which are not supported.
        """
        variant, _, query = name.partition("?")
        if (variant or cls.variants[0]) not in cls.variants or parse_qsl(query):
            expected = " or ".join(f"{cls.family}:{variant}" for variant in cls.variants)
            raise ConfigError("unknown baseline", where=f"{cls.family}:{name}", expected=expected)
        return cls.of(variant or cls.variants[0])

    @classmethod
    @abstractmethod
    def of(cls, variant: str) -> LowLevelBackbone:
        """Build the baseline of a known variant."""

    @abstractmethod
    def describe(self, clip: UInt8[np.ndarray, "t s s 3"]) -> Float64[np.ndarray, " d"]:
        """The embedding of one clip."""

    def sampling(self) -> Sampling:
        return Sampling(self.frames, SIZE, crop="none")

    def features(self, batch: Clips) -> Float[Tensor, "b d"]:
        vectors = np.stack([self.describe(clip) for clip in batch.cpu().numpy()])
        return torch.from_numpy(vectors).float()

    def lora_pattern(self, layers: str) -> str:
        raise ConfigError("this model has nothing to train", where=self.spec.source)


class PixelBackbone(LowLevelBackbone):
    """``pixels:rgb`` or ``pixels:grey``: the mean frame at 16 × 16, and the contrast of each of its cells.

    Frames are resized to a square without cropping. Values are 0–1. A cell's contrast is the standard deviation of
    grey over its pixels in all frames.
    """

    family = "pixels"
    variants = ("rgb", "grey")
    frames = 16

    @classmethod
    def of(cls, variant: str) -> PixelBackbone:
        return cls(variant, CELLS * CELLS * (4 if variant == "rgb" else 2))

    def describe(self, clip: UInt8[np.ndarray, "t s s 3"]) -> Float64[np.ndarray, " d"]:
        side = SIZE // CELLS
        cells = (clip / 255).reshape(len(clip), CELLS, side, CELLS, side, 3)
        grey = cells @ _GREY
        picture = cells if self.variant == "rgb" else grey[..., None]
        mean, contrast = picture.mean(axis=(0, 2, 4)), grey.std(axis=(0, 2, 4))
        return np.concatenate([mean.ravel(), contrast.ravel()])


class MotionBackbone(LowLevelBackbone):
    """``motion:energy``: motion energy by direction and position.

    The square root of :func:`motion_energy`, so that the norm is proportional to contrast.
    """

    family = "motion"
    variants = ("energy",)
    frames = 32

    @classmethod
    def of(cls, variant: str) -> MotionBackbone:
        return cls(variant, len(SPATIAL) * len(TEMPORAL) * len(DIRECTIONS) * GRID * GRID)

    def describe(self, clip: UInt8[np.ndarray, "t s s 3"]) -> Float64[np.ndarray, " d"]:
        amplitude: Float64[np.ndarray, " d"] = np.sqrt(motion_energy((clip / 255) @ _GREY)).ravel()
        return amplitude


def motion_energy(grey: Float64[np.ndarray, "t s s"]) -> Float64[np.ndarray, "f v d g g"]:
    """Motion energy (Adelson & Bergen 1985, JOSA A 2:284): squared responses of quadrature pairs of 3-D Gabor filters.

    A filter is a travelling wave in a Gaussian window half a cycle wide (standard deviation, in time and space).
    It does not respond to static or spatially uniform input, so a still clip has no energy.

    Args:
        grey: (T, S, S) brightness, 0–1.

    Returns:
        (spatial frequencies, temporal frequencies, directions, GRID, GRID) mean energies over time and over the
        cells of a grid; see :data:`SPATIAL`, :data:`TEMPORAL` and :data:`DIRECTIONS`.
    """
    frames, size = grey.shape[:2]
    energy = np.empty((len(SPATIAL), len(TEMPORAL), len(DIRECTIONS), GRID, GRID))
    for v, temporal in enumerate(TEMPORAL):
        # A wave exp(i(kx − ωt)) travels towards +x. Filters are separable: apply them one axis at a time.
        over_time = np.tensordot(_bank(-temporal, temporal, frames), grey, axes=1)
        for f, spatial in enumerate(SPATIAL):
            for d, direction in enumerate(np.deg2rad(DIRECTIONS)):
                across, down = spatial * np.cos(direction), -spatial * np.sin(direction)
                response = _bank(down, spatial, size) @ over_time @ _bank(across, spatial, size).T
                energy[f, v, d] = _cells((np.abs(response) ** 2).mean(axis=0))
    return np.where(energy < _NOTHING, 0.0, energy)


@lru_cache(maxsize=64)
def _bank(frequency: float, scale: float, length: int) -> Complex[np.ndarray, "length length"]:
    """Filter matrix along an axis: each row is a zero-mean wave around a position, in a window of unit sum.

    Args:
        frequency: cycles per step along this axis.
        scale: cycles per step of the whole wave, which determines the window.
        length: length of the axis.
    """
    offset = np.arange(length)[None] - np.arange(length)[:, None]
    window = np.exp(-0.5 * (offset * scale / _WINDOW) ** 2)
    window /= window.sum(axis=1, keepdims=True)
    if abs(frequency) < 1e-12:  # orthogonal to the direction of motion: only the window
        still: Complex[np.ndarray, "length length"] = window.astype(np.complex128)
        return still
    wave = np.exp(-2j * np.pi * frequency * offset)
    bank: Complex[np.ndarray, "length length"] = window * (wave - (window * wave).sum(axis=1, keepdims=True))
    return bank


def _cells(picture: Float64[np.ndarray, "s s"]) -> Float64[np.ndarray, "g g"]:
    side = len(picture) // GRID
    cells: Float64[np.ndarray, "g g"] = picture.reshape(GRID, side, GRID, side).mean(axis=(1, 3))
    return cells
