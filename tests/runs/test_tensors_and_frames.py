"""Clips as arrays of frames and as tensors: the same distances as from files, and gradients that are right."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import bgs
from bgs.backbones.symmetry import turned
from bgs.embeddings import Embeddings
from bgs.runs.differentiable import _turned, tensor_distance
from bgs.runs.frame_source import as_pair
from bgs.stimuli.pyav_decoder import each_picture
from clips import write_clip
from tiny_models import tiny_clips


@pytest.fixture(scope="module")
def model():
    loaded = bgs.load_model("tiny-videomae", device="cpu")
    loaded.center = np.random.default_rng(0).standard_normal(loaded.backbone.width) / 10
    return loaded


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Three clips of 12 frames, neither square nor of the encoder's size."""
    folder = tmp_path_factory.mktemp("clips")
    clips = tiny_clips(3, 12, 96)[:, :, :80]
    return [write_clip(folder / f"{k}.mp4", list(clip), rate=12) for k, clip in enumerate(clips)]


def frames_of(path) -> np.ndarray:
    return np.stack(list(each_picture(path)))


def colours(frames: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255


def test_frames_give_what_the_file_gives(model, files):
    a, b, c = map(frames_of, files)
    assert model.distance(a, b) == model.distance(files[0], files[1]) == model.distance(a, files[1])
    of_files, of_frames = model.odd_one_out(*files), model.odd_one_out(a, files[1], c)
    np.testing.assert_array_equal(of_frames.found.distances, of_files.found.distances)
    assert of_frames.found.clips == ("clip 1", str(files[1]), "clip 3")
    assert model.distance(files[0], files[0]) == 0


def test_a_file_that_is_called_as_frames_are_is_another_clip(model, files, monkeypatch):
    """Frames are shown as "clip 2": what a clip is called does not say which it is, and a file has several names."""
    monkeypatch.chdir(files[0].parent)
    named = files[0].with_name("clip 2")
    named.write_bytes(files[0].read_bytes())
    b, c = frames_of(files[1]), frames_of(files[2])
    assert model.distance("clip 2", b) == model.distance(files[0], files[1]) > 0
    named.rename("clip 1")
    shown = model.odd_one_out(b, "clip 1", c).found
    np.testing.assert_array_equal(
        shown.distances, model.odd_one_out(files[1], files[0], files[2]).found.distances
    )
    with pytest.raises(bgs.BgsError, match="a clip is given twice"):
        model.odd_one_out("0.mp4", "./0.mp4", b)
    assert model.distance("0.mp4", files[0]) == 0


def test_an_iterator_of_arrays_is_read_as_it_comes(model, files):
    waiting: list[str] = []

    def camera():
        for path in files:
            waiting.append(path.name)
            yield path.name, frames_of(path)

    small = bgs.Model(model.opened, micro_batch=1)
    found = small.embed(camera())
    assert found.stimulus_ids == tuple(path.name for path in files)
    np.testing.assert_allclose(found.values, model.embed(files).values, atol=1e-6)
    assert found.details["revision"] == model.embed(files).details["revision"]
    by_folder = model.embed(files[0].parent)
    np.testing.assert_array_equal(by_folder.values, model.embed(files).values)
    source = camera()
    with pytest.raises(bgs.BgsError, match=r"2\.mp4"):
        small.embed((name, frames if len(waiting) < 6 else frames[0]) for name, frames in source)


def test_tensors_give_what_the_file_gives(model, files):
    """Without resizing to float32 rounding; with it, a file's pixels are rounded to 8 bits, a tensor's are not."""
    a, b = map(frames_of, files[:2])
    found = model.distance(colours(a), colours(b))
    assert isinstance(found, torch.Tensor)
    assert float(found) == pytest.approx(model.distance(files[0], files[1]), abs=1e-3)
    side = model.backbone.spec.preprocessing.size
    small = tiny_clips(2, 8, side, seed=1)
    tensors = [colours(clip) for clip in small]
    assert float(model.distance(*tensors)) == pytest.approx(model.distance(*small), abs=2e-6)
    mixed = model.distance(torch.stack(tensors), small[1])
    assert mixed.shape == (2,)
    assert float(mixed[0]) == pytest.approx(model.distance(*small), abs=2e-6)
    assert abs(float(mixed[1])) < 1e-6
    vectors = model.embed_tensor(torch.stack(tensors))
    assert vectors.shape == (2, model.backbone.width)


def test_gradients_agree_with_finite_differences(model):
    """Along random directions, through choosing, resizing, cropping and normalising, and through either clip."""
    random = torch.Generator().manual_seed(0)
    first, second = (torch.rand(10, 3, 72, 80, generator=random) * 0.6 + 0.2 for _ in range(2))
    first.requires_grad_()
    model.distance(first, second).backward()
    slope = first.grad
    assert slope is not None
    for toward in (slope / slope.norm(), *(torch.randn(first.shape, generator=random) for _ in range(2))):
        step = 0.002 * toward / toward.abs().max()
        with torch.no_grad():
            change = (model.distance(first + step, second) - model.distance(first - step, second)) / 2
        expected = float((slope * step).sum())
        assert float(change) == pytest.approx(expected, rel=0.01)


def test_a_perceptual_loss_leaves_nothing_in_the_model_and_can_be_followed(model):
    trained = bgs.load_model("scratch:videomae-tiny", device="cpu")  # all of its weights could be trained
    before = [one.requires_grad for one in trained.backbone.module.parameters()]
    target, clip = torch.rand(8, 3, 64, 64), torch.rand(8, 3, 64, 64).requires_grad_()
    optimizer = torch.optim.Adam([clip], lr=0.02)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = trained.distance(clip, target)
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
        with torch.no_grad():
            clip.clamp_(0, 1)
    assert losses[-1] < losses[0]
    assert all(one.grad is None for one in trained.backbone.module.parameters())
    assert [one.requires_grad for one in trained.backbone.module.parameters()] == before


@pytest.mark.parametrize("images", [2, 8])
def test_images_of_tensors_are_those_of_bytes(images):
    clip = tiny_clips(1, 2, 8)[0]
    for image in range(1, images):
        expected = colours(turned(clip, image, images))
        torch.testing.assert_close(_turned(colours(clip)[None], image, images)[0], expected, rtol=0, atol=0)


def test_symmetric_models_average_over_images(files):
    model = bgs.load_model("tiny-videomae?symmetry=square", device="cpu")
    clip = tiny_clips(1, 8, model.backbone.spec.preprocessing.size)[0]
    found = model.embed([("clip", clip)]).values[0]
    np.testing.assert_allclose(model.embed_tensor(colours(clip)).detach().numpy(), found, atol=1e-5)


def test_distances_of_tensors_are_those_of_arrays():
    random = np.random.default_rng(0)
    values, center = random.standard_normal((2, 5)).astype(np.float32), random.standard_normal(5)
    expected = bgs.model_rdm(values, "cosine", center)[0, 1]
    found = tensor_distance(*torch.from_numpy(values), torch.from_numpy(center).float())
    assert float(found) == pytest.approx(expected, abs=1e-6)
    zero = torch.zeros(5)
    assert float(tensor_distance(zero, zero, None)) == 1


@pytest.mark.parametrize(
    ("clip", "said"),
    [
        (torch.zeros(8, 64, 64, 3), "shape"),
        (torch.zeros(8, 3, 64, 64, dtype=torch.uint8), "uint8"),
        (torch.full((8, 3, 64, 64), 200.0), "values 0–1"),
        (torch.full((8, 3, 64, 64), float("nan")), "values 0–1"),
        (torch.zeros(1, 3, 64, 64), "single picture"),
        (np.zeros((8, 64, 64, 3), np.float32), "uint8"),
        (np.zeros((64, 64, 3), np.uint8), "uint8 of shape"),
        (np.zeros((1, 64, 64, 3), np.uint8), "single picture"),
    ],
)
def test_what_is_no_clip_is_refused_in_one_line(model, clip, said):
    with pytest.raises(bgs.BgsError, match=said):
        model.distance(clip, clip)


def test_models_without_pixels_or_gradient_say_so(tiny_text, model):
    text = bgs.load_model(f"text:{tiny_text}")
    for call in (lambda m: m.distance(torch.zeros(8, 3, 64, 64), torch.zeros(8, 3, 64, 64)),):
        for without in (text, bgs.load_model("pixels:")):
            with pytest.raises(bgs.BgsError, match="no gradient"):
                call(without)
    with pytest.raises(bgs.BgsError, match="reads no frames"):
        text.embed([("clip", np.zeros((8, 64, 64, 3), np.uint8))])
    with pytest.raises(bgs.BgsError, match="pairs of an id and frames"):
        as_pair(np.zeros((8, 64, 64, 3), np.uint8))
    with pytest.raises(bgs.BgsError, match="listed twice"):
        model.embed([("a", np.zeros((8, 64, 64, 3), np.uint8))] * 2)
    with pytest.raises(bgs.BgsError, match="given twice"):
        text.odd_one_out("a", "a", "b")
    assert isinstance(model.embed([("a", np.zeros((8, 64, 64, 3), np.uint8))]), Embeddings)
