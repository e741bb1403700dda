"""Renders PHASE animations from their trajectories, in the style of the originals (Netanyahu et al. 2021)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from bgs._typing import Float
from bgs.simulation.canvas import Canvas, Colour
from bgs.stimuli.encoding import check_side, write_video

#: Version of the rendering; clips of other versions are rendered again.
DRAWING = 1

#: Trajectory steps per second of the original videos: five frames at 20 per second were averaged into a step.
STEPS_A_SECOND = 4

#: The room spans (6, 2) to (26, 22) in every clip, with a white margin.
_ROOM, _MARGIN = ((6.0, 2.0), 20.0), 0.75
_LANDMARK_SIDE, _WALL = 5.0, 0.25

_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)
#: Blue, green, red and yellow, in the order of ``landmarks``; discs on top of them must remain visible.
_LANDMARKS: tuple[Colour, ...] = ((45, 45, 180), (50, 150, 50), (180, 45, 45), (180, 180, 45))
_LANDMARK_OPACITY = 0.45
#: By colour code: red and green agents, blue and pink objects.
_ENTITIES: tuple[Colour, ...] = ((255, 0, 0), (0, 255, 0), (117, 216, 230), (255, 153, 153))
_RIM = 0.09


@runtime_checkable
class PhaseScene(Protocol):
    """The scene to render: see :class:`bgs.datasets.phase.PhaseClip`."""

    @property
    def trajectories(self) -> Float[np.ndarray, "4 t 5"]:
        """x, y, two velocity components and angle of two agents, then two objects."""

    @property
    def radii(self) -> Float[np.ndarray, " 4"]:
        """(4,) radii in the units of x and y."""

    @property
    def colours(self) -> Mapping[int, int]:
        """Colour codes, see :func:`entity_colours`."""

    @property
    def walls(self) -> Float[np.ndarray, "w 2 2"]:
        """End points of the walls inside the room."""

    @property
    def landmarks(self) -> Float[np.ndarray, "l 2"]:
        """Centres."""


def entity_colours(codes: Mapping[int, int]) -> tuple[Colour, Colour, Colour, Colour]:
    """Colours of agent 0, agent 1, object 0 and object 1.

    The published codes are incomplete in 72 of 100 clips, where the key of an object overwrote that of an agent. The
    codes of agent 0 and of the last object are always present and determine the other two.
    """
    red, green, blue, pink = _ENTITIES
    agents = (red, green) if codes[0] == 0 else (green, red)
    objects = (blue, pink) if codes[max(codes)] == 3 else (pink, blue)
    return *agents, *objects


def render_phase(scene: PhaseScene, path: str | Path, size: int = 256, fps: int = 12) -> None:
    """Write an animation as H.264 video, at the original speed.

    Args:
        scene: the animation.
        path: file to write, .mp4; it appears only when complete.
        size: width and height in pixels, an even number.
        fps: frames per second; positions are interpolated between steps.

    Raises:
        ConfigError: size or frame rate is odd or out of range.
        MissingExtraError: PyAV is not installed.
    """
    check_side(size)
    write_video(path, draw_phase(scene, size, fps), fps)


def draw_phase(scene: PhaseScene, size: int = 256, fps: int = 12) -> Iterator[UInt8[np.ndarray, "s s 3"]]:
    """The frames of an animation, each (size, size, 3)."""
    room = _room(scene, size)
    colours = entity_colours(scene.colours)
    for state in _states(scene.trajectories, fps):
        canvas = room.copy()
        for entity in (2, 3, 0, 1):  # agents in front of objects
            x, y, angle = state[entity]
            canvas.disc((x, y), scene.radii[entity], _shade(colours[entity]))
            canvas.disc((x, y), scene.radii[entity] - _RIM, colours[entity])
            if entity < 2:
                _draw_eyes(canvas, x, y, angle, scene.radii[entity])
        yield canvas.pixels()


def _states(trajectories: Float[np.ndarray, "4 t 5"], fps: int) -> Iterator[Float[np.ndarray, "4 3"]]:
    """x, y and angle of the four entities in every frame."""
    path = trajectories[:, :, [0, 1, 4]]
    last = path.shape[1] - 1
    for frame in range(last * fps // STEPS_A_SECOND + 1):
        step, rest = divmod(frame * STEPS_A_SECOND, fps)
        following = min(step + 1, last)
        yield path[:, step] + (path[:, following] - path[:, step]) * (rest / fps)


def _room(scene: PhaseScene, size: int) -> Canvas:
    """The static background: walls and landmarks."""
    (left, low), side = _ROOM
    canvas = Canvas(size, (left - _MARGIN, low - _MARGIN), side + 2 * _MARGIN)
    for centre, colour in zip(scene.landmarks, _LANDMARKS, strict=True):
        canvas.rectangle((centre[0], centre[1]), _LANDMARK_SIDE, _LANDMARK_SIDE, colour, _LANDMARK_OPACITY)
    corners = [(left, low), (left + side, low), (left + side, low + side), (left, low + side)]
    outer = list(zip(corners, corners[1:] + corners[:1], strict=True))
    inner = [((a[0], a[1]), (b[0], b[1])) for a, b in scene.walls]
    for begin, end in outer + inner:
        canvas.line(begin, end, _WALL, _BLACK)
    return canvas


def _draw_eyes(canvas: Canvas, x: float, y: float, angle: float, radius: float) -> None:
    """Two eyes at the front; at angle 0 an agent looks up (+y), and angles increase counter-clockwise."""
    for side in (-0.62, 0.62):
        direction = angle + np.pi / 2 + side
        for reach, eye, colour in ((0.62, 0.32, _BLACK), (0.62, 0.27, _WHITE), (0.72, 0.15, _BLACK)):
            centre = (x + reach * radius * np.cos(direction), y + reach * radius * np.sin(direction))
            canvas.disc(centre, eye * radius, colour)


def _shade(colour: Colour) -> Colour:
    """A darker rim colour, so that a disc stands out from a landmark of the same colour."""
    red, green, blue = (value * 11 // 20 for value in colour)
    return red, green, blue
