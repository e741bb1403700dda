"""V-JEPA 2.1: equal to an independent reference, of the published sizes, and converted from upstream files alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import vjepa2_1_reference as reference

from bgs import BgsError
from bgs.backbones import load_backbone
from bgs.backbones.vjepa2_1_convert import convert, read_upstream
from bgs.backbones.vjepa2_1_network import SIZES, VJEPA21Encoder
from tiny_models import save_tiny_video, tiny_clips, tiny_vjepa2_1

#: (frames, height, width) in pixels, patches of 8.
SHAPES = [(4, 32, 32), (2, 16, 16), (8, 32, 48), (6, 56, 24), (1, 32, 32), (1, 24, 40)]


def random_pixels(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3))


def slow_levels(encoder: VJEPA21Encoder, pixels: torch.Tensor) -> list[np.ndarray]:
    weights = {name: tensor.double().numpy() for name, tensor in encoder.state_dict().items()}
    c = encoder.config
    return reference.encode(weights, pixels.double().numpy(), c.heads, c.patch, c.normed)


def worst(found, expected) -> float:
    return float(np.abs(np.asarray(found) - np.asarray(expected)).max())


@pytest.mark.parametrize(("frames", "height", "width"), SHAPES)
@torch.no_grad()
def test_every_level_equals_the_slow_reference(frames, height, width):
    encoder = tiny_vjepa2_1()
    pixels = random_pixels(frames, 3, height, width)
    levels = encoder.levels(pixels[None])
    slow = slow_levels(encoder, pixels)
    assert len(levels) == len(slow) == 4
    for fast, expected in zip(levels, slow, strict=True):
        assert np.abs(expected).max() > 1
        assert worst(fast[0], expected) <= 1e-5
    assert torch.equal(encoder(pixels[None]), levels[-1])


def remapped_to_vjepa2(encoder: VJEPA21Encoder, size: int, fold: bool):
    """The same weights under VJEPA2Model's names; ``fold`` adds the modality embedding to the patch bias."""
    from transformers import VJEPA2Config, VJEPA2Model

    c = encoder.config
    model = VJEPA2Model(
        VJEPA2Config(
            hidden_size=c.width,
            num_hidden_layers=c.depth,
            num_attention_heads=c.heads,
            mlp_ratio=c.mlp / c.width,
            patch_size=c.patch,
            crop_size=size,
            frames_per_clip=c.frames,
            pred_hidden_size=24,
            pred_num_attention_heads=2,
            pred_num_hidden_layers=1,
        )
    ).eval()
    state = encoder.state_dict()
    names = {"norms_block.3.": "layernorm.", "patch_embed.": "embeddings.patch_embeddings."}
    mapped = {
        new + name.removeprefix(old): value
        for name, value in state.items()
        for old, new in names.items()
        if name.startswith(old)
    }
    if fold:
        mapped["embeddings.patch_embeddings.proj.bias"] = (
            state["patch_embed.proj.bias"] + state["video_mod_embed"][0, 0]
        )
    for name, value in state.items():
        if name.startswith("blocks."):
            name = name.replace("blocks.", "layer.").replace(".attn.", ".attention.")
            if ".qkv." in name:
                parts = zip(("query", "key", "value"), value.chunk(3), strict=True)
                mapped |= {name.replace("qkv", part): chunk for part, chunk in parts}
            else:
                mapped[name] = value
    model.encoder.load_state_dict(mapped)
    return model


@pytest.mark.parametrize("fold", [False, True])
@torch.no_grad()
def test_a_key_remap_onto_vjepa2_is_not_this_model(fold):
    encoder = tiny_vjepa2_1()
    pixels = random_pixels(4, 3, 32, 32)
    model = remapped_to_vjepa2(encoder, 32, fold)
    naive = model(pixels[None], skip_predictor=True).last_hidden_state[0]
    assert worst(naive, slow_levels(encoder, pixels)[-1]) > 1e-2


