"""Encoders of single frames: poolings against a slow reference, and what fails silently in each family."""

from __future__ import annotations

import itertools
import json
from typing import get_args

import numpy as np
import pytest
import torch

from bgs import BgsError, StimulusSet
from bgs.backbones import LoraSettings, attach_lora, embed, load_backbone, save_adapter
from bgs.backbones.attention import METHODS, NoAttention, clip_maps
from bgs.backbones.clips import VideoInputs
from bgs.backbones.dinov2 import Dinov3Backbone
from bgs.backbones.pooling import Pool, Time, over_patches, over_time
from bgs.backbones.settings import VideoSettings, parse_settings
from bgs.cli.main import main
from clips import write_clip
from tiny_models import save_tiny_video, tiny_clips, tiny_video_model
from tiny_training import train

#: Kind of checkpoint -> family, and tokens before the patches.
KINDS = {"clip": ("clip", 1), "siglip": ("siglip", 0), "dinov2": ("dinov2", 1), "dinov2-registers": ("dinov2", 3),
         "dinov3": ("dinov2", 3)}  # fmt: skip
STIMULI = StimulusSet(ids=("a", "b", "c"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {kind: save_tiny_video(kind, tmp_path_factory.mktemp(kind)) for kind in KINDS}


@pytest.fixture(params=KINDS)
def kind(request) -> str:
    return request.param


def reference(folders, kind: str, asked: str = "") -> str:
    return f"{KINDS[kind][0]}:{folders[kind]}{asked}"


def inputs_for(backbone, n: int = 3) -> VideoInputs:
    clips = tiny_clips(n, backbone.spec.frames, backbone.spec.preprocessing.size)
    return VideoInputs(clips, np.arange(n))


def own_frames(kind: str, model, pixels) -> tuple[torch.Tensor, torch.Tensor]:
    """Of the model's own forward pass on every frame: its published embedding, and all tokens after the last norm."""
    options = {"interpolate_pos_encoding": True} if kind in ("clip", "siglip") else {}
    found = model(pixels.flatten(0, 1), **options)
    if kind == "clip":
        tokens = model.visual_projection(model.vision_model.post_layernorm(found.last_hidden_state))
        embedding = found.image_embeds
    else:
        tokens, embedding = found.last_hidden_state, found.pooler_output
    return embedding.unflatten(0, pixels.shape[:2]), tokens.unflatten(0, pixels.shape[:2])


# --- the whole is the model's own ----------------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("size", [32, 48])
def test_at_any_size_a_clip_is_the_mean_of_the_models_own_frames(folders, kind, size):
    """Positions of 4 × 4 patches are interpolated to 6 × 6, or computed there, as the model itself does it."""
    backbone = load_backbone(reference(folders, kind, f"?frames=3&size={size}"))
    clips = inputs_for(backbone).batch(np.arange(3))
    model = tiny_video_model(kind).eval()  # before it was saved and loaded
    right = own_frames(kind, model, backbone.pixels(clips))[0].mean(dim=1)
    torch.testing.assert_close(backbone.forward(clips), right, atol=2e-6, rtol=0)
    assert backbone.forward(clips).std(dim=0).max() > 0.01


@torch.no_grad()
def test_every_layer_is_the_models_own_hidden_state(folders, kind):
    backbone = load_backbone(reference(folders, kind, "?frames=2&pool=mean"))
    clips = inputs_for(backbone).batch(np.arange(2))
    leading = KINDS[kind][1]
    hidden = backbone.module(backbone.pixels(clips).flatten(0, 1), output_hidden_states=True).hidden_states
    layers = backbone.layer_features(clips)
    assert len(layers) == len(hidden) == 4
    for found, tokens in zip(layers, hidden, strict=True):
        right = tokens[:, leading:].mean(dim=1).unflatten(0, (2, 2)).mean(dim=1)
        torch.testing.assert_close(found, right, atol=2e-6, rtol=0)


def test_trained_saved_and_reloaded_with_its_poolings(folders, kind, tmp_path):
    asked = "?frames=3&layer=2&pool=patch-std&time=mean+std"
    backbone = load_backbone(reference(folders, kind, asked))
    base = embed(backbone, inputs_for(backbone, 6), np.arange(6), 4)
    attach_lora(backbone, LoraSettings(rank=2))
    train(backbone, inputs_for(backbone, 6), updates=2)
    save_adapter(backbone, LoraSettings(rank=2), tmp_path / "adapter")
    again = load_backbone(f"run:{tmp_path}")
    tuned = embed(again, inputs_for(again, 6), np.arange(6), 4)
    np.testing.assert_array_equal(tuned, embed(backbone, inputs_for(backbone, 6), np.arange(6), 4))
    assert np.abs(tuned - base).max() > 1e-4
    assert again.spec == backbone.spec
    assert again.spec.settings()["time"] == "mean+std"
    blocks = [name for name in backbone.trainable() if "lora_A" in name]
    assert len(blocks) == 2 * 6  # attention and MLP of the blocks that are run
    assert all(f".{backbone.blocks_name}." in f".{name}" for name in blocks)


# --- pooling -------------------------------------------------------------------------------------------------


def slowly(tokens: np.ndarray, leading: int, pool: str, time: str) -> np.ndarray:
    """One clip's (T, n, w) tokens, number by number: over time, then over space."""
    chosen = tokens[:, :1] if pool == "cls" else tokens[:, leading:]
    frames, places, width = chosen.shape
    moving = []
    for place, channel in itertools.product(range(places), range(width)):
        series = [float(chosen[t, place, channel]) for t in range(frames)]
        mean = sum(series) / frames
        if time == "difference":
            moving.append([sum(abs(b - a) for a, b in itertools.pairwise(series)) / (frames - 1)])
        elif time == "mean":
            moving.append([mean])
        else:
            moving.append([mean, (sum((x - mean) ** 2 for x in series) / frames) ** 0.5])
    of_place = np.array(moving).reshape(places, width, -1).swapaxes(1, 2).reshape(places, -1)
    return of_place.std(axis=0) if pool == "patch-std" else of_place.mean(axis=0)


@torch.no_grad()
@pytest.mark.parametrize("layer", ["", "layer=2"])
@pytest.mark.parametrize("time", get_args(Time))
@pytest.mark.parametrize(
    ("kind", "pool"),
    [(kind, pool) for kind in KINDS for pool in get_args(Pool) if (kind, pool) != ("siglip", "cls")],
)
def test_poolings_are_those_of_the_slow_reference(folders, kind, pool, time, layer):
    leading = KINDS[kind][1]
    backbone = load_backbone(reference(folders, kind, f"?frames=5&pool={pool}&time={time}&{layer}"))
    clips = inputs_for(backbone).batch(np.arange(2))
    hidden = backbone.stem(backbone.pixels(clips))
    for number in range(backbone.spec.depth):
        hidden = backbone.block(number, hidden)
    tokens = hidden if layer else own_frames(kind, backbone.module, backbone.pixels(clips))[1]
    right = np.stack([slowly(each.numpy(), leading, pool, time) for each in tokens])
    found = backbone.forward(clips).numpy()
    width = 32 if layer or kind != "clip" else 24
    assert found.shape == (2, backbone.width) == (2, width * (2 if time == "mean+std" else 1))
    np.testing.assert_allclose(found, right, atol=2e-5)


@torch.no_grad()
def test_each_familys_default_is_its_published_embedding(folders, kind):
    """Asking for it changes nothing, nor what an adapter remembers; adapters of before there was a choice are valid."""
    plain = load_backbone(reference(folders, kind))
    assert plain.spec.settings().keys() == {"layer", "symmetry", "frames", "size", "short_edge", "mean", "std",
                                            "interpolation"}  # fmt: skip
    clips = inputs_for(plain).batch(np.arange(2))
    default = {"siglip": "?layer=3&pool=mean&time=mean"}.get(kind, "?pool=cls&time=mean")
    asked = load_backbone(reference(folders, kind, default))
    same = load_backbone(reference(folders, kind, "?layer=3")) if kind == "siglip" else plain
    assert asked.spec.settings() == same.spec.settings()
    assert torch.equal(asked.forward(clips), same.forward(clips))


@torch.no_grad()
def test_siglip_pools_frames_by_its_head_before_time(folders):
    backbone = load_backbone(reference(folders, "siglip", "?frames=3&time=mean+std"))
    clips = inputs_for(backbone).batch(np.arange(2))
    frames = own_frames("siglip", backbone.module, backbone.pixels(clips))[0]
    right = torch.cat([frames.mean(dim=1), frames.std(dim=1, correction=0)], dim=1)
    torch.testing.assert_close(backbone.forward(clips), right, atol=2e-6, rtol=0)
    mean = load_backbone(reference(folders, "siglip", "?frames=3&pool=mean")).forward(clips)
    assert (mean - right[:, :32]).abs().max() > 0.01


@torch.no_grad()
@pytest.mark.parametrize("kind", ["dinov2-registers", "dinov3"])
def test_registers_are_no_patches(folders, kind):
    backbone = load_backbone(reference(folders, kind, "?pool=mean"))
    clips = inputs_for(backbone).batch(np.arange(2))
    tokens = own_frames(kind, backbone.module, backbone.pixels(clips))[1]
    right, naive = (tokens[:, :, first:].mean(dim=(1, 2)) for first in (3, 1))
    torch.testing.assert_close(backbone.forward(clips), right, atol=2e-6, rtol=0)
    assert (naive - right).abs().max() > 0.01


def test_changes_in_different_places_do_not_cancel_out():
    """Two patches that swap their values: the mean patch stands still, the patches do not."""
    tokens = torch.tensor([[[[0.0], [1.0]], [[1.0], [0.0]]]])  # one clip, 2 frames, 2 patches, 1 channel
    assert over_patches(over_time(tokens, "difference"), "mean").tolist() == [[1.0]]
    assert over_patches(over_time(tokens, "mean+std"), "mean").tolist() == [[0.5, 0.5]]
    assert over_time(tokens.mean(dim=2), "difference").tolist() == [[0.0]]
    there_and_back = torch.tensor([[[0.0], [1.0], [0.0]]])
    assert over_time(there_and_back, "difference").tolist() == [[1.0]]


@pytest.mark.parametrize("asked", ["pool=patch-std&time=mean+std", "time=difference", "time=mean+std"])
def test_a_clip_without_movement_has_gradients(folders, asked):
    """The slope of a standard deviation is not a number where it is 0."""
    backbone = load_backbone(reference(folders, "dinov2", f"?{asked}"))
    attach_lora(backbone, LoraSettings(rank=2))
    still = tiny_clips(6, 8, 32)[:, :1].repeat(8, axis=1)
    still[0] = 128  # nor any difference between patches
    backbone.train()
    backbone.forward(torch.from_numpy(still)).sum().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in backbone.trainable().values())
    assert np.isfinite(train(backbone, VideoInputs(still, np.arange(6)), updates=2)).all()


# --- settings and errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize("plus", ["+", "%2B"])
def test_a_plus_is_no_blank(plus):
    name, asked = parse_settings(f"m?time=mean{plus}std&pool=cls")
    assert asked == VideoSettings(pool="cls", time="mean+std")
    assert parse_settings(f"m{asked}") == (name, asked)


@pytest.mark.parametrize(
    ("kind", "asked", "message"),
    [
        ("clip", "pool=max", "setting 'pool'; expected one of cls, mean, patch-std, got max"),
        ("clip", "time=", "setting 'time'; expected one of mean, mean+std, difference, got"),
        ("siglip", "pool=cls", "this family has no pool=cls; expected one of mean, patch-std, or leave pool out"),
        ("dinov2", "time=difference&frames=1", "time=difference; expected at least 2 frames, got 1"),
        ("dinov2", "size=36", "size; expected a multiple of 8 pixels"),
        ("dinov3", "layer=4", "no such layer; expected 0 to 3, got 4"),
    ],
)  # fmt: skip
def test_settings_that_a_family_has_not_are_one_line_and_code_2(
    folders, kind, asked, message, tmp_path, capsys
):
    (tmp_path / "stimuli.csv").write_text(f"stimulus_id,video\na,{write_clip(tmp_path / 'a.mp4', 8).name}\n")
    model = reference(folders, kind, f"?{asked}")
    with pytest.raises(SystemExit) as caught:
        main(["embed", "--model", model, "--data", str(tmp_path), "--out", str(tmp_path / "e.safetensors")])
    error = capsys.readouterr().err
    assert caught.value.code == 2
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "e.safetensors").exists()


