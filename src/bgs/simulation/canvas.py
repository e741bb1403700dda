"""Antialiased drawing with signed distance functions."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from bgs._typing import Float

Colour = tuple[int, int, int]
Point = tuple[float, float]


class Canvas:
    """A square picture of a square region of the world, y upwards.

    Args:
        size: pixels along each side.
        corner: world coordinates of the lower left corner.
        extent: world units along each side.
        picture: (size, size, 3) floats 0–255 to draw on; white if None. It is copied.
    """

    def __init__(
        self, size: int, corner: Point, extent: float, picture: Float[np.ndarray, "s s 3"] | None = None
    ) -> None:
        self.size, self.corner, self.extent = size, corner, extent
        self.picture = np.full((size, size, 3), 255.0) if picture is None else picture.copy()

    def copy(self) -> Canvas:
        """A copy that can be drawn on without changing the original."""
        return Canvas(self.size, self.corner, self.extent, self.picture)

    def pixels(self) -> UInt8[np.ndarray, "s s 3"]:
        """The picture as uint8."""
        return np.round(self.picture).astype(np.uint8)

    def disc(self, centre: Point, radius: float, colour: Colour, opacity: float = 1.0) -> None:
        """Fill a disc; the radius is in world units."""
        x, y, window = self._around(centre[0], centre[1], radius, radius)
        self._paint(window, np.hypot(x - centre[0], y - centre[1]) - radius, colour, opacity)

    def rectangle(
        self, centre: Point, width: float, height: float, colour: Colour, opacity: float = 1.0
    ) -> None:
        """Fill an axis-aligned rectangle."""
        x, y, window = self._around(centre[0], centre[1], width / 2, height / 2)
        outside = np.maximum(np.abs(x - centre[0]) - width / 2, np.abs(y - centre[1]) - height / 2)
        self._paint(window, outside, colour, opacity)

    def line(self, begin: Point, end: Point, thickness: float, colour: Colour) -> None:
        """Draw a straight line with round ends."""
        (x0, y0), (x1, y1) = begin, end
        half = thickness / 2
        reach = abs(x1 - x0) / 2 + half, abs(y1 - y0) / 2 + half
        x, y, window = self._around((x0 + x1) / 2, (y0 + y1) / 2, *reach)
        squared = (x1 - x0) ** 2 + (y1 - y0) ** 2
        along = ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / squared if squared else np.zeros_like(x + y)
        along = np.clip(along, 0.0, 1.0)
        distance = np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0))
        self._paint(window, distance - half, colour, 1.0)

    def _around(
        self, x: float, y: float, reach_x: float, reach_y: float
    ) -> tuple[Float[np.ndarray, "1 w"], Float[np.ndarray, "h 1"], tuple[slice, slice]]:
        """World coordinates of the pixels that a shape may cover, and their location in the picture."""
        unit = self.extent / self.size  # world units per pixel
        left, right = ((x + sign * reach_x - self.corner[0]) / unit + sign for sign in (-1, 1))
        top, bottom = (self.size - (y + sign * reach_y - self.corner[1]) / unit - sign for sign in (1, -1))
        columns = slice(*np.clip([np.floor(left), np.ceil(right)], 0, self.size).astype(int).tolist())
        rows = slice(*np.clip([np.floor(top), np.ceil(bottom)], 0, self.size).astype(int).tolist())
        centres = (np.arange(self.size) + 0.5) * unit
        across = self.corner[0] + centres[columns][None, :]
        up = self.corner[1] + self.extent - centres[rows][:, None]
        return across, up, (rows, columns)

    def _paint(
        self, window: tuple[slice, slice], outside: Float[np.ndarray, "h w"], colour: Colour, opacity: float
    ) -> None:
        """Blend in a colour, weighted by the proportion of each pixel inside the shape (``outside`` < 0, in world units)."""
        share = opacity * np.clip(0.5 - outside * self.size / self.extent, 0.0, 1.0)[:, :, None]
        self.picture[window] += share * (np.array(colour, dtype=np.float64) - self.picture[window])
