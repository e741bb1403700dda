"""Elementary steering behaviours: seeking, arriving, evading, wandering."""

from __future__ import annotations

import numpy as np

from bgs._typing import Float

Vectors = Float[np.ndarray, "n 2"]


def unit(vectors: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 2"]:
    """Vectors normalised to length 1; zero vectors stay 0."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    directions: Float[np.ndarray, "*n 2"] = vectors / np.maximum(length, 1e-9)
    return directions


def turned(vectors: Vectors, angle: Float[np.ndarray, " n"] | float) -> Vectors:
    """Vectors rotated counter-clockwise by ``angle`` radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = vectors[:, 0], vectors[:, 1]
    rotated: Vectors = np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)
    return rotated


def seek(position: Vectors, target: Vectors, speed: Float[np.ndarray, "n 1"]) -> Vectors:
    """Full speed towards a place."""
    wish: Vectors = unit(target - position) * speed
    return wish


def arrive(position: Vectors, target: Vectors, speed: Float[np.ndarray, "n 1"], slow: float = 0.1) -> Vectors:
    """Towards a place, slowing down within ``slow`` room widths and stopping there."""
    apart = target - position
    distance = np.linalg.norm(apart, axis=-1, keepdims=True)
    wish: Vectors = unit(apart) * speed * np.minimum(1.0, distance / slow)
    return wish


def evade(position: Vectors, threat: Vectors, speed: Float[np.ndarray, "n 1"]) -> Vectors:
    """Away from a threat, along walls and out of corners rather than into them."""
    away = unit(position - threat)
    wish: Vectors = unit(away + 2.0 * inwards(position)) * speed
    return wish


def inwards(position: Vectors, margin: float = 0.2) -> Vectors:
    """A repulsion from the walls: 0 beyond ``margin``, 1 at a wall."""
    low = np.clip((margin - position) / margin, 0.0, 1.0)
    high = np.clip((position - (1 - margin)) / margin, 0.0, 1.0)
    push: Vectors = low - high
    return push


def wander(
    position: Vectors, speed: Float[np.ndarray, "n 1"], chance: Float[np.ndarray, "n 2"], clock: float
) -> Vectors:
    """A winding path determined by two uniform random numbers."""
    angle = 2 * np.pi * chance[:, 0] + 1.6 * np.sin(1.9 * clock + 2 * np.pi * chance[:, 1])
    ahead = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    wish: Vectors = unit(ahead + 2.5 * inwards(position)) * speed
    return wish
