"""Shapes of agents and objects, as signed distances and colours in body coordinates."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bgs._typing import Float
from bgs.simulation.looks import Colour

#: Body coordinates in radii: ahead of the centre, and to its left.
Plane = Float[np.ndarray, "..."]
_WHITE, _BLACK = (255.0, 255.0, 255.0), (15.0, 15.0, 15.0)


class Layer(NamedTuple):
    """One shape of a body: signed distance (radii; negative inside) and colour."""

    outside: Plane
    colour: Colour


#: Maps body coordinates and light and dark colours to layers, from back to front.
Sprite = Callable[[Plane, Plane, Colour, Colour], list[Layer]]


def disc(ahead: Plane, left: Plane, light: Colour, dark: Colour) -> list[Layer]:
    """A disc with a rim and two eyes at the front."""
    distance = np.sqrt(ahead * ahead + left * left)
    return [Layer(distance - 1, dark), Layer(distance - 0.84, light), *_eyes(ahead, left)]


def triangle(ahead: Plane, left: Plane, light: Colour, dark: Colour) -> list[Layer]:
    """An isosceles triangle pointing ahead, with one eye."""
    outside = np.maximum((ahead * 0.42 + np.abs(left) * 0.91) - 0.42, -ahead - 0.75)
    eye = np.sqrt((ahead - 0.25) ** 2 + left * left)
    return [Layer(outside, dark), Layer(outside + 0.14, light), Layer(eye - 0.16, _BLACK)]


def patterned(ahead: Plane, left: Plane, light: Colour, dark: Colour) -> list[Layer]:
    """A rounded square with bands across its back and two eyes at the front."""
    body = np.sqrt(np.sqrt(ahead**4 + left**4)) - 0.92
    band = np.maximum(body + 0.05, np.abs((ahead + 0.55) % 0.5 - 0.25) - 0.12)
    band = np.maximum(band, ahead - 0.1)
    return [Layer(body, light), Layer(band, dark), *_eyes(ahead, left)]


def point_light(ahead: Plane, left: Plane, light: Colour, dark: Colour) -> list[Layer]:
    """Seven white points around the body, denser at the front."""
    layers = []
    for angle in (0.0, 0.45, -0.45, 1.5, -1.5, 2.5, -2.5):
        x, y = 0.8 * np.cos(angle), 0.8 * np.sin(angle)
        layers.append(Layer(np.sqrt((ahead - x) ** 2 + (left - y) ** 2) - 0.17, _WHITE))
    return layers


def diamond(ahead: Plane, left: Plane, light: Colour, dark: Colour) -> list[Layer]:
    """An object: a square standing on a corner."""
    outside = (np.abs(ahead) + np.abs(left)) * 0.75 - 0.75
    return [Layer(outside, dark), Layer(outside + 0.15, light)]


def four_points(ahead: Plane, left: Plane, light: Colour, dark: Colour) -> list[Layer]:
    """An object as point lights."""
    corners = ((0.7, 0.0), (-0.7, 0.0), (0.0, 0.7), (0.0, -0.7))
    return [Layer(np.sqrt((ahead - x) ** 2 + (left - y) ** 2) - 0.22, _WHITE) for x, y in corners]


def clutter(kind: int, ahead: Plane, left: Plane, colour: Colour) -> list[Layer]:
    """A distractor: a square, a cross or a ring."""
    square = np.maximum(np.abs(ahead), np.abs(left)) - 0.8
    if kind == 1:
        square = np.maximum(square, np.minimum(np.abs(ahead), np.abs(left)) - 0.25)
    if kind == 2:
        square = np.abs(np.sqrt(ahead * ahead + left * left) - 0.7) - 0.2
    return [Layer(square, colour)]


def _eyes(ahead: Plane, left: Plane) -> list[Layer]:
    layers = []
    for side in (0.42, -0.42):
        offset = (left - side) ** 2
        layers += [
            Layer(np.sqrt((ahead - 0.55) ** 2 + offset) - 0.31, _WHITE),
            Layer(np.sqrt((ahead - 0.68) ** 2 + offset) - 0.17, _BLACK),
        ]
    return layers


#: Sprites of agents and objects by style.
AGENTS: dict[str, Sprite] = {
    "discs": disc, "triangles": triangle, "patterned": patterned, "point-light": point_light,
}  # fmt: skip
OBJECTS: dict[str, Sprite] = {
    "discs": diamond, "triangles": diamond, "patterned": diamond, "point-light": four_points,
}  # fmt: skip