@torch.no_grad()
def test_the_modality_embedding_belongs_to_videos_and_another_to_images():
    video, image = random_pixels(4, 3, 32, 32), random_pixels(1, 3, 32, 32)
    encoder, folded, merged = tiny_vjepa2_1(), tiny_vjepa2_1(), tiny_vjepa2_1()
    folded.patch_embed.proj.bias += folded.video_mod_embed[0, 0]
    folded.video_mod_embed.zero_()
    assert worst(folded(video[None]), encoder(video[None])) <= 1e-5  # folding is right for videos,
    assert worst(folded(image[None]), encoder(image[None])) == 0  # and leaves images alone;
    merged.img_mod_embed.copy_(merged.video_mod_embed)  # one embedding for both is wrong for images
    assert worst(merged(image[None])[0], slow_levels(encoder, image)[-1]) > 1e-2
    merged.video_mod_embed.zero_()  # and none is wrong for videos
    assert worst(merged(video[None])[0], slow_levels(encoder, video)[-1]) > 1e-2


@pytest.mark.parametrize(
    ("size", "parameters"),
    [("b", 86_833_152), ("l", 304_680_960), ("g", 1_013_267_968), ("G", 1_845_216_768)],
)
def test_published_sizes(size, parameters):
    with torch.device("meta"):
        encoder = VJEPA21Encoder(SIZES[size])
    assert sum(parameter.numel() for parameter in encoder.parameters()) == parameters
    assert SIZES[size].normed[-1] == SIZES[size].depth - 1
    assert SIZES[size].width // SIZES[size].heads == 64


@torch.no_grad()
def test_hierarchical_features_are_the_four_levels_side_by_side(tmp_path):
    backbone = load_backbone(f"vjepa2.1:{save_tiny_video('vjepa2.1', tmp_path)}")
    clips = torch.from_numpy(tiny_clips(2, 4, 32))
    features = backbone.hierarchical_features(clips)
    assert features.shape == (2, 4 * 32)
    expected = [level.mean(axis=0) for level in slow_levels(backbone.module, backbone.pixels(clips)[1])]
    assert worst(features[1], np.concatenate(expected)) <= 1e-5
    assert worst(features[:, -32:], backbone.forward(clips)) <= 1e-6


@torch.no_grad()
def test_a_single_image_goes_through_the_image_branch(tmp_path):
    backbone = load_backbone(f"vjepa2.1:{save_tiny_video('vjepa2.1', tmp_path)}?frames=1")
    clips = torch.from_numpy(tiny_clips(2, 1, 32))
    expected = slow_levels(backbone.module, backbone.pixels(clips)[0])[-1].mean(axis=0)
    assert worst(backbone.forward(clips)[0], expected) <= 1e-5


@torch.no_grad()
def test_attention_maps_are_those_that_mix_the_values(tmp_path):
    backbone = load_backbone(f"vjepa2.1:{save_tiny_video('vjepa2.1', tmp_path)}")
    clips = torch.from_numpy(tiny_clips(1, 4, 32))
    maps = backbone.attention_maps(clips)
    assert [m.shape for m in maps] == [(1, 2, 32, 32)] * 4
    block = backbone.module.blocks[0]
    normed = block.norm1(backbone.stem(backbone.pixels(clips)))
    value = block.attn.qkv(normed)[..., 64:].unflatten(-1, (2, 16)).transpose(1, 2)
    mixed = block.attn.proj((maps[0] @ value).transpose(1, 2).flatten(2))
    assert worst(mixed, block.attn(normed, backbone._angles())) <= 1e-5


def upstream_file(path: Path, encoder: VJEPA21Encoder, key: str = "ema_encoder", **more: object) -> Path:
    """A training checkpoint as the authors save it: prefixes, a predictor, an optimizer's state."""
    state = {f"module.backbone.{name}": tensor for name, tensor in encoder.state_dict().items()}
    rest = {
        "predictor": {"module.backbone.x": torch.ones(3)},
        "opt": {"state": {0: torch.ones(2)}},
        "epoch": 7,
    }
    torch.save({"encoder": {"module.backbone.y": torch.ones(1)}, key: state, **rest, **more}, path)
    return path


@pytest.fixture
def tiny_sizes(monkeypatch):
    from dataclasses import replace

    tiny = tiny_vjepa2_1().config
    monkeypatch.setitem(SIZES, "l", tiny)
    monkeypatch.setitem(SIZES, "G", replace(tiny, depth=6))