def test_video_encoders_have_no_pooling_to_choose(tmp_path):
    folder = save_tiny_video("videomae", tmp_path)
    for asked in ("pool=mean", "time=difference"):
        with pytest.raises(BgsError, match="has no choice of pooling; expected neither pool nor time"):
            load_backbone(f"videomae:{folder}?{asked}")


def test_an_adapter_notices_another_pooling(folders, tmp_path):
    backbone = load_backbone(reference(folders, "dinov2", "?time=difference"))
    attach_lora(backbone, LoraSettings())
    save_adapter(backbone, LoraSettings(), tmp_path / "adapter")
    about = json.loads((tmp_path / "adapter" / "bgs.json").read_text())
    about["model"] = reference(folders, "dinov2")
    (tmp_path / "adapter" / "bgs.json").write_text(json.dumps(about))
    with pytest.raises(BgsError, match="trained with other settings: time; expected difference, got None"):
        load_backbone(f"run:{tmp_path}")


@pytest.mark.parametrize(
    ("kind", "other"), [("dinov3", "siglip"), ("dinov2-registers", "clip"), ("siglip", "dinov2")]
)
def test_a_checkpoint_of_another_family_is_named(folders, kind, other):
    found = KINDS[kind][0]
    with pytest.raises(BgsError, match=f"another family; expected {other}, got {found} \\(use {found}:"):
        load_backbone(f"{other}:{folders[kind]}")


