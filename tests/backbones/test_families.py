"""Every video family: its own model's embeddings, trained and reloaded exactly, LoRA only where it acts."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch
from peft.tuners.lora import LoraLayer

from bgs import BgsError
from bgs.backbones import LoraSettings, attach_lora, embed, load_backbone, save_adapter
from bgs.backbones.clips import VideoInputs
from bgs.backbones.lora import new_head, share_trainable
from tiny_models import TINY_CLIPS, save_tiny_video, tiny_clips
from tiny_training import method, train

FAMILIES = list(TINY_CLIPS)
BLOCKS = dict.fromkeys(FAMILIES, 3) | {"vjepa2.1": 4}
LINEARS_A_BLOCK = dict.fromkeys(FAMILIES, 6) | {"vjepa2.1": 4, "timesformer": 7}


@pytest.fixture(scope="session", params=FAMILIES)
def family(request) -> str:
    return request.param


@pytest.fixture(scope="session")
def folder(family, tmp_path_factory):
    return save_tiny_video(family, tmp_path_factory.mktemp(family))


def inputs_for(backbone, n: int = 6) -> VideoInputs:
    clips = tiny_clips(n, backbone.spec.frames, backbone.spec.preprocessing.size)
    return VideoInputs(clips, np.arange(n))


def embed_all(backbone, micro_batch: int = 4) -> np.ndarray:
    inputs = inputs_for(backbone)
    return embed(backbone, inputs, np.arange(len(inputs.owner)), micro_batch)


def own_embedding(family: str, backbone, clips) -> torch.Tensor:
    """What the model's own forward pass gives, pooled as the family's users do."""
    pixels, module = backbone.pixels(clips), backbone.module
    if family == "vjepa2":
        return module(pixels, skip_predictor=True).last_hidden_state.mean(dim=1)
    if family == "vjepa2.1":
        return module(pixels).mean(dim=1)
    if family == "timesformer":
        return module(pixels).last_hidden_state[:, 0]
    if family == "videomae":
        return module(pixels).last_hidden_state.mean(dim=1)
    if family in ("siglip", "dinov2"):
        return module(pixels.flatten(0, 1)).pooler_output.unflatten(0, pixels.shape[:2]).mean(dim=1)
    return module(pixels.flatten(0, 1)).image_embeds.unflatten(0, pixels.shape[:2]).mean(dim=1)


@torch.no_grad()
def test_the_stages_together_are_the_models_own_forward_pass(family, folder):
    backbone = load_backbone(f"{family}:{folder}")
    clips = inputs_for(backbone).batch(np.arange(3))
    torch.testing.assert_close(
        backbone.forward(clips), own_embedding(family, backbone, clips), atol=1e-6, rtol=0
    )
    assert backbone.forward(clips).std(dim=0).max() > 0.01  # clips differ


@torch.no_grad()
def test_any_layer_in_one_pass_or_alone(family, folder):
    backbone = load_backbone(f"{family}:{folder}")
    clips = inputs_for(backbone).batch(np.arange(2))
    layers = backbone.layer_features(clips)
    assert layers.shape == (BLOCKS[family] + 1, 2, 32)
    for layer in range(BLOCKS[family] + 1):
        alone = load_backbone(f"{family}:{folder}?layer={layer}")
        torch.testing.assert_close(alone.forward(clips), layers[layer], atol=1e-6, rtol=0)
        assert alone.width == 32
    with pytest.raises(BgsError, match=f"no such layer; expected 0 to {BLOCKS[family]}, got 9"):
        load_backbone(f"{family}:{folder}?layer=9")


@torch.no_grad()
def test_attention_maps_are_there_though_sdpa_has_none(family, folder):
    backbone = load_backbone(f"{family}:{folder}")
    clips = inputs_for(backbone).batch(np.arange(2))
    before = backbone.forward(clips)
    maps = backbone.attention_maps(clips)
    assert len(maps) == BLOCKS[family]
    for weights in maps:
        torch.testing.assert_close(weights.sum(dim=-1), torch.ones(weights.shape[:-1]))
    torch.testing.assert_close(backbone.forward(clips), before, atol=0, rtol=0)  # and fused attention is back


@pytest.mark.parametrize("head", [False, True])
def test_trained_saved_and_reloaded_is_bit_equal(family, folder, tmp_path, head):
    settings = LoraSettings(rank=2)
    backbone = load_backbone(f"{family}:{folder}")
    base = embed_all(backbone)
    attach_lora(backbone, settings, new_head(backbone.spec.width, 8, 0.1, 0) if head else None)
    losses = train(backbone, inputs_for(backbone), updates=3)
    assert min(losses[1:]) < losses[0] or head
    save_adapter(backbone, settings, tmp_path / "run" / "adapter")
    again = load_backbone(f"run:{tmp_path / 'run'}")
    tuned = embed_all(backbone)
    np.testing.assert_array_equal(embed_all(again), tuned)
    assert tuned.shape != base.shape or np.abs(tuned - base).max() > 1e-3
    assert again.spec == backbone.spec


def test_merged_and_unmerged_adapters_agree(family, folder):
    backbone = load_backbone(f"{family}:{folder}")
    attach_lora(backbone, LoraSettings(rank=2))
    train(backbone, inputs_for(backbone), updates=2)
    unmerged = embed_all(backbone)
    merged = [layer for layer in backbone.module.modules() if isinstance(layer, LoraLayer)]
    assert len(merged) == LINEARS_A_BLOCK[family] * BLOCKS[family]
    for layer in merged:
        layer.merge()
    np.testing.assert_allclose(embed_all(backbone), unmerged, atol=1e-5)


@pytest.mark.parametrize("layers", ["all", "last:2"])
def test_every_lora_parameter_receives_gradient_and_nothing_else_is_touched(family, folder, layers):
    backbone = load_backbone(f"{family}:{folder}")
    attach_lora(backbone, LoraSettings(rank=2, layers=layers))
    train(
        backbone, inputs_for(backbone), updates=1
    )  # fresh second factors are zero, so the first have no gradient
    method(backbone, inputs_for(backbone)).accumulate(0, 0)
    names = {name for name in backbone.trainable() if "lora_A" in name}
    blocks = {int(re.search(r"\.(\d+)\.", name)[1]) for name in names}
    first = 0 if layers == "all" else BLOCKS[family] - 2
    assert blocks == set(range(first, BLOCKS[family]))
    assert len(names) == LINEARS_A_BLOCK[family] * len(blocks)
    for name, parameter in backbone.trainable().items():
        assert "lora_" in name
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name
    trained, total = share_trainable(backbone)
    assert 0 < trained < 0.5 * total


def test_lora_stays_below_the_layer_that_is_embedded(family, folder):
    backbone = load_backbone(f"{family}:{folder}?layer=2")
    attach_lora(backbone, LoraSettings(rank=2, layers="last:1"))
    assert {int(re.search(r"\.(\d+)\.", name)[1]) for name in backbone.trainable()} == {1}
    train(backbone, inputs_for(backbone), updates=1)
    with pytest.raises(BgsError, match="last:1 to last:2"):
        attach_lora(load_backbone(f"{family}:{folder}?layer=2"), LoraSettings(layers="last:3"))


OTHER_CLIPS = {
    "vjepa2": "frames=6&size=48", "vjepa2.1": "frames=6&size=48", "timesformer": "frames=8&size=48",
    "videomae": "frames=8", "clip": "frames=3&size=48", "siglip": "frames=3&size=48", "dinov2": "frames=3&size=48",
}  # fmt: skip


def test_an_adapter_keeps_clip_shape_and_layer(family, folder, tmp_path):
    settings = LoraSettings(rank=2)
    backbone = load_backbone(f"{family}:{folder}?{OTHER_CLIPS[family]}&layer=2")
    attach_lora(backbone, settings)
    train(backbone, inputs_for(backbone), updates=1)
    save_adapter(backbone, settings, tmp_path / "adapter")
    again = load_backbone(f"run:{tmp_path}")
    assert again.spec == backbone.spec
    assert again.spec.frames != TINY_CLIPS[family][0]
    np.testing.assert_array_equal(embed_all(again), embed_all(backbone))
    about = json.loads((tmp_path / "adapter" / "bgs.json").read_text())
    about["model"] = f"{family}:{folder}"
    (tmp_path / "adapter" / "bgs.json").write_text(json.dumps(about))
    with pytest.raises(BgsError, match="trained with other settings: frames; expected"):
        load_backbone(f"run:{tmp_path}")


def test_an_adapter_notices_other_normalisation(folder, family, tmp_path):
    copy = save_tiny_video(family, tmp_path / "model")
    backbone = load_backbone(f"{family}:{copy}")
    attach_lora(backbone, LoraSettings())
    save_adapter(backbone, LoraSettings(), tmp_path / "adapter")
    path = copy / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"image_mean": [0.5, 0.5, 0.5]}))
    with pytest.raises(BgsError, match=r"settings: mean; expected \[0.5, 0.4, 0.3\], got \[0.5, 0.5, 0.5\]"):
        load_backbone(f"run:{tmp_path}")


def test_clips_of_another_shape_are_refused(family, folder):
    backbone = load_backbone(f"{family}:{folder}")
    with pytest.raises(BgsError, match=r"clips; expected \(\d, 32, 32, 3\), got \(2, 16, 16, 3\)"):
        backbone.forward(torch.from_numpy(tiny_clips(1, 2, 16)))


@torch.no_grad()
def test_pixels_are_scaled_and_normalised_per_channel(family, folder):
    backbone = load_backbone(f"{family}:{folder}")
    clips = inputs_for(backbone).batch(np.arange(2))
    pixels = backbone.pixels(clips)
    assert pixels.permute(0, 1, 3, 4, 2).is_contiguous()  # channels last, which stems read fastest
    for channel, (mean, std) in enumerate(zip((0.5, 0.4, 0.3), (0.2, 0.25, 0.3), strict=True)):
        expected = (clips[..., channel].double() / 255 - mean) / std
        torch.testing.assert_close(pixels[:, :, channel].double(), expected, atol=1e-6, rtol=0)
    assert clips.dtype == torch.uint8


def test_inference_mode_leaves_nothing_that_breaks_a_later_call(family, folder):
    backbone = load_backbone(f"{family}:{folder}")
    backbone.train(False)
    clips = inputs_for(backbone).batch(np.arange(2))
    with torch.inference_mode():
        first = backbone.forward(clips).clone()
    with torch.no_grad():
        assert torch.equal(backbone.forward(clips), first)


def test_images_of_a_clip_under_a_symmetry():
    """Mirror images and rotations against indexing by hand; the mean over all is blind to how the clip was turned."""
    random = np.random.default_rng(0)
    frames = random.integers(0, 255, (2, 3, 5, 5, 3), dtype=np.uint8)
    plain = VideoInputs(frames, np.arange(2)).batch(np.array([1]))[0].numpy()
    mirrored = VideoInputs(frames, np.arange(2), symmetry="mirror")
    assert mirrored.owner.tolist() == [0, 0, 1, 1]
    np.testing.assert_array_equal(mirrored.batch(np.array([3]))[0].numpy(), plain[:, :, ::-1])
    square = VideoInputs(frames, np.arange(2), symmetry="square")
    images = square.batch(np.arange(8, 16)).numpy()
    assert len({image.tobytes() for image in images}) == 8
    turned = np.rot90(frames, 1, axes=(2, 3)).copy()
    again = VideoInputs(turned, np.arange(2), symmetry="square").batch(np.arange(8, 16)).numpy()
    assert {image.tobytes() for image in again} == {image.tobytes() for image in images}
    for t, y, x in ((0, 0, 1), (2, 3, 4)):
        assert images[1][t, y, x].tolist() == plain[t, x, 4 - y].tolist()  # a quarter turn
    np.testing.assert_array_equal(frames[1], plain)  # the cache itself is not turned


def test_scratch_weights_follow_from_the_seed_and_reload(tmp_path):
    clips = np.random.default_rng(1).integers(0, 255, (4, 8, 64, 64, 3), dtype=np.uint8)

    def vectors(reference):
        backbone = load_backbone(reference)
        return embed(
            backbone, VideoInputs(clips, np.arange(4), symmetry=backbone.spec.symmetry), np.arange(4)
        )

    base = vectors("scratch:videomae-tiny?seed=3")
    np.testing.assert_array_equal(base, vectors("scratch:videomae-tiny?seed=3"))
    assert np.abs(base - vectors("scratch:videomae-tiny?seed=4")).max() > 0.01
    backbone = load_backbone("scratch:videomae-tiny?seed=3&symmetry=square")
    attach_lora(backbone, None)
    with torch.no_grad():
        for parameter in backbone.trainable().values():
            parameter.mul_(1.1)
    save_adapter(backbone, None, tmp_path / "adapter")
    again = load_backbone(f"run:{tmp_path}")
    assert again.spec.symmetry == "square"
    inputs = VideoInputs(clips, np.arange(4), symmetry="square")
    np.testing.assert_array_equal(embed(again, inputs, np.arange(4)), embed(backbone, inputs, np.arange(4)))
    for wrong in ("scratch:resnet", "scratch:videomae-tiny?seed=x", "scratch:videomae-tiny?symmetry=cube"):
        with pytest.raises(BgsError):
            load_backbone(wrong)
