"""Renders an episode: all frames at once, and region masks from the same shapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from bgs._typing import Float, Int
from bgs.simulation.background import background
from bgs.simulation.looks import Look, agent_colour, muted_colour
from bgs.simulation.sprites import AGENTS, OBJECTS, Layer, clutter
from bgs.simulation.world import OBJECT, Episodes

#: Region names of masks. Agents are A, B and, if present, C.
MASK_NAMES = ("background", "agent A", "agent B", "agent C", "object", "clutter")
_REACH = 1.15  # half-width of the drawn square around a body's centre, in radii
_WALL = 0.012  # half thickness, room widths


@dataclass(frozen=True)
class Film:
    """Rendered frames and the region of each pixel.

    Attributes:
        frames: (T, s, s, 3).
        mask: (T, s, s) positions in :data:`MASK_NAMES`.
    """

    frames: UInt8[np.ndarray, "t s s 3"]
    mask: UInt8[np.ndarray, "t s s"]


def film(
    episodes: Episodes, number: int, look: Look, size: int, seed: int, key: str,
    at: Int[np.ndarray, " t"] | None = None,
) -> Film:  # fmt: skip
    """Render episode ``number`` at ``size`` × ``size`` pixels.

    Args:
        episodes: simulated episodes.
        number: index of the episode.
        look: visual appearance.
        size: width and height in pixels.
        seed, key: seed and key of the texture.
        at: frames to render; None renders all.
    """
    when = np.arange(episodes.position.shape[1]) if at is None else at
    corner = np.round(look.corner[when] / look.view * size) / size * look.view  # whole pixels
    picture = _Picture(_backdrop(look, corner, size, seed, key), corner, size / look.view)
    for k, way in enumerate(look.clutter):
        picture.draw(
            way[when], np.zeros(len(when)), look.clutter_size[k], len(MASK_NAMES) - 1,
            lambda x, y, k=k: clutter(look.clutter_kind[k], x, y, muted_colour(look.clutter_hue[k])),
        )  # fmt: skip
    for entity in (OBJECT, 2, 1, 0):
        if episodes.present[number, entity]:
            _draw_entity(picture, episodes, number, entity, look, when)
    return Film(picture.frames, picture.mask)


def _draw_entity(
    picture: _Picture, episodes: Episodes, number: int, entity: int, look: Look, when: Int[np.ndarray, " t"]
) -> None:
    light, dark = agent_colour(look.hues[entity]), agent_colour(look.hues[entity], dark=True)
    sprite = (OBJECTS if entity == OBJECT else AGENTS)[look.style]
    still = np.zeros(len(when))
    heading = still if entity == OBJECT else episodes.heading[number, when, entity]
    picture.draw(
        episodes.position[number, when, entity], heading, float(episodes.radius[number, entity]),
        1 + entity, lambda x, y: sprite(x, y, light, dark),
    )  # fmt: skip


def _backdrop(
    look: Look, corner: Float[np.ndarray, "t 2"], size: int, seed: int, key: str
) -> UInt8[np.ndarray, "t s s 3"]:
    """The background as the camera sees it, with the walls of the room; the texture moves with the room."""
    scale = size / look.view
    whole_way = np.round(look.corner * scale) / scale
    low = whole_way.min(
        axis=0
    )  # over the whole clip, so that a frame does not depend on which others are rendered
    extent = look.view + float((whole_way.max(axis=0) - low).max())
    whole = background(look, size, extent, seed, key)
    _draw_walls(whole, low, scale, look)
    first = np.round((corner - low) * scale).astype(int)
    rows = len(whole) - size - first[:, 1]  # y upwards
    return np.stack([whole[r : r + size, c : c + size] for r, c in zip(rows, first[:, 0], strict=True)])


def _draw_walls(
    whole: UInt8[np.ndarray, "p p 3"], low: Float[np.ndarray, " 2"], scale: float, look: Look
) -> None:
    if look.style == "point-light":
        return
    centres = (np.arange(len(whole)) + 0.5) / scale
    x, y = centres + low[0], low[1] + len(whole) / scale - centres
    off = [np.maximum(np.abs(axis - 0.5) - 0.5, 0) for axis in (x, y)]
    beyond = np.maximum(off[0][None, :], off[1][:, None])
    wall = (beyond > 0) & (beyond < 2 * _WALL)
    whole[wall] = 50


class _Picture:
    """Frames and masks to draw bodies on, one body in all frames at a time."""

    def __init__(
        self, frames: UInt8[np.ndarray, "t s s 3"], corner: Float[np.ndarray, "t 2"], scale: float
    ) -> None:
        self.frames, self.corner, self.scale = frames, corner, scale
        self.mask = np.zeros(frames.shape[:3], dtype=np.uint8)

    def draw(
        self,
        way: Float[np.ndarray, "t 2"],
        heading: Float[np.ndarray, " t"],
        radius: float,
        label: int,
        body: object,
    ) -> None:
        """Draw a body with a radius (room widths) along its trajectory."""
        size, pixels = self.frames.shape[1], radius * self.scale
        x = (way[:, 0] - self.corner[:, 0]) * self.scale
        y = size - (way[:, 1] - self.corner[:, 1]) * self.scale
        half = int(np.ceil(_REACH * pixels)) + 1
        rows, columns = (np.floor(c).astype(int)[:, None] + np.arange(-half, half + 1) for c in (y, x))
        right = ((columns + 0.5 - x[:, None]) / pixels)[:, None, :].astype(np.float32)
        up = ((y[:, None] - rows - 0.5) / pixels)[:, :, None].astype(np.float32)
        cos, sin = (f(heading)[:, None, None].astype(np.float32) for f in (np.cos, np.sin))
        layers = body(right * cos + up * sin, up * cos - right * sin)  # type: ignore[operator]
        inside = ((rows >= 0) & (rows < size))[:, :, None] & ((columns >= 0) & (columns < size))[:, None, :]
        where = (np.arange(len(way))[:, None] * size + rows)[:, :, None] * size + columns[:, None, :]
        self._paint(layers, inside, where[inside], pixels, label)

    def _paint(
        self, layers: list[Layer], inside: np.ndarray, where: Int[np.ndarray, " p"], pixels: float, label: int
    ) -> None:
        """Blend layers into the pixels ``where`` of the concatenated frames, those ``inside`` the body's square."""
        frames, mask = self.frames.reshape(-1, 3), self.mask.reshape(-1)
        # one colour channel at a time: numpy is slow with an innermost axis of length three
        patch, covered = frames[where].T.astype(np.float32, order="C"), np.zeros(len(where), dtype=np.float32)
        for layer in layers:
            share = np.clip(0.5 - layer.outside[inside] * pixels, 0.0, 1.0)
            patch += share * (np.asarray(layer.colour, dtype=np.float32)[:, None] - patch)
            np.maximum(covered, share, out=covered)
        frames[where] = np.round(patch).astype(np.uint8).T
        mask[where[covered > 0.5]] = label


def strip(frames: UInt8[np.ndarray, "t s s 3"], count: int) -> Iterator[UInt8[np.ndarray, "s s 3"]]:
    """``count`` evenly spaced frames of a clip."""
    for index in np.linspace(0, len(frames) - 1, count).round().astype(int):
        yield frames[index]