# --- DINOv2 and DINOv3 ---------------------------------------------------------------------------------------


@torch.no_grad()
def test_dinov2_frames_have_the_size_of_the_preprocessor_file_not_of_the_positions(tmp_path):
    """Published: positions of 518 pixels, frames of 224. Without a file too, unless positions were trained at fewer."""
    folder = save_tiny_video("dinov2", tmp_path / "file", image_size=64)
    backbone = load_backbone(f"dinov2:{folder}?frames=2")
    assert backbone.spec.preprocessing.size == 32
    clips = inputs_for(backbone).batch(np.arange(2))
    model = tiny_video_model("dinov2", image_size=64).eval()
    right = model(backbone.pixels(clips).flatten(0, 1)).pooler_output.unflatten(0, (2, 2)).mean(dim=1)
    torch.testing.assert_close(backbone.forward(clips), right, atol=2e-6, rtol=0)
    for trained, size in ((64, 64), (512, 224)):
        bare = save_tiny_video("dinov2", tmp_path / f"{trained}", preprocessor=False, image_size=trained)
        assert load_backbone(f"dinov2:{bare}").spec.preprocessing.size == size


def test_dinov3_squeezes_and_dinov2_crops(tmp_path):
    for kind, crop in (("dinov3", "none"), ("dinov2-registers", "center"), ("siglip", "none")):
        folder = save_tiny_video(kind, tmp_path / kind, preprocessor=False)
        assert load_backbone(f"{KINDS[kind][0]}:{folder}").sampling().crop == crop


