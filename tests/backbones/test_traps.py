"""What fails silently elsewhere: beside each thing done right here stands the naive code, shown to be wrong."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from bgs import BgsError
from bgs.backbones import LoraSettings, attach_lora, load_backbone
from tiny_models import save_tiny_video, tiny_clips, tiny_video_model


def clips(frames: int, size: int) -> torch.Tensor:
    return torch.from_numpy(tiny_clips(2, frames, size))


def relative_error(found: torch.Tensor, right: torch.Tensor) -> float:
    return float((found - right).norm() / right.norm())


@torch.no_grad()
def test_timesformer_with_other_frames(tmp_path):
    """Right: a model made for 8 frames, whose time embeddings are the nearest of the 4 trained ones."""
    backbone = load_backbone(f"timesformer:{save_tiny_video('timesformer', tmp_path)}?frames=8")
    pixels = backbone.pixels(clips(8, 32))
    naive = tiny_video_model("timesformer").eval()
    made = tiny_video_model("timesformer", num_frames=8).eval()
    state = naive.state_dict()
    name = "embeddings.time_embeddings"
    made.load_state_dict(state | {name: state[name].repeat_interleave(2, dim=1)})
    right = made(pixels).last_hidden_state[:, 0]
    assert relative_error(naive(pixels).last_hidden_state[:, 0], right) > 0.02  # runs, wrongly
    assert relative_error(backbone.forward(clips(8, 32)), right) < 1e-6


@torch.no_grad()
def test_timesformer_with_other_pixels(tmp_path):
    """Right: a model made for 64 pixels, whose place embeddings are the nearest of the 4 × 4 trained ones."""
    backbone = load_backbone(f"timesformer:{save_tiny_video('timesformer', tmp_path)}?size=64")
    made = tiny_video_model("timesformer", image_size=64).eval()
    state = tiny_video_model("timesformer").state_dict()
    name = "embeddings.position_embeddings"
    grid = state[name][:, 1:].unflatten(1, (4, 4)).repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)
    made.load_state_dict(state | {name: torch.cat([state[name][:, :1], grid.flatten(1, 2)], dim=1)})
    right = made(backbone.pixels(clips(4, 64))).last_hidden_state[:, 0]
    assert relative_error(backbone.forward(clips(4, 64)), right) < 1e-6


@torch.no_grad()
def test_vjepa2_with_other_pixels(tmp_path):
    """Right: positions on the clip's own 6 × 6 grid; naive: those of the 4 × 4 grid in the configuration."""
    backbone = load_backbone(f"vjepa2:{save_tiny_video('vjepa2', tmp_path)}?size=48")
    pixels = backbone.pixels(clips(4, 48))
    naive = tiny_video_model("vjepa2").eval()
    made = tiny_video_model("vjepa2", crop_size=48).eval()
    made.load_state_dict(naive.state_dict())
    right = made(pixels, skip_predictor=True).last_hidden_state.mean(dim=1)
    assert relative_error(naive(pixels, skip_predictor=True).last_hidden_state.mean(dim=1), right) > 0.02
    assert relative_error(backbone.forward(clips(4, 48)), right) < 1e-6


@torch.no_grad()
def test_vjepa2_drops_an_odd_frame_and_is_not_asked_to(tmp_path):
    naive = tiny_video_model("vjepa2").eval()
    pixels = torch.randn(1, 5, 3, 32, 32)
    five = naive(pixels, skip_predictor=True).last_hidden_state
    assert torch.equal(five, naive(pixels[:, :4], skip_predictor=True).last_hidden_state)
    for family in ("vjepa2", "vjepa2.1", "videomae"):
        folder = save_tiny_video(family, tmp_path / family)
        with pytest.raises(BgsError, match="frames; expected a multiple of 2, got 5"):
            load_backbone(f"{family}:{folder}?frames=5")


@torch.no_grad()
def test_vjepa2_shows_a_single_frame_twice(tmp_path):
    folder = save_tiny_video("vjepa2", tmp_path)
    one, two = clips(1, 32), clips(1, 32).repeat(1, 2, 1, 1, 1)
    single, double = (load_backbone(f"vjepa2:{folder}?frames={n}") for n in (1, 2))
    torch.testing.assert_close(single.forward(one), double.forward(two))


