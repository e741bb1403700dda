"""Overlays as specs: which frames, which heat, which words; drawn once to see that they can be."""

from __future__ import annotations

import numpy as np
import pytest

from bgs import BgsError
from bgs.reports.draw_overlay import _enlarged, draw_strip, write_overlay_video
from bgs.reports.overlays import overlay
from bgs.stimuli import ClipMaps, Sampling


def maps(frames: int = 8, grid: int = 4, hot: float = 5.0) -> ClipMaps:
    """One clip, a patch at the upper right of frame 3 ``hot`` times the others."""
    values = np.ones((1, frames, grid, grid))
    values[0, 3, 0, grid - 1] = hot
    return ClipMaps(values / values.sum(), ("clip",), Sampling(frames, 32), "a model", "rollout")


def frames(count: int = 8, size: int = 32) -> np.ndarray:
    return np.arange(count, dtype=np.uint8)[:, None, None, None] * np.full((1, size, size, 3), 10, np.uint8)


def test_frames_are_spread_and_heat_is_relative_to_chance():
    figure = overlay(
        "clip", {"base": maps(hot=1), "tuned": maps(4)}, {"base": frames(), "tuned": frames(4)}, 4
    )
    base, tuned = figure.rows
    assert base.parts == (1, 3, 5, 7)
    assert tuned.parts == (0, 1, 2, 3)
    assert tuned.moments() == [0.125, 0.375, 0.625, 0.875]
    np.testing.assert_array_equal(base.frames[:, 0, 0, 0], [10, 30, 50, 70])
    np.testing.assert_allclose(base.heat, 1)
    np.testing.assert_allclose(tuned.heat[3, 0, 3], 5 * 64 / 68)
    both = np.concatenate([base.heat.ravel(), tuned.heat.ravel()])
    assert figure.top == max(2, np.quantile(both, 0.99))  # one scale for both
    assert overlay("clip", {"base": maps(hot=1)}, {"base": frames()}).top == 2


def test_the_alternative_text_says_where_it_looks():
    text = overlay("clip", {"tuned": maps()}, {"tuned": frames()}, None).describe()
    assert "rollout on clip, 8 frames per row" in text
    assert "tuned: most at 44 % of the clip, 88 % from the left and 12 % from the top (4.8 ×)" in text


def test_what_does_not_belong_together():
    with pytest.raises(BgsError, match="no map of these frames"):
        overlay("clip", {"a": maps()}, {"a": frames(4)})
    with pytest.raises(BgsError, match="no map of these frames"):
        overlay("other", {"a": maps()}, {"a": frames()})
    with pytest.raises(BgsError, match="no map to lay over"):
        overlay("clip", {}, {})


def test_each_pixel_takes_the_heat_of_its_patch():
    heat = np.array([[0.0, 1.0], [0.25, 0.5]])
    np.testing.assert_array_equal(_enlarged(heat, 4), heat.repeat(2, axis=0).repeat(2, axis=1))


def test_they_can_be_drawn(tmp_path):
    from PIL import Image

    from bgs.stimuli import decode

    rows, seen = {"base": maps(4), "tuned": maps()}, {"base": frames(4), "tuned": frames()}
    figure = overlay("clip", rows, seen, None)
    draw_strip(figure, tmp_path / "a.png", size=40)
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (8 * 44 - 4, 2 * 60 - 4)
        assert picture.text["Description"] == figure.describe()
        hot, cold = picture.getpixel((3 * 44 + 38, 60 + 16 + 2)), picture.getpixel((3 * 44 + 2, 60 + 16 + 2))
        assert hot[0] > cold[0] + 50
    write_overlay_video(figure, tmp_path / "a.mp4", size=32)
    assert decode(tmp_path / "a.mp4", Sampling(8, 32, crop="none")).shape == (8, 32, 32, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "a.png"]
