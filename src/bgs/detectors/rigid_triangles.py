"""Poses of two equilateral triangles of known size from their common silhouette, by Gauss–Newton."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Complex128
from scipy import ndimage

from bgs._typing import Bool, Float64

#: Widths of the blurred edges in pixels, from coarse to fine, and steps at each. Filters of even width would shift by half a
#: pixel. A triangle may have moved by about the first.
_WIDTHS, _STEPS = (11, 5, 3), 6
#: Keeps what the silhouette does not show (a triangle inside the other) where it was.
_RIDGE = 1.0
#: Mismatch up to which a fit is right; turns that are tried beyond it, a third of a symmetric turn apart.
_GOOD, _TURNS = 0.05, tuple(2 * np.pi / 9 * np.arange(3))
_CORNERS = np.exp(2j * np.pi * np.arange(3) / 3)


@dataclass(frozen=True)
class Triangle:
    """An equilateral triangle.

    Attributes:
        x, y: its centre, in pixels; the first pixel's centre is at 0.
        angle: direction of a corner from the centre, in radians.
        radius: of the inscribed circle, in pixels.
    """

    x: float
    y: float
    angle: float
    radius: float

    @classmethod
    def of_shape(cls, coverage: Float64[np.ndarray, "h w"]) -> Triangle:
        """The triangle with the area, centre and third moment of a shape."""
        points = pixel_grid(coverage.shape)
        area = coverage.sum()
        centre = (coverage * points).sum() / area
        turn = np.angle((coverage * (points - centre) ** 3).sum()) / 3
        return cls(float(centre.real), float(centre.imag), float(turn), float(np.sqrt(area / np.sqrt(27))))

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return float(np.sqrt(27)) * self.radius**2

    def outside(self, points: Complex128[np.ndarray, "h w"]) -> Float64[np.ndarray, "h w"]:
        """Distance of each point from the nearest side's line, negative inside."""
        return self._sides(points)[0]

    def moved(self, x: float, y: float, arc: float) -> Triangle:
        """Shifted, and turned by an arc of the inscribed circle, all in pixels."""
        return Triangle(self.x + x, self.y + y, self.angle + arc / self.radius, self.radius)

    def edges(
        self, points: Complex128[np.ndarray, "h w"], width: int
    ) -> tuple[Float64[np.ndarray, "h w"], Float64[np.ndarray, "3 h w"]]:
        """Coverage 0–1 with edges blurred over ``width`` pixels, and its derivatives by :meth:`moved`."""
        distance, normal = self._sides(points)
        ramp = 0.5 - distance / width
        slope = np.where((ramp > 0) & (ramp < 1), 1 / width, 0.0)
        along = (1j * normal * (points - self._centre).conj()).real / self.radius
        return np.clip(ramp, 0, 1), slope * np.stack([normal.real, normal.imag, -along])

    @property
    def _centre(self) -> complex:
        return complex(self.x, self.y)

    def _sides(
        self, points: Complex128[np.ndarray, "h w"]
    ) -> tuple[Float64[np.ndarray, "h w"], Complex128[np.ndarray, "h w"]]:
        """Distance from the side that is nearest from outside, and that side's outward normal."""
        normals = -np.exp(1j * self.angle) * _CORNERS
        away = (normals.conj()[:, None, None] * (points - self._centre)).real
        nearest = away.argmax(axis=0)
        return away.max(axis=0) - self.radius, normals[nearest]


def pixel_grid(shape: tuple[int, ...]) -> Complex128[np.ndarray, "h w"]:
    """Column + i · row of each pixel."""
    rows, columns = np.indices(shape)
    grid: Complex128[np.ndarray, "h w"] = np.asarray(columns + 1j * rows)
    return grid


def fit(silhouette: Float64[np.ndarray, "h w"], start: Sequence[Triangle]) -> tuple[Triangle, ...]:
    """Move and turn triangles until their union covers a silhouette.

    If they do not from where they are, other orientations are tried, and the best fit is taken: animated by hand, a
    triangle may turn by any angle from one frame to the next.

    Args:
        silhouette: share of each pixel that is covered, 0–1.
        start: the triangles nearby.
    """
    found = _descend(silhouette, start)
    if mismatch(silhouette, found) < _GOOD:
        return found
    turned = [
        tuple(each.moved(0.0, 0.0, turn * each.radius) for each, turn in zip(start, turns, strict=True))
        for turns in product(_TURNS, repeat=len(start))
    ]
    tried = [found, *(_descend(silhouette, each) for each in turned)]
    return min(tried, key=lambda triangles: mismatch(silhouette, triangles))


def mismatch(silhouette: Float64[np.ndarray, "h w"], triangles: Sequence[Triangle]) -> float:
    """Area that only the silhouette or only the triangles cover, as a share of the area that either covers."""
    points = pixel_grid(silhouette.shape)
    union = np.min([each.outside(points) for each in triangles], axis=0) < 0
    dark = silhouette > 0.5
    return float((union ^ dark).sum() / max(1, (union | dark).sum()))


def _descend(silhouette: Float64[np.ndarray, "h w"], start: Sequence[Triangle]) -> tuple[Triangle, ...]:
    window = _window(silhouette > 0.5, start)
    points = pixel_grid(silhouette.shape)[window]
    found = tuple(start)
    for width in _WIDTHS:
        target = ndimage.uniform_filter(silhouette[window], width, mode="nearest")
        for _ in range(_STEPS):
            found, step = _improve(target, points, found, width)
            if step < 0.02:
                break
    return found


def _improve(
    target: Float64[np.ndarray, "h w"],
    points: Complex128[np.ndarray, "h w"],
    triangles: Sequence[Triangle],
    width: int,
) -> tuple[tuple[Triangle, ...], float]:
    """One damped Gauss–Newton step of all triangles, and its greatest part in pixels."""
    covered, slopes = zip(*(triangle.edges(points, width) for triangle in triangles), strict=True)
    bare = np.stack([1 - each for each in covered])
    jacobian = np.concatenate(
        [slope * np.delete(bare, i, axis=0).prod(axis=0) for i, slope in enumerate(slopes)]
    ).reshape(3 * len(triangles), -1)
    missing = (target - (1 - bare.prod(axis=0))).reshape(-1)
    step = np.linalg.solve(jacobian @ jacobian.T + _RIDGE / width * np.eye(len(jacobian)), jacobian @ missing)
    step = np.clip(step, -width / 2, width / 2).reshape(-1, 3)
    moved = tuple(each.moved(*map(float, by)) for each, by in zip(triangles, step, strict=True))
    return moved, float(np.abs(step).max())


def _window(inside: Bool[np.ndarray, "h w"], triangles: Sequence[Triangle]) -> tuple[slice, slice]:
    """Rows and columns of the silhouette and the triangles, with a margin for blurred edges."""
    rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    corners = [(each.y, each.x, 2 * each.radius) for each in triangles]
    sides = []
    for length, shown, axis in ((inside.shape[0], rows, 0), (inside.shape[1], columns, 1)):
        low = min([each[axis] - each[2] for each in corners] + shown[:1].tolist())
        high = max([each[axis] + each[2] for each in corners] + shown[-1:].tolist())
        first, last = (int(np.clip(edge, 0, length - 1)) for edge in (low - _WIDTHS[0], high + _WIDTHS[0]))
        sides.append(slice(first, last + 1))
    return sides[0], sides[1]
