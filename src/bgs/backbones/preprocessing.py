"""Preprocessing of a checkpoint, from its preprocessor file."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

from bgs._errors import ConfigError
from bgs.backbones.pretrained import read_json

_FILES = ("video_preprocessor_config.json", "preprocessor_config.json")
_INTERPOLATIONS: dict[int, Literal["bilinear", "bicubic"]] = {2: "bilinear", 3: "bicubic"}  # PIL's numbers
Colour = tuple[float, float, float]

IMAGENET_MEAN: Colour = (0.485, 0.456, 0.406)
IMAGENET_STD: Colour = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessing:
    """Conversion of decoded frames to network pixels.

    Attributes:
        size: side of the square input in pixels.
        short_edge: shorter side in pixels before centre-cropping to ``size``; None resizes the
            whole frame to the square.
        mean: per channel, of values scaled to 0–1.
        std: per channel, of values scaled to 0–1.
        interpolation: how frames are resized.
    """

    size: int
    short_edge: int | None
    mean: Colour
    std: Colour
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"

    def resized(self, size: int) -> Preprocessing:
        """The same preprocessing for squares of ``size`` pixels, with the same field of view."""
        edge = self.short_edge and round(self.short_edge * size / self.size)
        return replace(self, size=size, short_edge=edge)


def read_preprocessing(name: str) -> Preprocessing | None:
    """Read the preprocessor file of a checkpoint; None if it has none.

    Both formats are supported: ``size: 224`` and ``size: {"shortest_edge": 224}``.

    Raises:
        ConfigError: the file specifies unsupported preprocessing (no resizing, non-square frames, other scaling).
    """
    for filename in _FILES:
        content = read_json(name, filename)
        if content is not None:
            return _parse(content, f"{name}/{filename}")
    return None


def _parse(content: dict[str, Any], where: str) -> Preprocessing:
    scale = content.get("rescale_factor", 1 / 255)
    scaled = content.get("do_rescale", True) and math.isclose(scale, 1 / 255, rel_tol=1e-6)
    interpolation = _INTERPOLATIONS.get(content.get("resample", 2))
    if not scaled or not content.get("do_resize", True) or interpolation is None:
        raise ConfigError(
            "unsupported preprocessing",
            where=where,
            expected="resized (resample 2 or 3), scaled by 1/255",
        )
    size, short_edge = _sizes(content, where)
    normal = content.get("do_normalize", True)
    mean = _colour(content, "image_mean", where) if normal else (0.0, 0.0, 0.0)
    std = _colour(content, "image_std", where) if normal else (1.0, 1.0, 1.0)
    return Preprocessing(size, short_edge, mean, std, interpolation)


def _sizes(content: dict[str, Any], where: str) -> tuple[int, int | None]:
    """Side of the square, and shorter side before cropping (None: no cropping)."""
    edge = _side(content, "size", where)
    if content.get("do_center_crop", True):
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