@pytest.mark.parametrize("key", ["ema_encoder", "target_encoder"])
def test_conversion_keeps_every_weight(tmp_path, tiny_sizes, key):
    encoder = tiny_vjepa2_1()
    source = upstream_file(tmp_path / "up.pt", encoder, key)
    parameters = convert("vjepa2.1-l", source, tmp_path / "out")
    assert parameters == sum(parameter.numel() for parameter in encoder.parameters())
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "config.json", "model.safetensors", "video_preprocessor_config.json"
    }  # fmt: skip
    backbone = load_backbone(f"vjepa2.1:{tmp_path / 'out'}")
    for name, tensor in encoder.state_dict().items():
        assert torch.equal(backbone.module.state_dict()[name], tensor), name
    assert backbone.notes == ()
    assert backbone.spec.settings()["size"] == 32


def test_a_distilled_checkpoint_gives_the_student_not_the_teacher(tmp_path, tiny_sizes):
    teacher = {"module.backbone.video_mod_embed": torch.ones(1, 1, 64)}
    source = upstream_file(tmp_path / "up.pt", tiny_vjepa2_1(), "ema_encoder", target_encoder=teacher)
    assert read_upstream(source)["video_mod_embed"].shape == (1, 1, 32)


def test_a_checkpoint_of_another_size_is_refused(tmp_path, tiny_sizes):
    source = upstream_file(tmp_path / "up.pt", tiny_vjepa2_1())
    with pytest.raises(
        BgsError, match=r"expected vjepa2.1-G \(32 wide, 6 blocks\), got vjepa2.1-l, 32 wide, 4 blocks"
    ):
        convert("vjepa2.1-G", source, tmp_path / "out")
    with pytest.raises(BgsError, match=r"expected vjepa2.1-b \(768 wide, 12 blocks\)"):
        convert("vjepa2.1-b", source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_with_a_weight_too_few_or_many_is_refused(tmp_path, tiny_sizes):
    encoder = tiny_vjepa2_1()
    del encoder.norms_block[1]
    with pytest.raises(BgsError, match=r"2 missing weights: norms_block.3.bias"):
        convert("vjepa2.1-l", upstream_file(tmp_path / "few.pt", encoder), tmp_path / "out")
    encoder = tiny_vjepa2_1()
    encoder.register_buffer("pos_embed", torch.ones(2))
    with pytest.raises(BgsError, match=r"1 unexpected weights: pos_embed"):
        convert("vjepa2.1-l", upstream_file(tmp_path / "many.pt", encoder), tmp_path / "out")
    assert not (tmp_path / "out").exists()


class _Evil:
    def __reduce__(self):
        return (print, ("this must never run",))


def test_files_that_are_not_safe_checkpoints_are_refused(tmp_path, capsys):
    (tmp_path / "text.pt").write_text("hello")
    torch.save({"ema_encoder": _Evil()}, tmp_path / "evil.pt")
    torch.save({"model": {}}, tmp_path / "other.pt")
    for name, message in (
        ("none.pt", "no such checkpoint"), ("text.pt", "read safely"), ("evil.pt", "read safely"),
        ("other.pt", "the checkpoint has no encoder; expected ema_encoder or target_encoder, got model"),
    ):  # fmt: skip
        with pytest.raises(BgsError, match=message) as caught:
            convert("vjepa2.1-l", tmp_path / name, tmp_path / "out")
        assert "\n" not in str(caught.value)
    assert "never run" not in capsys.readouterr().out
    with pytest.raises(BgsError, match=r"expected one of vjepa2\.1-b"):
        convert("vjepa2.1-x", tmp_path / "text.pt", tmp_path / "out")


def test_conversion_writes_into_a_new_folder_only(tmp_path, tiny_sizes):
    source = upstream_file(tmp_path / "up.pt", tiny_vjepa2_1())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("x")
    with pytest.raises(BgsError, match="not empty"):
        convert("vjepa2.1-l", source, tmp_path / "out")


def test_damaged_folders_are_refused(tmp_path):
    folder = save_tiny_video("vjepa2.1", tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"depth": 5}))
    with pytest.raises(BgsError, match=r"12 missing weights: blocks.4"):
        load_backbone(f"vjepa2.1:{folder}")
    del config["depth"]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(BgsError, match=r"not a V-JEPA 2\.1 configuration"):
        load_backbone(f"vjepa2.1:{folder}")
