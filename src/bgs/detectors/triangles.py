"""Two dark triangles of different size on a light ground, as in animations after Heider & Simmel.

Both have one colour, so that colour tells them from the ground, and size and movement tell them from each other: where they
touch or overlap, they are followed from the frames before, as rigid shapes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from jaxtyping import UInt8
from scipy import ndimage

from bgs._typing import Float64
from bgs.detectors.rigid_triangles import Triangle, fit, mismatch, pixel_grid
from bgs.stimuli import RegionMasks
from bgs.stimuli.boxes import BACKGROUND

NAMES = (BACKGROUND, "small triangle", "large triangle")
#: Least difference in luminance (0–255) between figures and ground, and least share of the frame that is a figure.
_CONTRAST, _SPECK = 64, 0.001
_LUMA = np.array([77, 150, 29], np.uint16)
#: A shape is a known triangle if their areas differ by less than this share.
_SIMILAR = 0.1
#: Greatest mismatch of two shapes with the triangles of the same area and orientation.
_IRREGULAR = 0.15

#: A small and a large triangle.
_Pair = tuple[Triangle, Triangle]


class TriangleTracker:
    """Finds the two triangles in every frame of a clip, of 25 or more frames a second."""

    names = NAMES
    every_frame = True

    def settings(self) -> dict[str, Any]:
        """Name and version of the rule."""
        return {"name": "triangles", "version": 1}

    def __call__(self, frames: Iterable[UInt8[np.ndarray, "h w 3"]]) -> RegionMasks:
        """Regions of a clip: ``background``, ``small triangle``, ``large triangle``.

        The small one is on top where they overlap. All is background if no frame shows two separate triangles.

        Args:
            frames: all frames of a clip, whole, all of one size.
        """
        shown = [darkness(frame) for frame in frames]
        labels = np.zeros((len(shown), *shown[0].shape), np.uint8)
        found = ((number, pair) for number, frame in enumerate(shown) if (pair := _separate(frame / 255)))
        begin, pair = next(found, (0, None))
        if pair is not None:
            for order in (range(begin, len(shown)), range(begin - 1, -1, -1)):
                now = pair
                for number in order:
                    silhouette = shown[number] / 255
                    now = follow(silhouette, now)
                    labels[number] = _labels(silhouette, now)
        return RegionMasks(labels, NAMES)


def darkness(frame: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w"]:
    """Luminance from that of the ground (the median; 0) to the darkest of the frame (255); 0 where contrast is low."""
    luminance = (frame.astype(np.uint16) @ _LUMA) >> 8
    counts = np.bincount(luminance.reshape(-1), minlength=256)
    ground, darkest = int(counts.cumsum().searchsorted(luminance.size / 2)), int(luminance.min())
    if ground - darkest < _CONTRAST:
        return np.zeros(luminance.shape, np.uint8)
    shades = np.clip((ground - np.arange(256)) / (ground - darkest), 0, 1)
    dark: UInt8[np.ndarray, "h w"] = (255 * shades).round().astype(np.uint8)[luminance]
    return dark


def follow(silhouette: Float64[np.ndarray, "h w"], before: _Pair) -> _Pair:
    """The triangles of the next frame: where they are apart, their shapes; otherwise those of the last frame, fitted."""
    shapes = _shapes(silhouette)
    if len(shapes) == 2 and all(
        abs(shape.area / known.area - 1) < _SIMILAR for shape, known in zip(shapes, before, strict=True)
    ):
        small, large = (
            Triangle(shape.x, shape.y, shape.angle, known.radius)
            for shape, known in zip(shapes, before, strict=True)
        )
    else:
        small, large = fit(silhouette, before)
    return small, large


def _separate(silhouette: Float64[np.ndarray, "h w"]) -> _Pair | None:
    """The two triangles of a frame that shows just them, apart and whole."""
    shapes = _shapes(silhouette)
    if len(shapes) != 2 or shapes[0].area > shapes[1].area * (1 - _SIMILAR):
        return None
    return (shapes[0], shapes[1]) if mismatch(silhouette, shapes) < _IRREGULAR else None


def _shapes(silhouette: Float64[np.ndarray, "h w"]) -> list[Triangle]:
    """A triangle for each connected shape but specks, from small to large."""
    labels, _ = ndimage.label(silhouette > 0.25)
    shapes = []
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        covered = np.where(labels[place] == number, silhouette[place], 0.0)
        if covered.sum() > _SPECK * silhouette.size:
            shape = Triangle.of_shape(covered)
            top, left = place[0].start, place[1].start
            shapes.append(Triangle(shape.x + left, shape.y + top, shape.angle, shape.radius))
    return sorted(shapes, key=lambda shape: shape.area)


def _labels(silhouette: Float64[np.ndarray, "h w"], pair: _Pair) -> UInt8[np.ndarray, "h w"]:
    """Each dark pixel belongs to the small triangle if that covers it or is nearer, otherwise to the large one."""
    points = pixel_grid(silhouette.shape)
    small, large = (triangle.outside(points) for triangle in pair)
    return np.where(silhouette > 0.5, np.where((small < 0) | (small < large), 1, 2), 0).astype(np.uint8)
