"""Pixels by hand; motion energy on gratings whose motion is known."""

from __future__ import annotations

import numpy as np
import pytest

from bgs import BgsError, StimulusSet
from bgs.backbones import LoraSettings, attach_lora, embed, load_backbone
from bgs.backbones.low_level import DIRECTIONS, SPATIAL, TEMPORAL, motion_energy
from clips import write_clip


def grating(across: float, down: float, speed: float) -> np.ndarray:
    """(32, 64, 64) grey of a wave that travels along (across, down), in cycles a pixel and a frame."""
    t, y, x = np.mgrid[:32, :64, :64]
    return 0.5 + 0.5 * np.sin(2 * np.pi * (across * x + down * y - speed * t))


def test_pixels_of_a_known_clip():
    """One frame of red and one of blue, with a white pixel in the first cell of the second."""
    clip = np.zeros((16, 64, 64, 3), np.uint8)
    clip[:8, ..., 0], clip[8:, ..., 2] = 255, 255
    clip[15, 0, 0] = 255
    rgb, grey = (load_backbone(f"pixels:{kind}").describe(clip) for kind in ("rgb", "grey"))
    assert (rgb.shape, grey.shape) == ((1024,), (512,))
    mean, contrast = rgb[:768].reshape(16, 16, 3), rgb[768:].reshape(16, 16)
    np.testing.assert_allclose(mean[5, 5], [0.5, 0, 0.5])
    np.testing.assert_allclose(mean[0, 0], [0.5 + 1 / 256, 1 / 256, 0.5])
    np.testing.assert_allclose(contrast[5, 5], (0.299 - 0.114) / 2)
    values = np.array([0.299] * 128 + [0.114] * 127 + [1.0])  # the 16 pixels of a cell in 16 frames
    np.testing.assert_allclose(contrast[0, 0], values.std())
    np.testing.assert_allclose(grey[:256].reshape(16, 16)[0, 0], values.mean())
    np.testing.assert_allclose(grey[256:], rgb[768:])


@pytest.mark.parametrize("f", range(2))
@pytest.mark.parametrize("v", range(2))
@pytest.mark.parametrize("d", range(8))
def test_the_filter_of_the_wave_answers_most_and_its_opponent_hardly(f, v, d):
    angle = np.deg2rad(DIRECTIONS[d])
    wave = grating(SPATIAL[f] * np.cos(angle), -SPATIAL[f] * np.sin(angle), TEMPORAL[v])
    energy = motion_energy(wave).mean(axis=(3, 4))
    assert np.unravel_index(energy.argmax(), energy.shape) == (f, v, d)
    assert energy[f, v, (d + 4) % 8] < 0.05 * energy[f, v, d]


def test_leftward_is_the_mirror_image_of_rightward():
    rightward = motion_energy(grating(1 / 8, 0, 1 / 4))
    leftward = motion_energy(grating(1 / 8, 0, 1 / 4)[:, :, ::-1].copy())
    mirrored = [DIRECTIONS.index((180 - direction) % 360) for direction in DIRECTIONS]
    np.testing.assert_allclose(leftward, rightward[:, :, mirrored][..., ::-1], atol=1e-12)
    assert (rightward - rightward[:, :, mirrored])[
        1, 1, 0
    ].min() > 0  # opponent energy, everywhere in the picture


def test_energy_lies_where_the_motion_is():
    half = grating(1 / 8, 0, 1 / 4)
    half[:, :, 32:] = 0.5
    energy = motion_energy(half)[1, 1, 0]
    assert energy[:, 3].max() < 0.05 * energy[:, 0].min()


def test_what_does_not_move_has_no_energy():
    random = np.random.default_rng(0)
    still = np.broadcast_to(random.random((64, 64)), (32, 64, 64)).copy()
    flicker = np.broadcast_to(random.random((32, 1, 1)), (32, 64, 64)).copy()
    for clip in (still, flicker):
        np.testing.assert_array_equal(motion_energy(clip), 0)
    backbone = load_backbone("motion:")
    vector = backbone.describe((255 * still[..., None].repeat(3, axis=-1)).astype(np.uint8))
    assert vector.shape == (512,)
    assert not vector.any()


@pytest.mark.parametrize(("reference", "width"), [("pixels:", 1024), ("pixels:grey", 512), ("motion:", 512)])
def test_clips_are_embedded_each_by_itself(tmp_path, reference, width):
    videos = tuple(write_clip(tmp_path / f"{n}.mp4", n) for n in (33, 40))
    backbone = load_backbone(reference)
    inputs = backbone.prepare(StimulusSet(ids=("a", "b"), videos=videos))
    both = embed(backbone, inputs, np.arange(2))
    assert (both.shape, both.dtype, backbone.spec.width) == ((2, width), np.float32, width)
    np.testing.assert_array_equal(embed(backbone, inputs, np.array([1])), both[1:])
    assert not np.array_equal(both[0], both[1])
    assert load_backbone(backbone.spec.source).spec == backbone.spec


def test_refusals():
    with pytest.raises(BgsError, match="unknown baseline; expected pixels:rgb or pixels:grey"):
        load_backbone("pixels:hsv")
    with pytest.raises(BgsError, match="unknown baseline; expected motion:energy"):
        load_backbone("motion:energy?frames=4")
    with pytest.raises(BgsError, match="unknown model"):
        load_backbone("pixels")
    for settings in (None, LoraSettings()):
        with pytest.raises(BgsError, match="nothing to train"):
            attach_lora(load_backbone("motion:"), settings)