def test_vjepa2_lora_leaves_predictor_and_convolution_alone(tmp_path):
    import peft

    suffixes = ["query", "key", "value", "proj", "fc1", "fc2"]
    naive = tiny_video_model("vjepa2")
    peft.inject_adapter_in_model(peft.LoraConfig(r=2, target_modules=suffixes), naive)
    hit = {name for name, _ in naive.named_parameters() if "lora_A" in name}
    assert any(name.startswith("predictor.") for name in hit)
    assert any("patch_embeddings.proj" in name for name in hit)

    backbone = load_backbone(f"vjepa2:{save_tiny_video('vjepa2', tmp_path)}")
    attach_lora(backbone, LoraSettings(rank=2))
    names = [name for name in backbone.trainable() if "lora_A" in name]
    assert len(names) == 6 * 3
    assert all(re.search(r"\.encoder\.layer\.\d\.(attention|mlp)\.", name) for name in names)


@torch.no_grad()
def test_fused_attention_returns_no_weights_and_no_error(tmp_path):
    backbone = load_backbone(f"videomae:{save_tiny_video('videomae', tmp_path)}")
    assert backbone.module.config._attn_implementation == "sdpa"
    naive = backbone.module(backbone.pixels(clips(4, 32)), output_attentions=True).attentions
    assert not naive
    assert len(backbone.attention_maps(clips(4, 32))) == 3


def test_a_model_without_attention_weights_is_an_error(tmp_path, monkeypatch):
    backbone = load_backbone(f"videomae:{save_tiny_video('videomae', tmp_path)}")
    monkeypatch.setattr(backbone.module, "set_attn_implementation", lambda kind: None)
    with pytest.raises(BgsError, match="no attention weights from this model; expected 3 blocks, got 0"):
        backbone.attention_maps(clips(4, 32))


@torch.no_grad()
def test_videomae_positions_survive_other_frames_but_not_other_pixels(tmp_path):
    folder = save_tiny_video("videomae", tmp_path)
    backbone, longer = load_backbone(f"videomae:{folder}"), load_backbone(f"videomae:{folder}?frames=8")
    eight = clips(8, 32)
    tokens = longer.stem(longer.pixels(eight))
    assert torch.equal(tokens[:, :32], backbone.stem(backbone.pixels(eight[:, :4])))
    naive = tiny_video_model("videomae", image_size=48).eval().embeddings.position_embeddings
    right = backbone.module.embeddings.position_embeddings
    second_row = (naive[:, 6], right[:, 4])  # the same place in the first frame: one row down
    assert relative_error(*second_row) > 0.05
    with pytest.raises(BgsError, match="another size; expected 32 pixels, got 48"):
        load_backbone(f"videomae:{folder}?size=48")


@torch.no_grad()
def test_clip_with_other_pixels_interpolates_positions(tmp_path):
    backbone = load_backbone(f"clip:{save_tiny_video('clip', tmp_path)}?size=48&frames=2")
    naive = tiny_video_model("clip").eval()
    frames = backbone.pixels(clips(2, 48)).flatten(0, 1)
    with pytest.raises(ValueError, match="doesn't match model"):
        naive(frames)
    right = naive(frames, interpolate_pos_encoding=True).image_embeds.unflatten(0, (2, 2)).mean(dim=1)
    assert relative_error(backbone.forward(clips(2, 48)), right) < 1e-6


@pytest.mark.parametrize(
    ("family", "asked", "message"),
    [
        ("vjepa2", "size=36", "size; expected a multiple of 8 pixels, at least 16, got 36"),
        ("vjepa2.1", "size=8", "size; expected a multiple of 8 pixels, at least 16, got 8"),
        ("timesformer", "size=20", "size; expected a multiple of 8 pixels"),
        ("clip", "size=33", "size; expected a multiple of 8 pixels"),
    ],
)
def test_pixels_that_do_not_fill_patches_are_refused(tmp_path, family, asked, message):
    with pytest.raises(BgsError, match=message):
        load_backbone(f"{family}:{save_tiny_video(family, tmp_path)}?{asked}")


def test_embeddings_do_not_depend_on_the_batch(tmp_path):
    backbone = load_backbone(f"timesformer:{save_tiny_video('timesformer', tmp_path)}")
    with torch.no_grad():
        together = backbone.forward(clips(4, 32))
        alone = torch.cat([backbone.forward(clips(4, 32)[k : k + 1]) for k in range(2)])
    np.testing.assert_allclose(together, alone, atol=1e-5)
