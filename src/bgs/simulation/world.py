"""A small physical world: agents, one object, walls; many episodes of one behaviour are simulated in parallel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from bgs._typing import Bool, Float, Int

#: Entities of an episode: two interacting agents, a third agent, and an object.
A, B, C, OBJECT = range(4)
FPS, SECONDS = 30, 3
FRAMES = FPS * SECONDS
_SUBSTEPS = 2
_MASS = np.array([1.0, 1.0, 1.0, 3.0])
_RESPONSE_S = 0.15  # time constant with which an agent reaches its desired velocity
_FRICTION = 9.0  # per second, on an object that nobody holds
_BOUNCE = 0.4
_TURN = 12.0  # radians per second
_PAIRS = tuple((i, j) for i in range(4) for j in range(i + 1, 4))


@dataclass
class Intentions:
    """Desired actions of the agents at an instant.

    Attributes:
        velocity: (n, 3, 2) desired velocity, room widths per second.
        gaze: (n, 3, 2) desired gaze direction, of any length; zero: the direction of motion.
        holder: (n,) agent that holds the object, −1 if nobody does.
    """

    velocity: Float[np.ndarray, "n 3 2"]
    gaze: Float[np.ndarray, "n 3 2"]
    holder: Int[np.ndarray, " n"]


@dataclass
class Scene:
    """The state of n episodes, and their random parameters.

    The room is the unit square, y upwards. Episodes are independent: each depends only on its own random numbers.

    Attributes:
        position: (n, 4, 2) of A, B, C and the object.
        heading: (n, 3) radians, where agents look.
        present: (n, 4) whether each entity is present (a third agent and an object are optional).
        radius: (n, 4) room widths.
        pace: (n,) walking speed, room widths per second: a nuisance variable.
        vigour: (n,) about 1; multiplies the pace.
        goal: (n, 2) B's goal for the object, or for itself.
        chance: (n, 8) uniform random numbers for use by the behaviour.
        holder: (n,) agent that holds the object, −1 if nobody does.
        onset: (n,) time at which the behaviour starts, seconds.
        clock: seconds since the start.
    """

    position: Float[np.ndarray, "n 4 2"]
    heading: Float[np.ndarray, "n 3"]
    present: Bool[np.ndarray, "n 4"]
    radius: Float[np.ndarray, "n 4"]
    pace: Float[np.ndarray, " n"]
    vigour: Float[np.ndarray, " n"]
    goal: Float[np.ndarray, "n 2"]
    chance: Float[np.ndarray, "n 8"]
    holder: Int[np.ndarray, " n"]
    onset: Float[np.ndarray, " n"]
    velocity: Float[np.ndarray, "n 4 2"] = field(init=False)
    clock: float = 0.0

    def __post_init__(self) -> None:
        self.velocity = np.zeros_like(self.position)

    @property
    def speed(self) -> Float[np.ndarray, "n 1"]:
        """Walking speed times vigour."""
        speed: Float[np.ndarray, "n 1"] = (self.pace * self.vigour)[:, None]
        return speed

    def reach(self, i: int = A, j: int = B) -> Float[np.ndarray, "n 1"]:
        """Distance between the centres of two touching entities, in room widths."""
        reach: Float[np.ndarray, "n 1"] = (self.radius[:, i] + self.radius[:, j])[:, None]
        return reach

    def gap(self, i: int = A, j: int = B) -> Float[np.ndarray, " n"]:
        """Distance between the surfaces of two entities in room widths; negative if they overlap."""
        apart = np.linalg.norm(self.position[:, i] - self.position[:, j], axis=-1)
        gap: Float[np.ndarray, " n"] = apart - self.radius[:, i] - self.radius[:, j]
        return gap


Controller = Callable[[Scene], Intentions]


@dataclass(frozen=True)
class Episodes:
    """Trajectories and intentions in n episodes of T frames.

    Attributes:
        position: (n, T, 4, 2) of A, B, C and the object, room widths, y upwards.
        velocity: (n, T, 4, 2) room widths per second.
        heading: (n, T, 3) radians.
        wish: (n, T, 3, 2) desired velocities of the agents.
        impact: (n, T) collision speed of A and B, room widths per second; 0 without contact.
        touch: (n, T, 2) whether A, and B, touch the object.
        holder: (n, T) agent that holds the object, −1 if nobody does.
        present, radius, pace, goal: as in :class:`Scene`.
    """

    position: Float[np.ndarray, "n t 4 2"]
    velocity: Float[np.ndarray, "n t 4 2"]
    heading: Float[np.ndarray, "n t 3"]
    wish: Float[np.ndarray, "n t 3 2"]
    impact: Float[np.ndarray, "n t"]
    touch: Bool[np.ndarray, "n t 2"]
    holder: Int[np.ndarray, "n t"]
    present: Bool[np.ndarray, "n 4"]
    radius: Float[np.ndarray, "n 4"]
    pace: Float[np.ndarray, " n"]
    goal: Float[np.ndarray, "n 2"]

    def __len__(self) -> int:
        return len(self.pace)


def play_out(scene: Scene, controller: Controller, frames: int = FRAMES) -> Episodes:
    """Simulate a behaviour for ``frames`` frames; ``scene`` is advanced to the end."""
    record: dict[str, list[np.ndarray]] = {
        name: [] for name in ("position", "velocity", "heading", "wish", "impact", "touch", "holder")
    }
    for _ in range(frames):
        intentions = controller(scene)
        scene.holder = intentions.holder
        impact = np.zeros(len(scene.pace))
        for _ in range(_SUBSTEPS):
            impact = np.maximum(impact, _step(scene, intentions, 1 / (FPS * _SUBSTEPS)))
        touch = np.stack([scene.gap(agent, OBJECT) < 0.012 for agent in (A, B)], axis=1)
        now = (scene.position, scene.velocity, scene.heading, intentions.velocity)
        for name, value in zip(
            record, (*now, impact, touch & scene.present[:, [OBJECT]], scene.holder), strict=True
        ):
            record[name].append(value.copy())
        scene.clock += 1 / FPS
    stacked = {name: np.stack(values, axis=1) for name, values in record.items()}
    return Episodes(
        **stacked, present=scene.present, radius=scene.radius, pace=scene.pace, goal=scene.goal
    )  # fmt: skip


def _step(scene: Scene, intentions: Intentions, dt: float) -> Float[np.ndarray, " n"]:
    """Advance by ``dt`` seconds; returns the collision speed of A and B."""
    agents = slice(0, 3)
    scene.velocity[:, agents] += (intentions.velocity - scene.velocity[:, agents]) * min(
        1.0, dt / _RESPONSE_S
    )
    scene.velocity[:, OBJECT] *= np.exp(-_FRICTION * dt)
    scene.position += scene.velocity * dt
    impact = np.zeros(len(scene.pace))
    for i, j in _PAIRS:
        closing = _collide(scene, i, j)
        if (i, j) == (A, B):
            impact = closing
    _keep_inside(scene)
    _carry(scene)
    _turn(scene, intentions.gaze, dt)
    return impact


def _collide(scene: Scene, i: int, j: int) -> Float[np.ndarray, " n"]:
    """Separate two overlapping entities and exchange their momentum; returns their closing speed."""
    apart = scene.position[:, j] - scene.position[:, i]
    distance = np.linalg.norm(apart, axis=-1)
    overlap = scene.radius[:, i] + scene.radius[:, j] - distance
    held = (scene.holder == i) if j == OBJECT else np.zeros(len(overlap), dtype=bool)
    touching = (overlap > 0) & scene.present[:, i] & scene.present[:, j] & ~held
    if j == OBJECT:
        touching &= scene.holder < 0
    normal = apart / np.maximum(distance, 1e-9)[:, None]
    closing = np.sum((scene.velocity[:, i] - scene.velocity[:, j]) * normal, axis=-1)
    closing = np.where(touching, np.maximum(closing, 0.0), 0.0)
    total = _MASS[i] + _MASS[j]
    impulse = (1 + _BOUNCE) * closing[:, None] * normal / total
    shift = np.where(touching, overlap, 0.0)[:, None] * normal / total
    scene.velocity[:, i] -= impulse * _MASS[j]
    scene.velocity[:, j] += impulse * _MASS[i]
    scene.position[:, i] -= shift * _MASS[j]
    scene.position[:, j] += shift * _MASS[i]
    return closing


def _keep_inside(scene: Scene) -> None:
    """Keep entities within the walls, with a slight bounce."""
    low = scene.radius[:, :, None]
    outside = (scene.position < low) | (scene.position > 1 - low)
    scene.position = np.clip(scene.position, low, 1 - low)
    scene.velocity = np.where(outside, -_BOUNCE * scene.velocity, scene.velocity)


def _carry(scene: Scene) -> None:
    """Move a held object to the front of its holder."""
    rows = np.flatnonzero(scene.holder >= 0)
    if not len(rows):
        return
    who = scene.holder[rows]
    angle = scene.heading[rows, who]
    reach = 0.9 * (scene.radius[rows, who] + scene.radius[rows, OBJECT])
    ahead = np.stack([np.cos(angle), np.sin(angle)], axis=-1) * reach[:, None]
    held = np.clip(scene.position[rows, who] + ahead, 0.02, 0.98)
    step = held - scene.position[rows, OBJECT]
    scene.position[rows, OBJECT] += 0.3 * step  # gradual handover, not a jump
    scene.velocity[rows, OBJECT] = scene.velocity[rows, who]


def _turn(scene: Scene, gaze: Float[np.ndarray, "n 3 2"], dt: float) -> None:
    """Turn agents towards their desired gaze, or else their direction of motion."""
    free = np.linalg.norm(gaze, axis=-1, keepdims=True) < 1e-9
    aim = np.where(free, scene.velocity[:, :3], gaze)
    still = np.linalg.norm(aim, axis=-1) < 0.02 * scene.pace[:, None]
    wanted = np.where(still, scene.heading, np.arctan2(aim[..., 1], aim[..., 0]))
    turn = (wanted - scene.heading + np.pi) % (2 * np.pi) - np.pi
    scene.heading = scene.heading + np.clip(turn, -_TURN * dt, _TURN * dt)
