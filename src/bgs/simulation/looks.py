"""Visual appearance of a clip: nuisance variables unrelated to the behaviour, drawn independently for each clip."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from bgs._rng import generator
from bgs._typing import Float
from bgs.simulation.world import FPS, FRAMES

#: Render styles. The first is for training; the others are held out for out-of-distribution tests.
STYLES = ("discs", "triangles", "patterned", "point-light")
#: Textures of backgrounds, by style.
TEXTURES = {
    "discs": ("plain", "gradient", "stripes", "checks"),
    "triangles": ("plain", "gradient", "stripes", "checks"),
    "patterned": ("clouds", "dots"),
    "point-light": ("plain",),
}
_CLUTTER = 4  # maximum
# Background colours, chosen so that bodies stand out.
_BRIGHTNESS, _TINT, _CONTRAST = (165, 230), 12, -18
HUES = ("red", "orange", "yellow", "green", "turquoise", "blue", "purple", "pink")
_HUE = (0.0, 0.07, 0.145, 0.33, 0.48, 0.6, 0.75, 0.9)

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Look:
    """Nuisance variables of one clip, independent of the behaviour and of each other.

    Attributes:
        style: one of :data:`STYLES`.
        hues: positions in :data:`HUES` of A, B, C and the object.
        texture: background texture, see :func:`bgs.simulation.background.background`.
        shades: two colours of the background, 0–255.
        grain: 0–1, size and orientation of the texture.
        view: width of the picture in room widths.
        corner: (T, 2) lower left corner of the picture in the room, for each frame: the camera drifts.
        clutter: (k, T, 2) trajectories of distractor shapes.
        clutter_kind: (k,) 0 square, 1 cross, 2 ring.
        clutter_size: (k,) half a side, in room widths.
        clutter_hue: (k,) hues in 0–1.
    """

    style: str
    hues: tuple[int, int, int, int]
    texture: str
    shades: tuple[Colour, Colour]
    grain: tuple[float, float]
    view: float
    corner: Float[np.ndarray, "t 2"]
    clutter: Float[np.ndarray, "k t 2"]
    clutter_kind: tuple[int, ...]
    clutter_size: tuple[float, ...]
    clutter_hue: tuple[float, ...]

    def numbers(self) -> dict[str, float]:
        """Nuisance variables as rating columns, so that analyses can show that they are irrelevant."""
        drift = float(np.linalg.norm(self.corner[-1] - self.corner[0]))
        return {
            "nuisance_hue": _HUE[self.hues[0]], "nuisance_brightness": float(np.mean(self.shades)) / 255,
            "nuisance_view": self.view, "nuisance_drift": drift, "nuisance_clutter": float(len(self.clutter)),
        }  # fmt: skip


def draw_look(style: str, seed: int, key: str) -> Look:
    """The look of clip ``key``, which depends only on ``style``, ``seed`` and ``key``."""
    rng = generator(seed, "look", style, key)
    if style == "point-light":  # only points of light on black
        return _darkness(rng)
    base = rng.uniform(*_BRIGHTNESS) + rng.uniform(-_TINT, _TINT, 3)
    shades = [tuple(np.clip(base + shift, 0, 255).tolist()) for shift in (0.0, _CONTRAST)]
    view = float(rng.uniform(1.0, 1.2))
    count = int(rng.integers(_CLUTTER + 1))
    return Look(
        style=style,
        hues=tuple(rng.choice(len(HUES), 4, replace=False).tolist()),
        texture=str(rng.choice(TEXTURES[style])),
        shades=(shades[0], shades[1]),
        grain=(float(rng.random()), float(rng.random())),
        view=view, corner=_camera(view, rng),
        clutter=_drifting(count, rng),
        clutter_kind=tuple(rng.integers(3, size=count).tolist()),
        clutter_size=tuple(rng.uniform(0.018, 0.032, count).tolist()),
        clutter_hue=tuple(rng.random(count).tolist()),
    )  # fmt: skip


def _darkness(rng: np.random.Generator) -> Look:
    view = float(rng.uniform(1.0, 1.2))
    black = (0.0, 0.0, 0.0)
    hues = tuple(rng.choice(len(HUES), 4, replace=False).tolist())
    nothing = _drifting(0, rng)
    return Look(
        "point-light",
        hues,
        "plain",
        (black, black),
        (0.0, 0.0),
        view,
        _camera(view, rng),
        nothing,
        (),
        (),
        (),
    )


def agent_colour(hue: int, dark: bool = False) -> Colour:
    """Colour of an agent or object, 0–255."""
    red, green, blue = colorsys.hsv_to_rgb(_HUE[hue], 0.85, 0.55 if dark else 0.92)
    return 255 * red, 255 * green, 255 * blue


def muted_colour(hue: float) -> Colour:
    """Colour of distractors, 0–255."""
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.3, 0.6)
    return 255 * red, 255 * green, 255 * blue


def _camera(view: float, rng: np.random.Generator) -> Float[np.ndarray, "t 2"]:
    """Slow camera drift that keeps the room in the picture."""
    slack = view - 1.0
    begin, end = -slack * rng.random((2, 2))
    share = np.linspace(0.0, 1.0, FRAMES)[:, None]
    path: Float[np.ndarray, "t 2"] = begin + (end - begin) * share
    return path


def _drifting(count: int, rng: np.random.Generator) -> Float[np.ndarray, "k t 2"]:
    """Straight trajectories that bounce off the walls."""
    begin, angle = rng.random((count, 1, 2)), 2 * np.pi * rng.random(count)
    speed = rng.uniform(0.0, 0.25, count)
    step = (np.stack([np.cos(angle), np.sin(angle)], axis=-1) * speed[:, None])[:, None]
    unfolded = begin + step * np.arange(FRAMES)[:, None] / FPS
    inside: Float[np.ndarray, "k t 2"] = 0.05 + 0.9 * (1 - np.abs(unfolded % 2 - 1))
    return inside
