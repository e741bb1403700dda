"""Background textures, unrelated to the events in the foreground."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from bgs._rng import generator
from bgs._typing import Float
from bgs.simulation.looks import Look


def background(look: Look, size: int, extent: float, seed: int, key: str) -> UInt8[np.ndarray, "p p 3"]:
    """A square picture of ``extent`` room widths at ``size`` pixels per view; the texture blends two shades."""
    pixels = int(np.ceil(extent / look.view * size)) + 1
    along = np.arange(pixels) / size  # in units of the view
    x, y = np.meshgrid(along, along)
    share = _share(look, x, y, generator(seed, "texture", key))[:, :, None]
    first, second = (np.array(shade) for shade in look.shades)
    picture: UInt8[np.ndarray, "p p 3"] = np.round(first + (second - first) * share).astype(np.uint8)
    return picture


def _share(
    look: Look, x: Float[np.ndarray, "p p"], y: Float[np.ndarray, "p p"], rng: np.random.Generator
) -> Float[np.ndarray, "p p"]:
    """(p, p) 0–1, proportion of the second shade."""
    angle, period = np.pi * look.grain[0], 0.08 + 0.2 * look.grain[1]
    along = (np.cos(angle) * x + np.sin(angle) * y) / period
    across = (np.cos(angle) * y - np.sin(angle) * x) / period
    match look.texture:
        case "gradient":
            share = (np.cos(angle) * x + np.sin(angle) * y + 1) / 2.2
        case "stripes":
            share = (along % 1 > 0.5).astype(float)
        case "checks":
            share = ((along % 1 > 0.5) ^ (across % 1 > 0.5)).astype(float)
        case "dots":
            share = (np.hypot(along % 1 - 0.5, across % 1 - 0.5) < 0.3).astype(float)
        case "clouds":
            share = _clouds(x, y, rng)
        case _:  # plain, black
            share = np.zeros_like(x)
    clipped: Float[np.ndarray, "p p"] = np.clip(share, 0.0, 1.0)
    return clipped


def _clouds(
    x: Float[np.ndarray, "p p"], y: Float[np.ndarray, "p p"], rng: np.random.Generator
) -> Float[np.ndarray, "p p"]:
    """A sum of waves in random directions, resembling out-of-focus foliage."""
    total = np.zeros_like(x)
    for _ in range(12):
        angle, frequency, phase = rng.random(3) * (2 * np.pi, 6.0, 2 * np.pi)
        total += np.sin(2 * np.pi * (1 + frequency) * (np.cos(angle) * x + np.sin(angle) * y) + phase)
    share: Float[np.ndarray, "p p"] = 0.5 + total / 8
    return share
