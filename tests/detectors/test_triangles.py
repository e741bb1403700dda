"""Two triangles in drawn clips, whose places are known, and in the published ones, whose places are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bgs.datasets import load_dataset
from bgs.detectors import open_detector
from bgs.detectors.rigid_triangles import Triangle, fit, mismatch, pixel_grid
from bgs.detectors.triangles import NAMES, darkness
from bgs.stimuli.decoding import whole_frames
from clips import write_clip

#: Radii of the inscribed circles, as shares of the height of the frame; about those of the published clips.
SMALL, LARGE = 0.0365, 0.048
#: Points along each side of a pixel when drawing.
FINE = 4


def corners(x: float, y: float, angle: float, radius: float) -> np.ndarray:
    turns = angle + 2 * np.pi / 3 * np.arange(3)
    return np.stack([x + 2 * radius * np.cos(turns), y + 2 * radius * np.sin(turns)], axis=1)


def filled(points: np.ndarray, height: int, width: int) -> np.ndarray:
    """Share of each pixel within a triangle, by counting points; a pixel's centre has whole coordinates."""
    cover = np.zeros((height, width))
    (left, top), (right, bottom) = (
        np.clip(points.min(0) - 2, 0, None).astype(int),
        points.max(0).astype(int) + 3,
    )
    place = np.s_[top : min(bottom, height), left : min(right, width)]
    rows, columns = cover[place].shape
    y, x = (np.indices((rows * FINE, columns * FINE)) + 0.5) / FINE - 0.5
    inside = np.ones(x.shape, bool)
    for (ax, ay), (bx, by) in zip(points, np.roll(points, -1, axis=0), strict=True):
        inside &= (bx - ax) * (y + top - ay) - (by - ay) * (x + left - ax) >= 0
    cover[place] = inside.reshape(rows, FINE, columns, FINE).mean(axis=(1, 3))
    return cover


def poses(moments: int, height: int) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
    """The large triangle comes, turns on the small one, covers most of it and leaves; both once turn abruptly."""
    found = []
    for t in np.linspace(0, 1, moments):
        apart = height * (0.09 + 0.25 * np.cos(np.pi * t) ** 2)
        jump = 1.1 if t > 0.55 else 0.0
        large = (0.5 * height + apart, 0.5 * height + 10 * t, 2 * t + jump, LARGE * height)
        found.append(((0.5 * height, 0.5 * height, 0.3 + jump, SMALL * height), large))
    return found


