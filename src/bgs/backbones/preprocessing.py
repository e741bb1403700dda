"""Preprocessing of a checkpoint, from its preprocessor file."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

from bgs._errors import ConfigError
from bgs.backbones.pretrained import read_json
from bgs.stimuli import Sampling

_FILES = ("video_preprocessor_config.json", "preprocessor_config.json")
Interpolation = Literal["bilinear", "bicubic"]
_INTERPOLATIONS: dict[int, Interpolation] = {2: "bilinear", 3: "bicubic"}  # PIL's numbers
Colour = tuple[float, float, float]

IMAGENET_MEAN: Colour = (0.485, 0.456, 0.406)
IMAGENET_STD: Colour = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessing:
    """From a clip to the network's pixels.

    Attributes:
        sampling: how frames are chosen, resized and cropped. The families' published values and preprocessor files
            speak about pictures: one frame, until :meth:`for_clips` says how many.
        mean: per channel, of values scaled to 0–1.
        std: per channel, of values scaled to 0–1.
    """

    sampling: Sampling
    mean: Colour
    std: Colour

    @property
    def size(self) -> int:
        """Pixels a side of the square that the network sees."""
        return self.sampling.size

    def for_clips(self, frames: int, size: int) -> Preprocessing:
        """The same for clips of ``frames`` squares of ``size`` pixels, with as much of each frame in view."""
        resize = self.sampling.resize and round(self.sampling.resize * size / self.size)
        return replace(self, sampling=replace(self.sampling, frames=frames, size=size, resize=resize))

    def settings(self) -> dict[str, Any]:
        """JSON types only; ``short_edge`` is null where the whole frame is squeezed into the square."""
        return {
            "frames": self.sampling.frames, "size": self.size, "short_edge": self.sampling.resize,
            "mean": list(self.mean), "std": list(self.std), "interpolation": self.sampling.interpolation,
        }  # fmt: skip


def of_pictures(
    size: int,
    short_edge: int | None,
    mean: Colour,
    std: Colour,
    interpolation: Interpolation = "bilinear",
) -> Preprocessing:
    """How single frames are prepared.

    Args:
        size: pixels a side of the square.
        short_edge: pixels of the shorter side before the centre is cropped out; None squeezes the whole frame.
        mean: per channel, of values scaled to 0–1.
        std: per channel, of values scaled to 0–1.
        interpolation: how frames are resized.
    """
    crop: Literal["none", "center"] = "none" if short_edge is None else "center"
    return Preprocessing(Sampling(1, size, crop, short_edge, interpolation), mean, std)


def read_preprocessing(name: str, published: Preprocessing) -> Preprocessing | None:
    """What the preprocessor file of a checkpoint says about pictures; None where it has none.

    Both generations of the file are understood: ``size: 224`` and ``size: {"shortest_edge": 224}``. Where it says nothing
    about cropping or interpolation, the family's ``published`` values apply, as in its own preprocessor.

    Raises:
        ConfigError: the file specifies unsupported preprocessing (no resizing, non-square frames, other scaling).
    """
    for filename in _FILES:
        content = read_json(name, filename)
        if content is not None:
            return _parse(content, f"{name}/{filename}", published.sampling)
    return None


def _parse(content: dict[str, Any], where: str, published: Sampling) -> Preprocessing:
    scale = content.get("rescale_factor", 1 / 255)
    scaled = content.get("do_rescale", True) and math.isclose(scale, 1 / 255, rel_tol=1e-6)
    interpolation = (
        _INTERPOLATIONS.get(content["resample"]) if "resample" in content else published.interpolation
    )
    if not scaled or not content.get("do_resize", True) or interpolation is None:
        raise ConfigError(
            "unsupported preprocessing",
            where=where,
            expected="resized (resample 2 or 3), scaled by 1/255",
        )
    size, short_edge = _sizes(content, where, crops=published.crop == "center")
    normal = content.get("do_normalize", True)
    mean = _colour(content, "image_mean", where) if normal else (0.0, 0.0, 0.0)
    std = _colour(content, "image_std", where) if normal else (1.0, 1.0, 1.0)
    return of_pictures(size, short_edge, mean, std, interpolation)


def _sizes(content: dict[str, Any], where: str, crops: bool) -> tuple[int, int | None]:
    """Side of the square, and of the shorter side before the crop (None: no crop, the whole frame)."""
    edge = _side(content, "size", where)
    if content.get("do_center_crop", crops):
        size = _side(content, "crop_size", where) or edge
        if size is not None:
            return size, max(edge or size, size)
    elif edge is not None and "height" in content["size"]:
        return edge, None
    raise ConfigError(
        "frames would not be square", where=where, expected="a crop_size, or size with height and width"
    )


def _side(content: dict[str, Any], key: str, where: str) -> int | None:
    value = content.get(key)
    if isinstance(value, dict):
        sides = {value[side] for side in ("shortest_edge", "height", "width") if value.get(side)}
        if len(sides) != 1:
            raise ConfigError(f"{key}: not a square", where=where, expected="one length", got=value)
        value = sides.pop()
    return int(value) if value is not None else None


def _colour(content: dict[str, Any], key: str, where: str) -> Colour:
    try:
        red, green, blue = map(float, content[key])
    except (KeyError, TypeError, ValueError):
        raise ConfigError(f"{key}: not three numbers", where=where, got=content.get(key)) from None
    return (red, green, blue)
