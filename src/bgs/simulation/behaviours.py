"""Fourteen social behaviours, each a small goal-directed controller (after Heider & Simmel 1944 and PHASE)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bgs._typing import Float, Int
from bgs.simulation.steering import Vectors, arrive, evade, seek, turned, unit, wander
from bgs.simulation.world import OBJECT, A, B, C, Controller, Intentions, Scene

#: Initial position of the object: none, held by an agent, in front of B with A beside B, between
#: B and A, or behind A.
ObjectStart = Literal["none", "held by A", "held by B", "before B", "between", "behind A"]


@dataclass(frozen=True)
class Behaviour:
    """A behaviour: what the agents do, and the initial state of an episode.

    Attributes:
        name: a verb; A does it to or with B.
        controller: desired actions of the agents, given the scene.
        gap: minimum and maximum initial distance between the surfaces of A and B, in room widths.
        object: initial position of the object.
    """

    name: str
    controller: Controller
    gap: tuple[float, float]
    object: ObjectStart = "none"


def _intentions(
    scene: Scene,
    a: Vectors,
    b: Vectors,
    gaze_a: Vectors | None = None,
    gaze_b: Vectors | None = None,
    holder: Int[np.ndarray, " n"] | None = None,
) -> Intentions:
    """Intentions of A and B; the third agent wanders, and agents without a gaze look in their direction of motion."""
    still = np.zeros_like(a)
    bystander = wander(scene.position[:, C], 0.5 * scene.pace[:, None], scene.chance[:, 6:8], scene.clock)
    gazes = [still if gaze is None else gaze for gaze in (gaze_a, gaze_b)]
    return Intentions(
        np.stack([a, b, bystander], axis=1),
        np.stack([*gazes, still], axis=1),
        scene.holder if holder is None else holder,
    )


def _places(scene: Scene) -> tuple[Vectors, Vectors, Vectors]:
    """Positions of A and B, and the direction from A to B."""
    a, b = scene.position[:, A], scene.position[:, B]
    return a, b, unit(b - a)


def _when(condition: np.ndarray, yes: Vectors, no: Vectors) -> Vectors:
    chosen: Vectors = np.where(condition[:, None], yes, no)
    return chosen


def _wave(scene: Scene, hertz: float, column: int) -> Float[np.ndarray, "n 1"]:
    """A sine wave with a random phase for each clip."""
    wave: Float[np.ndarray, "n 1"] = np.sin(2 * np.pi * (hertz * scene.clock + scene.chance[:, [column]]))
    return wave


def from_onset(controller: Controller) -> Controller:
    """A controller that starts at the onset of the behaviour; before, A and B wander."""

    def intentions(scene: Scene) -> Intentions:
        before, after = ignore(scene), controller(scene)
        waiting = scene.clock < scene.onset
        return Intentions(
            np.where(waiting[:, None, None], before.velocity, after.velocity),
            np.where(waiting[:, None, None], before.gaze, after.gaze),
            np.where(waiting, before.holder, after.holder),
        )

    return intentions


def chase(scene: Scene) -> Intentions:
    """A chases B at full speed; B runs away, swerving."""
    a, b, towards = _places(scene)
    swerve = 0.5 * _wave(scene, 0.8, 0)[:, 0]
    return _intentions(
        scene, seek(a, b, 1.7 * scene.speed), turned(evade(b, a, 1.5 * scene.speed), swerve), towards
    )


def flee(scene: Scene) -> Intentions:
    """A approaches at walking pace; B runs away as soon as A is near, looks back, and runs away again."""
    a, b, towards = _places(scene)
    near = scene.gap() < 0.28 + 0.1 * scene.chance[:, 0]
    return _intentions(
        scene, seek(a, b, 0.7 * scene.speed), _when(near, evade(b, a, 1.9 * scene.speed), 0.0 * b),
        towards, _when(near, 0.0 * b, -towards),
    )  # fmt: skip


def follow(scene: Scene) -> Intentions:
    """B moves on without looking at A; A stays slightly behind."""
    a, b, towards = _places(scene)
    way = wander(b, 0.8 * scene.speed, scene.chance[:, 0:2], scene.clock)
    behind = b - (scene.reach() + 0.08 + 0.08 * scene.chance[:, [2]]) * unit(way)
    return _intentions(scene, arrive(a, behind, 1.1 * scene.speed), way, towards)


def lead(scene: Scene) -> Intentions:
    """B goes ahead to a place, looks back and waits; A follows."""
    a, b, towards = _places(scene)
    waits = scene.gap() > 0.17
    ahead = arrive(b, scene.goal, 0.85 * scene.speed)
    looks_back = _wave(scene, 0.7, 0)[:, 0] > 0.1
    behind = b - (scene.reach() + 0.04) * unit(scene.goal - b)
    return _intentions(
        scene, arrive(a, behind, 1.0 * scene.speed), _when(waits, 0.15 * ahead, ahead),
        towards, _when(waits | looks_back, -towards, unit(ahead)),
    )  # fmt: skip


def _push(scene: Scene, agent: int, target: Vectors, speed: float, aside: float = 0.0) -> Vectors:
    """Move behind the object, as seen from a target, and push; ``aside`` leaves room for another agent."""
    at, thing = scene.position[:, agent], scene.position[:, OBJECT]
    way = turned(unit(target - thing), aside)
    reach = scene.reach(agent, OBJECT)
    behind = thing - reach * way
    offset = at - thing
    wrong_side = np.sum(offset * way, axis=-1) > -0.3 * reach[:, 0]
    side = np.sign(offset[:, 0] * way[:, 1] - offset[:, 1] * way[:, 0])
    around = thing + 1.5 * reach * turned(way, -np.pi / 2) * side[:, None] - 0.3 * reach * way
    there = np.linalg.norm(behind - at, axis=-1) < 0.7 * reach[:, 0]
    full = speed * scene.speed
    approach = _when(wrong_side, seek(at, around, full), seek(at, behind, full))
    done = np.linalg.norm(target - thing, axis=-1) < 0.03
    return _when(done, 0.0 * at, _when(there & ~wrong_side, seek(at, thing, full), approach))


def labour(scene: Scene) -> Intentions:
    """B alone pushes the object towards its goal while A watches: the baseline for helping and hindering."""
    return _intentions(scene, 0.0 * scene.goal, _push(scene, B, scene.goal, 1.0))


def help_(scene: Scene) -> Intentions:
    """B pushes the object towards its goal; A moves beside B and pushes too."""
    pushing = _push(scene, A, scene.goal, 1.2, aside=-0.65), _push(scene, B, scene.goal, 1.0, aside=0.65)
    return _intentions(scene, *pushing, gaze_a=scene.position[:, OBJECT] - scene.position[:, A])


def hinder(scene: Scene) -> Intentions:
    """B pushes the object towards its goal; A moves in front and pushes it back."""
    thing = scene.position[:, OBJECT]
    back = thing - unit(scene.goal - thing)
    return _intentions(scene, _push(scene, A, back, 1.4), _push(scene, B, scene.goal, 1.0))


def fight(scene: Scene) -> Intentions:
    """A and B run at each other, bounce off, and repeat."""
    _a, _b, towards = _places(scene)
    charge = np.sin(2 * np.pi * (1.3 * scene.clock + scene.chance[:, 0])) > -0.3
    speed = (1.6 + 0.5 * scene.chance[:, [1]]) * scene.speed
    forth, back = towards * speed, turned(-towards, 0.6) * 0.6 * speed
    return _intentions(
        scene, _when(charge, forth, back), _when(charge, -forth, turned(towards, 0.6) * 0.6 * speed),
        towards, -towards,
    )  # fmt: skip


def play(scene: Scene) -> Intentions:
    """A and B circle each other at varying distance, looking at each other."""
    a, b, towards = _places(scene)
    side = np.sign(scene.chance[:, [0]] - 0.5)
    around = turned(towards, np.pi / 2) * side
    wanted = 0.07 + 0.05 * _wave(scene, 0.9, 1)
    spring = 12.0 * (scene.gap()[:, None] - wanted)
    speed = 1.25 * scene.speed
    step = (around + np.clip(spring, -1.5, 1.5) * towards) * speed
    drift = 0.8 * (np.array([0.5, 0.5]) - (a + b) / 2) * speed
    return _intentions(scene, step + drift, -step + drift, towards, -towards)


def comfort(scene: Scene) -> Intentions:
    """B sits still with its gaze down; A approaches gently, stays close and rocks slightly."""
    a, b, towards = _places(scene)
    near = scene.gap() < 0.05
    rock = turned(towards, np.pi / 2) * 0.22 * scene.speed * _wave(scene, 1.0, 0)
    come = arrive(a, b - towards * (scene.reach() + 0.015), 0.8 * scene.speed)
    down = np.tile([0.0, -1.0], (len(a), 1))
    return _intentions(scene, _when(near, rock, come), 0.0 * b, towards, _when(near, -towards, down))


def greet(scene: Scene) -> Intentions:
    """A and B walk up to each other, nod, and walk on."""
    a, b, towards = _places(scene)
    parts = scene.clock > 1.5 + 0.9 * scene.chance[:, 0]
    met = scene.gap() < 0.08
    nod = 0.35 * scene.speed * _wave(scene, 2.0, 1) * towards
    beside = (scene.reach() + 0.055) * towards
    come = arrive(a, b - beside, 0.9 * scene.speed), arrive(b, a + beside, 0.9 * scene.speed)
    leave = turned(towards, 1.9) * 0.8 * scene.speed
    intentions = [
        _when(parts, way, _when(met, step, to))
        for way, step, to in zip((leave, -leave), (nod, -nod), come, strict=True)
    ]
    return _intentions(
        scene, intentions[0], intentions[1], _when(parts, 0 * a, towards), _when(parts, 0 * b, -towards)
    )


def ignore(scene: Scene) -> Intentions:
    """A and B move independently, keep apart and look past each other."""
    a, b, towards = _places(scene)
    near = scene.gap() < 0.2
    ways = [
        wander(at, 0.6 * scene.speed, scene.chance[:, i : i + 2], scene.clock) for at, i in ((a, 0), (b, 2))
    ]
    ways = [
        _when(near, unit(way + 1.5 * off) * 0.6 * scene.speed, way)
        for way, off in zip(ways, (-towards, towards), strict=True)
    ]
    return _intentions(scene, ways[0], ways[1], -towards + 0.3 * ways[0], towards + 0.3 * ways[1])


def guard(scene: Scene) -> Intentions:
    """B tries to reach the object; A stays in between and faces B."""
    a, b, towards = _places(scene)
    thing = scene.position[:, OBJECT]
    circling = turned(unit(thing - b), 0.9 * _wave(scene, 0.5, 0)[:, 0])
    post = thing + (scene.reach(A, OBJECT) + 0.065) * unit(b - thing)
    return _intentions(
        scene, arrive(a, post, 1.5 * scene.speed, 0.06), circling * 0.9 * scene.speed, towards, thing - b
    )


def share(scene: Scene) -> Intentions:
    """A brings B the object, hands it over, and stays with B."""
    a, b, towards = _places(scene)
    near = scene.gap() < 0.09
    holder = np.where(near & (scene.clock > 0.8 + 0.5 * scene.chance[:, 0]), B, scene.holder)
    sway = turned(towards, np.pi / 2) * 0.15 * scene.speed * _wave(scene, 0.8, 1)
    beside = (scene.reach() + 0.065) * towards
    come, meet = arrive(a, b - beside, 0.9 * scene.speed), arrive(b, a + beside, 0.3 * scene.speed)
    return _intentions(scene, _when(near, sway, come), _when(near, -sway, meet), towards, -towards, holder)


def steal(scene: Scene) -> Intentions:
    """B has the object; A runs up, snatches it and runs away; B chases A."""
    a, b, towards = _places(scene)
    holder = np.where(scene.gap() < 0.05, A, scene.holder)
    gone = holder == A
    stroll = wander(b, 0.4 * scene.speed, scene.chance[:, 0:2], scene.clock)
    return _intentions(
        scene, _when(gone, evade(a, b, 1.8 * scene.speed), seek(a, b, 1.5 * scene.speed)),
        _when(gone, seek(b, a, 1.2 * scene.speed), stroll), _when(gone, 0 * a, towards), None, holder,
    )  # fmt: skip


BEHAVIOURS: dict[str, Behaviour] = {
    behaviour.name: behaviour
    for behaviour in (
        Behaviour("chase", chase, (0.13, 0.28)),
        Behaviour("flee", flee, (0.23, 0.38)),
        Behaviour("follow", follow, (0.08, 0.23)),
        Behaviour("lead", lead, (0.08, 0.18)),
        Behaviour("help", help_, (0.02, 0.08), "before B"),
        Behaviour("hinder", hinder, (0.18, 0.3), "between"),
        Behaviour("fight", fight, (0.18, 0.38)),
        Behaviour("play", play, (0.08, 0.23)),
        Behaviour("comfort", comfort, (0.18, 0.38)),
        Behaviour("greet", greet, (0.28, 0.48)),
        Behaviour("ignore", ignore, (0.18, 0.38)),
        Behaviour("guard", guard, (0.18, 0.28), "behind A"),
        Behaviour("share", share, (0.23, 0.43), "held by A"),
        Behaviour("steal", steal, (0.18, 0.38), "held by B"),
    )
}
