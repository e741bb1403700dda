"""Kinematic signals of two bodies and an object, without social meaning, for probing encoders."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bgs._typing import Float, Int
from bgs.simulation.latents import Traces, signals
from bgs.simulation.world import OBJECT, A, B, Episodes

#: Names of the signals, in the order of :func:`kinematics`.
KINEMATICS = (
    "gap", "speed", "speed difference", "relative speed", "approach", "approach difference", "looking", "looking difference",
    "moving alike", "near the object", "far from the object", "object speed", "object there", "impact",
    "faster is nearer the object", "faster looks at the slower", "holder approaches",
)  # fmt: skip
_HALF_WINDOW = 5  # frames on each side of a moment


def kinematics(episodes: Episodes, moments: Int[np.ndarray, " m"]) -> Float[np.ndarray, "n k m"]:
    """(n, k, m) signals of n episodes, averaged over a third of a second around each of m frames (impacts: the maximum).

    All signals are invariant to exchanging the two bodies. Speeds are in room widths per
    second, not relative to the pace of the clip.
    """
    s, pace = signals(episodes), episodes.pace[:, None]
    there = np.repeat(episodes.present[:, [OBJECT]].astype(float), s.gap.shape[1], axis=1)
    to_a, to_b = (_distance(episodes, agent) * there for agent in (A, B))
    faster = (s.speed_a - s.speed_b) * pace
    traces = [
        1 - np.exp(-s.gap / 0.25), (s.speed_a + s.speed_b) * pace, np.abs(faster), s.apart_speed * pace,
        (s.toward_a + s.toward_b) * pace, np.abs(s.toward_a - s.toward_b) * pace,
        s.look_a + s.look_b, np.abs(s.look_a - s.look_b), s.accord * pace,
        np.minimum(to_a, to_b), np.maximum(to_a, to_b),
        np.linalg.norm(episodes.velocity[:, :, OBJECT], axis=-1) * there, there, s.impact * pace,
        faster * (to_b - to_a), faster * (s.look_a - s.look_b),
        (s.toward_a - s.toward_b) * (to_b - to_a) * pace,
    ]  # fmt: skip
    impact = KINEMATICS.index("impact")
    windows = [np.max if k == impact else np.mean for k in range(len(traces))]
    return np.stack([_about(t, moments, w) for t, w in zip(traces, windows, strict=True)], axis=1)


def _distance(episodes: Episodes, agent: int) -> Traces:
    apart = episodes.position[:, :, agent] - episodes.position[:, :, OBJECT]
    distance: Traces = np.linalg.norm(apart, axis=-1)
    return distance


def _about(
    traces: Traces, moments: Int[np.ndarray, " m"], summary: Callable[..., Float[np.ndarray, " n"]]
) -> Float[np.ndarray, "n m"]:
    parts = [
        summary(traces[:, max(0, moment - _HALF_WINDOW) : moment + _HALF_WINDOW + 1], axis=1)
        for moment in moments.tolist()
    ]
    return np.stack(parts, axis=1)
