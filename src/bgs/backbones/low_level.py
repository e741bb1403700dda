"""Low-level baselines: what colours and motion alone say about a clip. No weights, nothing to train."""

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

#: Pixels a side at which clips are read, and cells a side of the pixel baseline's picture.
SIZE, CELLS = 64, 16
#: Share of each colour in perceived brightness (ITU-R BT.601).
_GREY = np.array([0.299, 0.587, 0.114])

#: Eight directions of motion, in degrees: 0 is rightward, 90 upward.
DIRECTIONS = tuple(range(0, 360, 45))
#: Cycles a pixel, and cycles a frame.
SPATIAL, TEMPORAL = (1 / 16, 1 / 8), (1 / 8, 1 / 4)
#: Standard deviation of a filter's window in cycles of its own wave.
_WINDOW = 0.5
#: Cells a side over which motion energy is averaged.
GRID = 4
#: Less energy than this is rounding error: a still clip gets exactly none, not a random direction.
_NOTHING = 1e-20


class LowLevelBackbone(ClipReader):
    """A fixed function of a clip's frames, each clip by itself.

    Attributes:
        family: the name before the colon.
        variants: what may follow the colon; the first is meant where nothing does.
        frames: T, frames of a clip.
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
        """The baseline ``<family>:<variant>``.

        Raises:
            ConfigError: another variant, or settings, of which there are none.
        """
        variant, _, query = name.partition("?")
        if (variant or cls.variants[0]) not in cls.variants or parse_qsl(query):
            expected = " or ".join(f"{cls.family}:{variant}" for variant in cls.variants)
            raise ConfigError("unknown baseline", where=f"{cls.family}:{name}", expected=expected)
        return cls.of(variant or cls.variants[0])

    @classmethod
    @abstractmethod
    def of(cls, variant: str) -> LowLevelBackbone:
        """The baseline of a known variant."""

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

    The whole picture is squeezed into a square. Values are 0–1. A cell's contrast is the standard deviation of
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
    """``motion:energy``: how much moves in which direction, where in the picture.

    The square root of :func:`motion_energy`, so that twice the contrast is twice the length.
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
    It has no response to what does not change in time or is the same everywhere, so a still clip has no energy.

    Args:
        grey: (T, S, S) brightness, 0–1.

    Returns:
        (spatial frequencies, temporal frequencies, directions, GRID, GRID) mean energies over time and over the
        cells of a grid; see :data:`SPATIAL`, :data:`TEMPORAL` and :data:`DIRECTIONS`.
    """
    frames, size = grey.shape[:2]
    energy = np.empty((len(SPATIAL), len(TEMPORAL), len(DIRECTIONS), GRID, GRID))
    for v, temporal in enumerate(TEMPORAL):
        # A wave exp(i(kx − ωt)) travels towards +x: filters and clip multiply along one axis after the other.
        over_time = np.tensordot(_bank(-temporal, temporal, frames), grey, axes=1)
        for f, spatial in enumerate(SPATIAL):
            for d, direction in enumerate(np.deg2rad(DIRECTIONS)):
                across, down = spatial * np.cos(direction), -spatial * np.sin(direction)
                response = _bank(down, spatial, size) @ over_time @ _bank(across, spatial, size).T
                energy[f, v, d] = _cells((np.abs(response) ** 2).mean(axis=0))
    return np.where(energy < _NOTHING, 0.0, energy)


@lru_cache(maxsize=64)
def _bank(frequency: float, scale: float, length: int) -> Complex[np.ndarray, "length length"]:
    """Rows are a wave around each position of an axis, in a window of unit sum, and without a mean.

    Args:
        frequency: cycles a step along this axis.
        scale: cycles a step of the whole wave, which set the window.
        length: of the axis.
    """
    offset = np.arange(length)[None] - np.arange(length)[:, None]
    window = np.exp(-0.5 * (offset * scale / _WINDOW) ** 2)
    window /= window.sum(axis=1, keepdims=True)
    if abs(frequency) < 1e-12:  # across the direction of motion: nothing but the window
        still: Complex[np.ndarray, "length length"] = window.astype(np.complex128)
        return still
    wave = np.exp(-2j * np.pi * frequency * offset)
    bank: Complex[np.ndarray, "length length"] = window * (wave - (window * wave).sum(axis=1, keepdims=True))
    return bank


def _cells(picture: Float64[np.ndarray, "s s"]) -> Float64[np.ndarray, "g g"]:
    side = len(picture) // GRID
    cells: Float64[np.ndarray, "g g"] = picture.reshape(GRID, side, GRID, side).mean(axis=(1, 3))
    return cells
