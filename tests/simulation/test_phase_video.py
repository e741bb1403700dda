"""PHASE animations: what is drawn where, and that it ends up in a file that plays."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from bgs._errors import ConfigError
from bgs.simulation.canvas import Canvas
from bgs.simulation.phase_video import PhaseScene, draw_phase, entity_colours, render_phase
from bgs.stimuli import Sampling, decode
from bgs.stimuli.encoding import write_video

RED, GREEN, BLUE, PINK = (255, 0, 0), (0, 255, 0), (117, 216, 230), (255, 153, 153)


@dataclass
class Scene:
    """Agent 0 moves right from (9, 12) to (13, 12) in two steps and turns; the others stand still."""

    trajectories: np.ndarray = field(default_factory=lambda: paths())
    radii: np.ndarray = field(default_factory=lambda: np.array([0.8, 1.2, 1.6, 1.01]))
    colours: dict[int, int] = field(default_factory=lambda: {0: 0, 1: 2, 2: 3})
    walls: np.ndarray = field(default_factory=lambda: np.array([[[16.0, 12.0], [16.0, 22.0]]]))
    landmarks: np.ndarray = field(
        default_factory=lambda: np.array([[8.5, 19.5], [23.5, 19.5], [23.5, 4.5], [8.5, 4.5]])
    )


def paths() -> np.ndarray:
    trajectories = np.zeros((4, 3, 5))
    trajectories[:, :, :2] = np.array([[9, 12], [20, 8], [12, 17], [20, 16]])[:, None, :]
    trajectories[0, :, 0] = [9, 11, 13]
    trajectories[0, :, 4] = [0, np.pi / 2, np.pi]
    return trajectories


def at(picture: np.ndarray, x: float, y: float) -> tuple[int, ...]:
    """Colour at world coordinates, the room of 20 × 20 units being drawn with a margin of .75."""
    unit = 21.5 / len(picture)
    column, row = int((x - 5.25) / unit), int((22.75 - y) / unit)
    return tuple(picture[row, column].tolist())


# --- canvas --------------------------------------------------------------------------------------------------


def test_a_disc_covers_its_area_however_it_falls_on_the_pixels() -> None:
    for shift in (0.0, 0.13, 0.37):
        canvas = Canvas(64, (0.0, 0.0), 64.0)
        canvas.disc((30 + shift, 33 - shift), 9.5, (0, 0, 0))
        assert (255 - canvas.picture[:, :, 0]).sum() / 255 == pytest.approx(np.pi * 9.5**2, rel=0.005)


def test_rectangles_and_lines_lie_where_they_should() -> None:
    canvas = Canvas(10, (0.0, 0.0), 10.0)
    canvas.rectangle((2.5, 8.0), 3.0, 2.0, (0, 0, 0), opacity=0.5)
    expected = np.full((10, 10), 255.0)
    expected[1:3, 1:4] = 127.5
    np.testing.assert_allclose(canvas.picture[:, :, 2], expected)
    canvas = Canvas(40, (0.0, 0.0), 10.0)
    canvas.line((1.0, 5.0), (9.0, 5.0), 1.0, (0, 0, 0))
    black = canvas.picture[:, :, 0] < 128
    assert black[:, 20].sum() == 4
    assert black[19].sum() == pytest.approx(36, abs=1)


def test_shapes_are_cut_at_the_border_and_may_lie_outside() -> None:
    canvas = Canvas(16, (0.0, 0.0), 16.0)
    canvas.disc((0.0, 16.0), 4.0, (0, 0, 0))
    assert canvas.pixels()[0, 0].max() == 0
    untouched = canvas.copy()
    untouched.disc((40.0, -40.0), 4.0, (0, 0, 0))
    untouched.line((30.0, 30.0), (30.0, 30.0), 1.0, (0, 0, 0))
    np.testing.assert_array_equal(canvas.picture, untouched.picture)


# --- what is drawn -------------------------------------------------------------------------------------------


def test_everything_is_in_its_place() -> None:
    picture = next(draw_phase(Scene(), size=430))
    assert isinstance(Scene(), PhaseScene)
    assert at(picture, 9, 11.6) == RED
    assert at(picture, 20, 7.3) == GREEN
    assert at(picture, 12, 17) == BLUE
    assert at(picture, 20, 16) == PINK
    assert at(picture, 16, 18) == (0, 0, 0)
    assert at(picture, 6, 12) == (0, 0, 0), "the wall of the room"
    assert at(picture, 16, 10) == (255, 255, 255)
    assert at(picture, 5.4, 22.6) == (255, 255, 255)


def test_landmarks_are_blue_green_red_and_yellow() -> None:
    picture = next(draw_phase(Scene(), size=430)).astype(int)
    tints = [np.array(at(picture, x, y)) for x, y in Scene().landmarks]
    assert [int(tint.argmax()) for tint in tints[:3]] == [2, 1, 0]
    assert tints[3].argmin() == 2


def test_radii_are_those_given() -> None:
    picture = next(draw_phase(Scene(), size=860)).astype(int)
    away = np.abs(picture - np.array(PINK)).sum(axis=2)
    area = (away < 20).sum() * (21.5 / 860) ** 2
    assert area == pytest.approx(np.pi * (1.01 - 0.09) ** 2, rel=0.03)


def test_heading_is_shown_by_two_eyes_in_front() -> None:
    """At angle 0 the eyes look up, a quarter turn later to the left, half a turn later down."""
    ahead = [np.array([0.0, 1.0]), np.array([-1.0, 0.0]), np.array([0.0, -1.0])]
    for frame, x, front in zip(draw_phase(Scene(), size=430, fps=4), (9, 11, 13), ahead, strict=True):
        side = front[::-1]
        for sign in (-1, 1):
            pupil = np.array([x, 12]) + 0.8 * 0.72 * (np.cos(0.62) * front + sign * np.sin(0.62) * side)
            assert at(frame, *pupil) == (0, 0, 0)
            assert at(frame, *(2 * np.array([x, 12]) - pupil)) == RED, "there is nothing at the back"


def test_time_runs_at_four_steps_a_second_and_positions_are_interpolated() -> None:
    assert len(list(draw_phase(Scene(), size=86, fps=4))) == 3
    frames = list(draw_phase(Scene(), size=430, fps=8))
    assert len(frames) == 5
    reds = [np.argwhere(np.abs(frame.astype(int) - RED).sum(axis=2) < 20) for frame in frames]
    columns = [float(red[:, 1].mean()) * 21.5 / 430 + 5.25 for red in reds]
    np.testing.assert_allclose(columns, [9, 10, 11, 12, 13], atol=0.35)


@pytest.mark.parametrize(
    ("codes", "colours"),
    [
        ({0: 0, 1: 1, 3: 2, 4: 3}, (RED, GREEN, BLUE, PINK)),
        ({0: 1, 1: 0, 3: 3, 4: 2}, (GREEN, RED, PINK, BLUE)),
        ({0: 0, 1: 2, 2: 3}, (RED, GREEN, BLUE, PINK)),
        ({0: 1, 1: 3, 2: 2}, (GREEN, RED, PINK, BLUE)),
    ],
)
def test_colours_from_incomplete_codes(codes: dict[int, int], colours: tuple) -> None:
    assert entity_colours(codes) == colours


# --- the file ------------------------------------------------------------------------------------------------


def test_the_file_plays_and_reads_back(tmp_path: Path) -> None:
    render_phase(Scene(), tmp_path / "clip.mp4", size=128, fps=8)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height, stream.frames) == (
            "h264",
            128,
            128,
            5,
        )
        assert stream.average_rate == Fraction(8)
    drawn = np.stack(list(draw_phase(Scene(), size=128, fps=8)))
    read = decode(tmp_path / "clip.mp4", Sampling(5, 128))
    assert np.abs(drawn.astype(int) - read).mean() < 2
    assert sorted(tmp_path.iterdir()) == [tmp_path / "clip.mp4"]


def test_what_cannot_be_written(tmp_path: Path) -> None:
    for size in (127, 0, 20_000):
        with pytest.raises(ConfigError, match="impossible size; expected an even number of pixels"):
            render_phase(Scene(), tmp_path / "clip.mp4", size=size)
    for fps in (0, 10**9):
        with pytest.raises(ConfigError, match="invalid frame rate"):
            render_phase(Scene(), tmp_path / "clip.mp4", fps=fps)
    with pytest.raises(ConfigError, match="odd size"):
        write_video(tmp_path / "clip.mp4", [np.zeros((32, 31, 3), np.uint8)], 12)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.real
def test_a_published_clip(mirror: Path) -> None:
    """All four colours are seen at the end of every tenth clip (at its start, entities may cover each other)."""
    from bgs.datasets.download import fetch
    from bgs.datasets.phase import read_clips
    from bgs.datasets.registry import PHASE_GENSET

    for clip in read_clips(fetch(PHASE_GENSET, mirror))[::10]:
        assert isinstance(clip, PhaseScene)
        picture = list(draw_phase(clip, size=256, fps=1))[-1].astype(int)
        for colour in (RED, GREEN, BLUE, PINK):
            assert (np.abs(picture - np.array(colour)).sum(axis=2) < 30).sum() > 30