def test_dinov3_positions_stay_where_they_are_while_training(folders):
    """Naive: in training mode the network scales its positions at random, so that two passes differ."""
    backbone = load_backbone(reference(folders, "dinov3", "?frames=2"))
    assert isinstance(backbone, Dinov3Backbone)
    clips = inputs_for(backbone).batch(np.arange(2))
    naive = tiny_video_model("dinov3").train()
    with torch.no_grad():
        frames = backbone.pixels(clips).flatten(0, 1)
        first, second = (naive(frames).pooler_output for _ in range(2))
        assert (first - second).abs().max() > 0.01
        still = backbone.forward(clips)
        backbone.train()
        assert torch.equal(backbone.forward(clips), still)
    assert not backbone.random_trunk()


# --- SigLIP --------------------------------------------------------------------------------------------------


def test_the_image_half_of_a_whole_siglip(tmp_path):
    from transformers import SiglipConfig, SiglipModel

    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64}
    vision = shape | {"image_size": 32, "patch_size": 8}
    model = SiglipModel(SiglipConfig(text_config=shape | {"vocab_size": 50}, vision_config=vision)).eval()
    model.save_pretrained(tmp_path)
    backbone = load_backbone(f"siglip:{tmp_path}?frames=2")
    clips = inputs_for(backbone).batch(np.arange(3))
    with torch.no_grad():
        pixels = backbone.pixels(clips).flatten(0, 1)
        right = model.get_image_features(pixels).pooler_output.unflatten(0, (3, 2)).mean(dim=1)
        torch.testing.assert_close(backbone.forward(clips), right, atol=1e-6, rtol=0)


