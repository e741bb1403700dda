"""Initial state of an episode, drawn independently for each clip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bgs._rng import generator
from bgs._typing import Float
from bgs.simulation.behaviours import BEHAVIOURS, Behaviour, from_onset
from bgs.simulation.world import OBJECT, A, B, Controller, Episodes, Scene, play_out

_AGENT_RADIUS, _BYSTANDER_RADIUS, _OBJECT_RADIUS = 0.09, 0.07, 0.06
_RADII = (_AGENT_RADIUS, _AGENT_RADIUS, _BYSTANDER_RADIUS, _OBJECT_RADIUS)
_TOUCHING, _HOLDING = 2 * _AGENT_RADIUS, _AGENT_RADIUS + _OBJECT_RADIUS  # centre to centre
_THIRD_AGENT = 0.2  # proportion of clips with a smaller third agent that moves independently
_PACE = (0.32, 0.46)  # walking speed, room widths per second: drawn independently of everything else
_VIGOUR = (0.65, 1.35)
_ONSET_S = (0.0, 0.9)


def begin(behaviour: Behaviour, seed: int, keys: Sequence[str]) -> Scene:
    """A scene of ``len(keys)`` episodes; each depends only on ``seed`` and its key.

    Nuisance variables: position, orientation, pace, other agents. Graded within a behaviour: distance, vigour and onset.
    """
    drawn = np.stack([generator(seed, "episode", behaviour.name, key).random(24) for key in keys])
    place, rest, chance = drawn[:, :6], drawn[:, 6:16], drawn[:, 16:]
    position, heading = _places(behaviour, place, rest)
    has_object = np.full(len(keys), behaviour.object != "none")
    two = np.ones(len(keys), dtype=bool)
    return Scene(
        position=position, heading=heading,
        present=np.stack([two, two, rest[:, 0] < _THIRD_AGENT, has_object], axis=1),
        radius=np.tile(_RADII, (len(keys), 1)),
        pace=_between(_PACE, rest[:, 1]), vigour=_between(_VIGOUR, rest[:, 2]),
        goal=_goal(behaviour, position, place), chance=chance,
        holder=np.full(len(keys), {"held by A": A, "held by B": B}.get(behaviour.object, -1)),
        onset=_between(_ONSET_S, place[:, 5]),
    )  # fmt: skip


def episodes_of(name: str, seed: int, keys: Sequence[str], controller: Controller | None = None) -> Episodes:
    """Episodes of a behaviour; ``controller`` replaces its controller, for counterfactuals."""
    behaviour = BEHAVIOURS[name]
    return play_out(begin(behaviour, seed, keys), from_onset(controller or behaviour.controller))


def _between(limits: tuple[float, float], share: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    values: Float[np.ndarray, " n"] = limits[0] + (limits[1] - limits[0]) * share
    return values


def _axis(place: Float[np.ndarray, "n 6"]) -> Float[np.ndarray, "n 2"]:
    """A direction on the floor, from A's side to B's."""
    angle = 2 * np.pi * place[:, 0]
    axis: Float[np.ndarray, "n 2"] = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return axis


def _places(
    behaviour: Behaviour, place: Float[np.ndarray, "n 6"], rest: Float[np.ndarray, "n 10"]
) -> tuple[Float[np.ndarray, "n 4 2"], Float[np.ndarray, "n 3"]]:
    axis = _axis(place)
    apart = _TOUCHING + _between(behaviour.gap, place[:, 3])[:, None]
    centre = 0.38 + 0.24 * place[:, 1:3]
    a, b = centre - axis * apart / 2, centre + axis * apart / 2
    if behaviour.object == "between":  # A stands at B's goal for the object
        a = b + axis * apart
    if behaviour.object == "before B":  # A stands beside B's path
        a = b + apart * np.stack([-axis[:, 1], axis[:, 0]], axis=-1)
    third, apart_third = 0.12 + 0.76 * rest[:, 3:5], _TOUCHING + 0.05
    for agent in (a, b):  # agents must not overlap initially
        off = third - agent
        distance = np.maximum(np.linalg.norm(off, axis=-1, keepdims=True), 1e-6)
        third = np.where(distance < apart_third, agent + off / distance * apart_third, third)
    thing = {
        "none": np.full_like(a, 0.5), "held by A": a + 0.9 * _HOLDING * axis,
        "held by B": b + 0.9 * _HOLDING * axis, "before B": b + (_HOLDING + 0.02) * axis,
        "between": b + (_HOLDING + 0.02) * axis, "behind A": a - (_HOLDING + 0.1) * axis,
    }[behaviour.object]  # fmt: skip
    position = np.stack([a, b, third, thing], axis=1)
    room = np.array(_RADII)[:, None]
    heading = 2 * np.pi * rest[:, 5:8]
    return np.clip(position, room, 1 - room), heading


def _goal(
    behaviour: Behaviour, position: Float[np.ndarray, "n 4 2"], place: Float[np.ndarray, "n 6"]
) -> Float[np.ndarray, "n 2"]:
    """A position ahead of B (or of the object that B pushes), within the room."""
    start = position[:, OBJECT if behaviour.object in ("before B", "between") else B]
    goal: Float[np.ndarray, "n 2"] = np.clip(start + (0.35 + 0.2 * place[:, [4]]) * _axis(place), 0.1, 0.9)
    return goal
