"""Eight social latents of an episode, computed from its trajectories by the formulas given here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bgs._typing import Float
from bgs.simulation.steering import unit
from bgs.simulation.world import OBJECT, A, B, Episodes

#: The latents, in the order of :func:`latents`; each in 0–1.
LATENTS = (
    "valence", "arousal", "dominance", "intimacy", "joint_action", "communication", "distance", "facingness",
)  # fmt: skip
_NEAR, _SPEAKING = 0.15, 0.4  # room widths over which nearness and exchange decay to 1/e
_STROLL = 0.9  # moving away faster than this many paces counts as running away

Traces = Float[np.ndarray, "n t"]


@dataclass(frozen=True)
class Signals:
    """Per-frame signals used by the formulas; speeds are in units of the clip's pace.

    With u the direction from A to B, v velocities and h headings:

    Attributes:
        gap: room widths between the surfaces of A and B, at least 0.
        speed_a, speed_b: |v|.
        toward_a, toward_b: v·u and −v·u: speed towards the other agent.
        look_a, look_b: cosine between heading and the direction to the other.
        apart_speed: |v_A − v_B|.
        accord: cosine between v_A and v_B, times the smaller speed (at most 1).
        impact: closing speed of a collision.
        aid: desired velocity of A along the object's path to B's goal, while A touches the object.
        both: whether both touch the object and do not want opposite directions.
        thwart_b: shortfall of B's velocity relative to what it wants, while A (or an object that A touches) is in its way.
        gift: +1 in a frame where the object goes from A to B, −1 where it goes from B to A.
    """

    gap: Traces
    speed_a: Traces
    speed_b: Traces
    toward_a: Traces
    toward_b: Traces
    look_a: Traces
    look_b: Traces
    apart_speed: Traces
    accord: Traces
    impact: Traces
    aid: Traces
    both: Traces
    thwart_b: Traces
    gift: Traces


def signals(episodes: Episodes) -> Signals:
    """The signals of each frame; see :class:`Signals`."""
    pace = episodes.pace[:, None, None]
    velocity, wish = episodes.velocity[:, :, :2] / pace[..., None], episodes.wish[:, :, :2] / pace[..., None]
    a, b = velocity[:, :, A], velocity[:, :, B]
    between = episodes.position[:, :, B] - episodes.position[:, :, A]
    towards = unit(between)
    gap = np.linalg.norm(between, axis=-1) - (episodes.radius[:, A] + episodes.radius[:, B])[:, None]
    looks = np.stack([np.cos(episodes.heading), np.sin(episodes.heading)], axis=-1)
    speed_a, speed_b = np.linalg.norm(a, axis=-1), np.linalg.norm(b, axis=-1)
    way = unit(episodes.goal[:, None] - episodes.position[:, :, OBJECT])
    slower = np.minimum(np.minimum(speed_a, speed_b), 1.0)
    wanted = unit(wish[:, :, B])
    both = episodes.touch.all(axis=-1)
    opposed = _along(unit(wish[:, :, A]), wanted) < -0.5
    in_the_way = (gap < 0.2) & (-_along(towards, wanted) > 0.7) | both & opposed
    shortfall = np.linalg.norm(wish[:, :, B], axis=-1) - _along(b, wanted)
    handed = np.diff(episodes.holder, axis=1, prepend=episodes.holder[:, :1])
    return Signals(
        gap=np.maximum(gap, 0.0), speed_a=speed_a, speed_b=speed_b,
        toward_a=_along(a, towards), toward_b=-_along(b, towards),
        look_a=_along(looks[:, :, A], towards), look_b=-_along(looks[:, :, B], towards),
        apart_speed=np.linalg.norm(a - b, axis=-1), accord=_along(unit(a), unit(b)) * slower,
        impact=episodes.impact / episodes.pace[:, None],
        aid=np.where(episodes.touch[:, :, A], _along(wish[:, :, A], way), 0.0),
        both=(both & ~opposed).astype(float),
        thwart_b=np.where(in_the_way, np.maximum(shortfall, 0.0), 0.0), gift=handed.astype(float),
    )  # fmt: skip


def _along(vectors: Float[np.ndarray, "n t 2"], directions: Float[np.ndarray, "n t 2"]) -> Traces:
    product: Traces = np.sum(vectors * directions, axis=-1)
    return product


def latents(episodes: Episodes) -> Float[np.ndarray, "n 8"]:
    """(n, 8) latents in 0–1, in the order of :data:`LATENTS`.

    Bars are means over frames; look⁺ is max(look, 0); near = exp(−gap / .15), speaking = exp(−gap / .4).

    - flight = max(0, toward_A) · max(0, −toward_B − .9) and the same with A and B exchanged, summed
    - calm = exp(−apart_speed / 1.5), warmth = near · calm · look⁺_A · (1 + look⁺_B) / 2
    - fun = speaking · look⁺_A · look⁺_B · min(speed_A, speed_B, 1)
    - valence = ½ + ½ tanh(1.5·warmth̄ + 1.5·fun̄ + 2.5·aid̄ + .7·Σ gift − 2·flight̄ − 10·max(0, impact − .6)¯ − 3·thwart̄_B)
    - arousal = 1 − exp(−(speed̄_A + speed̄_B) / 2 − 3·impact̄)
    - dominance = tanh(|toward̄_A − toward̄_B| + thwart̄_B)
    - intimacy = mean of near · calm
    - joint action = mean of min(1, max(0, accord) · speaking + both)
    - communication = mean of look⁺_A · look⁺_B · speaking
    - distance = 1 − exp(−gap̄ / .25)
    - facingness = mean of (2 + look_A + look_B) / 4
    """
    s = signals(episodes)
    near, speaking = np.exp(-s.gap / _NEAR), np.exp(-s.gap / _SPEAKING)
    see_a, see_b = np.maximum(s.look_a, 0), np.maximum(s.look_b, 0)
    flight = _flight(s.toward_a, s.toward_b) + _flight(s.toward_b, s.toward_a)
    calm = np.exp(-s.apart_speed / 1.5)
    warmth = near * calm * see_a * (1 + see_b) / 2
    fun = speaking * see_a * see_b * np.minimum(np.minimum(s.speed_a, s.speed_b), 1)
    valence = (
        1.5 * _mean(warmth) + 1.5 * _mean(fun) + 2.5 * _mean(s.aid) + 0.7 * s.gift.sum(axis=1)
        - 2.0 * _mean(flight) - 10.0 * _mean(np.maximum(0, s.impact - 0.6)) - 3.0 * _mean(s.thwart_b)
    )  # fmt: skip
    return np.stack(
        [
            0.5 + 0.5 * np.tanh(valence),
            1 - np.exp(-(_mean(s.speed_a) + _mean(s.speed_b)) / 2 - 3 * _mean(s.impact)),
            np.tanh(np.abs(_mean(s.toward_a) - _mean(s.toward_b)) + _mean(s.thwart_b)),
            _mean(near * calm),
            _mean(np.minimum(1, np.maximum(0, s.accord) * speaking + s.both)),
            _mean(see_a * see_b * speaking),
            1 - np.exp(-_mean(s.gap) / 0.25),
            _mean((2 + s.look_a + s.look_b) / 4),
        ],
        axis=1,
    )


def _flight(toward: Traces, other_toward: Traces) -> Traces:
    """One agent approaches while the other runs (rather than walks) away."""
    flight: Traces = np.maximum(0, toward) * np.maximum(0, -other_toward - _STROLL)
    return flight


def _mean(traces: Traces) -> Float[np.ndarray, " n"]:
    mean: Float[np.ndarray, " n"] = traces.mean(axis=1)
    return mean