def test_siglip_with_other_pixels_interpolates_positions(folders):
    naive = tiny_video_model("siglip").eval()
    with pytest.raises(RuntimeError, match="must match"):
        naive(torch.zeros(1, 3, 48, 48))
    assert load_backbone(reference(folders, "siglip", "?size=48")).options() == {
        "interpolate_pos_encoding": True
    }


def test_checkpoints_for_pictures_of_any_shape_and_without_a_head_are_refused(tmp_path):
    config = {"model_type": "siglip2", "vision_config": {"model_type": "siglip2_vision_model"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(
        BgsError, match=r"a NaFlex checkpoint, .*; expected a checkpoint with a fixed frame size"
    ):
        load_backbone(f"siglip:{tmp_path}")
    headless = save_tiny_video("siglip", tmp_path / "headless", vision_use_head=False)
    with pytest.raises(
        BgsError, match="without the head that pools its patches; expected vision_use_head: true"
    ):
        load_backbone(f"siglip:{headless}")


# --- attention -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_maps_leave_class_token_and_registers_out(folders, kind, method):
    backbone = load_backbone(reference(folders, kind, "?frames=2"))
    found = clip_maps(backbone, STIMULI, inputs_for(backbone), method).values
    assert found.shape == (3, 2, 4, 4)
    np.testing.assert_allclose(found.sum(axis=(1, 2, 3)), 1)


@torch.no_grad()
def test_siglip_looks_where_its_probe_does(folders):
    backbone = load_backbone(reference(folders, "siglip", "?frames=2"))
    clips = inputs_for(backbone).batch(np.arange(3))
    tokens = own_frames("siglip", backbone.module, backbone.pixels(clips))[1].flatten(0, 1)
    attention, probe = backbone.module.head.attention, backbone.module.head.probe[0]
    (wq, wk, _), (bq, bk, _) = (part.chunk(3) for part in (attention.in_proj_weight, attention.in_proj_bias))
    query, key = (probe @ wq.T + bq).unflatten(1, (4, 8)), (tokens @ wk.T + bk).unflatten(2, (4, 8))
    probed = (torch.einsum("qhc,fnhc->fhn", query, key) / 8**0.5).softmax(dim=-1).mean(dim=1)
    last = backbone.attention_maps(clips)[-1].mean(dim=1)
    right = torch.einsum("fn,fnm->fm", probed, last).reshape(3, 2, 4, 4) / 2
    found = clip_maps(backbone, STIMULI, inputs_for(backbone), "last-layer").values
    np.testing.assert_allclose(found, right, atol=1e-6)


@torch.no_grad()
def test_patches_that_are_averaged_look_equally(folders):
    backbone = load_backbone(reference(folders, "dinov3", "?frames=2&pool=mean"))
    maps = backbone.attention_maps(inputs_for(backbone).batch(np.arange(3)))[-1].mean(dim=1)
    rows = maps[:, 3:, 3:].mean(dim=1).reshape(3, 2, 4, 4)
    found = clip_maps(backbone, STIMULI, inputs_for(backbone), "last-layer").values
    np.testing.assert_allclose(found, rows / rows.sum(dim=(1, 2, 3), keepdim=True), atol=1e-6)


@pytest.mark.parametrize("asked", ["pool=patch-std", "time=mean+std", "time=difference"])
def test_an_embedding_that_weighs_no_tokens_has_gradient_relevance_only(folders, asked):
    backbone = load_backbone(reference(folders, "dinov2", f"?frames=3&{asked}"))
    inputs = inputs_for(backbone)
    for method in ("rollout", "last-layer"):
        with pytest.raises(NoAttention, match=r"is not a weighted mean of tokens; .* \(--method gradient\)"):
            clip_maps(backbone, STIMULI, inputs, method)
    assert clip_maps(backbone, STIMULI, inputs, "gradient").values.shape == (3, 3, 4, 4)