def drawn(small: tuple[float, ...], large: tuple[float, ...], height: int) -> tuple[np.ndarray, np.ndarray]:
    """A frame of 4:3 and its labels: of two, the small one is on top."""
    shapes = [filled(corners(*each), height, 4 * (height // 3)) for each in (small, large)]
    cover = np.maximum(*shapes)
    labels = np.where(shapes[0] > 0.5, 1, np.where(shapes[1] > 0.5, 2, 0))
    return np.repeat(np.round(255 * (1 - cover))[..., None].astype(np.uint8), 3, axis=2), labels


def overlap(found: np.ndarray, truth: np.ndarray, label: int) -> np.ndarray:
    """Intersection over union of a label in each frame."""
    both, either = (found == label) & (truth == label), (found == label) | (truth == label)
    return both.sum(axis=(1, 2)) / either.sum(axis=(1, 2))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A compressed clip of 400 × 532 and its labels."""
    frames, labels = zip(*(drawn(*pair, 400) for pair in poses(20, 400)), strict=True)
    path = tmp_path_factory.mktemp("triangles") / "hs1.mp4"
    return write_clip(path, frames, rate=50, codec_options={"crf": "30"}), np.stack(labels)


@pytest.mark.parametrize("side", [400, 200])
def test_triangles_are_found_where_they_were_drawn(clip, side):
    path, truth = clip
    found = open_detector("triangles")(whole_frames(path, side))
    assert found.names == NAMES
    truth = truth[:, 400 // side // 2 :: 400 // side, 400 // side // 2 :: 400 // side]
    assert found.labels.shape == truth.shape
    for label in (1, 2):
        same = overlap(found.labels, truth, label)
        assert np.median(same) > 0.9
        assert same.min() > 0.8


def test_clips_of_other_pixels_and_colours_are_alike(clip):
    """Twice the pixels, grey on grey, and reversed in time."""
    frames = [drawn(*pair, 150)[0] for pair in poses(16, 150)]
    plain = open_detector("triangles")(frames)
    large = open_detector("triangles")([frame.repeat(2, axis=0).repeat(2, axis=1) for frame in frames])
    dim = open_detector("triangles")([(60 + frame * 0.5).astype(np.uint8) for frame in frames])
    back = open_detector("triangles")(frames[::-1])
    for label in (1, 2):
        assert overlap(large.labels[:, ::2, ::2], plain.labels, label).min() > 0.85
        assert overlap(dim.labels, plain.labels, label).min() > 0.95
        assert np.median(overlap(back.labels[::-1], plain.labels, label)) > 0.95


def test_one_that_is_half_out_of_the_picture_stays_itself():
    """The large triangle leaves until less of it is seen than of the small one."""
    pairs = [((80.0, 60.0, 0.2, 9.0), (160 + 3.0 * t, 60.0, 0.5, 12.0)) for t in range(14)]
    frames, labels = zip(*(drawn(*pair, 150) for pair in pairs), strict=True)
    found = open_detector("triangles")(frames)
    assert (labels[-1] == 2).sum() < (labels[-1] == 1).sum()
    assert overlap(found.labels, np.stack(labels), 2).min() > 0.9
    assert overlap(found.labels, np.stack(labels), 1).min() > 0.9


def test_what_shows_no_two_triangles_is_all_background():
    noise = np.random.default_rng(0).integers(0, 256, (3, 60, 80, 3), dtype=np.uint8)
    plain = np.full((2, 60, 80, 3), 200, np.uint8)
    one = [drawn((50.0, 40.0, 0.0, 8.0), (50.0, 40.0, 0.0, 8.0), 90)[0]] * 2
    squares = np.full((2, 60, 80, 3), 255, np.uint8)
    squares[:, 10:20, 10:20] = squares[:, 30:50, 40:60] = 0
    for frames in (noise, plain, one, squares):
        assert not open_detector("triangles")(frames).labels.any()
    assert not darkness(plain[0]).any()


def test_a_step_follows_the_slope():
    """Derivatives of blurred edges against differences."""
    triangle, points = Triangle(20.3, 14.8, 0.4, 7.0), pixel_grid((30, 40))
    _, slopes = triangle.edges(points, 5)
    for part, by in enumerate(np.eye(3) * 1e-5):
        ahead, behind = (triangle.moved(*map(float, sign * by)).edges(points, 5)[0] for sign in (1, -1))
        numeric = (ahead - behind) / 2e-5
        smooth = np.abs(numeric - slopes[part]) < 1e-4
        assert smooth.mean() > 0.99  # elsewhere, an edge begins or ends
        assert np.abs(slopes[part]).max() > 0.05


def test_a_fit_finds_what_was_moved_and_turned():
    truth = (Triangle(50.0, 40.0, 0.3, 11.0), Triangle(66.0, 44.0, 1.0, 14.0))
    silhouette = np.maximum(*(filled(corners(t.x, t.y, t.angle, t.radius), 100, 120) for t in truth))
    for turn in (0.1, 1.0):  # the first is near, the second takes another start
        start = (truth[0].moved(-3.0, 2.0, turn * 11), truth[1].moved(4.0, 1.0, -0.2 * 14))
        found = fit(silhouette, start)
        assert mismatch(silhouette, start) > 0.2
        assert mismatch(silhouette, found) < 0.03
        for one, other in zip(found, truth, strict=True):
            assert abs(complex(one.x - other.x, one.y - other.y)) < 0.5


def test_a_shape_gives_its_own_pose():
    truth = Triangle(31.2, 28.7, 0.3, 12.0)
    found = Triangle.of_shape(filled(corners(31.2, 28.7, 0.3, 12.0), 60, 70))
    assert found.x == pytest.approx(truth.x, abs=0.05)
    assert found.y == pytest.approx(truth.y, abs=0.05)
    assert found.radius == pytest.approx(truth.radius, rel=0.01)
    assert found.angle == pytest.approx(truth.angle, abs=0.01)


def audited(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the picture of both triangles in each frame, and how much of what is dark is not theirs or missing."""
    frames = list(whole_frames(path, 300))
    labels = open_detector("triangles")(frames).labels
    shares = np.stack([(labels == label).mean(axis=(1, 2)) for label in (1, 2)], axis=1)
    dark = np.stack([darkness(frame) > 127 for frame in frames])
    return shares, ((labels > 0) != dark).mean(axis=(1, 2))


def check(shares: np.ndarray, wrong: np.ndarray) -> None:
    """Both are seen in 99 % of frames, as large as when they are apart or less, and nothing dark is left over."""
    assert (shares > 0.001).all(axis=1).mean() >= 0.99
    assert np.median(shares, axis=0) == pytest.approx([0.0052, 0.0090], abs=0.0006)
    assert (shares.max(axis=0) < [0.0060, 0.0100]).all()
    assert wrong.max() < 1e-3


@pytest.mark.real
def test_a_published_clip(mirror: Path):
    stimuli = load_dataset("heider-simmel-triplets", mirror=mirror).stimuli
    check(*audited(stimuli.videos[stimuli.index["hs5528"]]))


@pytest.mark.real
@pytest.mark.slow
def test_all_published_clips(mirror: Path):
    found = [audited(path) for path in load_dataset("heider-simmel-triplets", mirror=mirror).stimuli.videos]
    shares, wrong = (np.concatenate(each) for each in zip(*found, strict=True))
    assert len(shares) == 13_548
    check(shares, wrong)
