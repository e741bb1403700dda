"""Short names: every published model in its real size, built without memory for weights; figures as stated."""

from __future__ import annotations

import re

import pytest
import torch
import transformers as hf
from torch._subclasses.fake_tensor import FakeTensorMode
from transformers.models.dinov3_vit import modeling_dinov3_vit

from bgs import BgsError
from bgs.backbones import LoraSettings, attach_lora, load_backbone
from bgs.backbones.catalogue import CARDS, TINY, expand
from bgs.backbones.dinov2 import Dinov3Backbone
from bgs.backbones.registry import VIDEO_FAMILIES
from bgs.backbones.video import VideoBackbone
from bgs.backbones.video_spec import VideoSpec
from bgs.backbones.vjepa2_1_network import SIZES, VJEPA21Encoder

_SMALL = {"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6, "intermediate_size": 1536}
_BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
_LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
_DINO = {"s": _SMALL, "b": _BASE, "l": _LARGE}
_SDPA = {"attn_implementation": "sdpa"}


def _vjepa2(width: int, depth: int, heads: int, ratio: float, size: int) -> hf.VJEPA2Model:
    return hf.VJEPA2Model(
        hf.VJEPA2Config(
            hidden_size=width, num_hidden_layers=depth, num_attention_heads=heads, mlp_ratio=ratio, crop_size=size, **_SDPA
        )
    )  # fmt: skip


def _clip(shape: dict, patch: int, projection: int) -> hf.CLIPVisionModelWithProjection:
    config = hf.CLIPVisionConfig(**shape, patch_size=patch, projection_dim=projection, **_SDPA)
    return hf.CLIPVisionModelWithProjection(config)


def _dinov2(shape: dict, registers: bool) -> hf.Dinov2Model | hf.Dinov2WithRegistersModel:
    shape = {key: value for key, value in shape.items() if key != "intermediate_size"}
    settings = shape | {"image_size": 518, "patch_size": 14} | _SDPA
    if registers:
        return hf.Dinov2WithRegistersModel(hf.Dinov2WithRegistersConfig(**settings))
    return hf.Dinov2Model(hf.Dinov2Config(**settings))


def _dinov3(shape: dict) -> hf.DINOv3ViTModel:
    return hf.DINOv3ViTModel(hf.DINOv3ViTConfig(**shape, num_register_tokens=4, **_SDPA))


def _videomae(shape: dict, pooled: bool) -> hf.VideoMAEModel:
    return hf.VideoMAEModel(hf.VideoMAEConfig(**shape, use_mean_pooling=pooled, **_SDPA))


#: How the published checkpoints' own configurations build their networks.
NETWORKS = {
    "vjepa2-l": lambda: _vjepa2(1024, 24, 16, 4.0, 256),
    "vjepa2-h": lambda: _vjepa2(1280, 32, 16, 4.0, 256),
    "vjepa2-g": lambda: _vjepa2(1408, 40, 22, 48 / 11, 256),
    "vjepa2-g-384": lambda: _vjepa2(1408, 40, 22, 48 / 11, 384),
    **{f"vjepa2.1-{size}": lambda config=config: VJEPA21Encoder(config) for size, config in SIZES.items()},
    **{
        f"timesformer-{data}": lambda: hf.TimesformerModel(hf.TimesformerConfig(num_frames=8))
        for data in ("k400", "k600", "ssv2")
    },
    "videomae-b": lambda: _videomae(_BASE, pooled=False),
    "videomae-l": lambda: _videomae(_LARGE, pooled=False),
    "videomae-b-k400": lambda: _videomae(_BASE, pooled=True),
    "clip-b32": lambda: _clip(_BASE, 32, 512),
    "clip-b16": lambda: _clip(_BASE, 16, 512),
    "clip-l14": lambda: _clip(_LARGE, 14, 768),
    **{
        name: lambda: hf.SiglipVisionModel(hf.SiglipVisionConfig(**_BASE, **_SDPA))
        for name in ("siglip-b16", "siglip2-b16")
    },
    **{f"dinov2-{size}": lambda shape=shape: _dinov2(shape, False) for size, shape in _DINO.items()},
    **{f"dinov2-reg-{size}": lambda shape=shape: _dinov2(shape, True) for size, shape in _DINO.items()},
    **{f"dinov3-{size}": lambda shape=shape: _dinov3(shape) for size, shape in _DINO.items()},
}
LINEARS_A_BLOCK = dict.fromkeys(VIDEO_FAMILIES, 6) | {"vjepa2.1": 4, "timesformer": 7}


def without_weights(name: str) -> VideoBackbone:
    """The real architecture of a card, on the meta device, with fresh adapters."""
    card = CARDS[name]
    kind = Dinov3Backbone if name.startswith("dinov3") else VIDEO_FAMILIES[card.family]
    with torch.device("meta"):
        module = NETWORKS[name]()
        depth = len(module.get_submodule(kind.blocks_name))
        pixels = kind.published.for_clips(card.frames, card.size)
        backbone = kind(module, VideoSpec(card.family, name, 1, preprocessing=pixels, depth=depth))
        attach_lora(backbone, LoraSettings())
    return backbone


@pytest.mark.parametrize("name", CARDS)
def test_parameters_and_lora_targets_of_the_real_sizes(name):
    card, backbone = CARDS[name], without_weights(name)
    run = [
        parameter.numel()
        for key, parameter in backbone.module.named_parameters()
        if "lora_" not in key and not key.startswith("predictor.")
    ]
    assert sum(run) == card.parameters
    targets = [key for key in backbone.trainable() if "lora_A" in key]
    depth = backbone.spec.depth
    assert len(targets) == LINEARS_A_BLOCK[card.family] * depth
    assert {int(re.search(r"\.(\d+)\.", key)[1]) for key in targets} == set(range(depth))
    assert all(f".{backbone.blocks_name}." in f".{key}" for key in targets)


def with_fake_weights(backbone: VideoBackbone) -> None:
    """Parameters that have a device and no memory; to be called within a FakeTensorMode."""
    for module in backbone.module.modules():
        for key, value in list(module._parameters.items()):
            if value is not None:
                fake = torch.empty(value.shape)
                module._parameters[key] = torch.nn.Parameter(fake, requires_grad=value.requires_grad)
        for key, value in list(module._buffers.items()):
            module._buffers[key] = None if value is None else torch.empty(value.shape, dtype=value.dtype)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name,
            marks=()
            if name in ("clip-b32", "timesformer-k400", "vjepa2.1-b", "dinov3-s")
            else pytest.mark.slow,
        )
        for name in CARDS
    ],
)
def test_memory_is_weights_and_what_the_backward_pass_keeps(name, monkeypatch):
    card, backbone = CARDS[name], without_weights(name)
    places = modeling_dinov3_vit.get_patches_center_coordinates
    # Its cache would give tensors without memory to whoever asks next.
    monkeypatch.setattr(modeling_dinov3_vit, "get_patches_center_coordinates", places.__wrapped__)
    with FakeTensorMode(allow_non_fake_inputs=True):
        with_fake_weights(backbone)
        weights = {
            p.untyped_storage()._cdata: p.untyped_storage().nbytes() for p in backbone.module.parameters()
        }
        kept: dict[int, torch.Tensor] = {}

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            kept.setdefault(tensor.untyped_storage()._cdata, tensor)
            return tensor

        backbone.train()
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            backbone.forward(torch.empty(1, card.frames, card.size, card.size, 3, dtype=torch.uint8))
        sizes = weights | {key: tensor.untyped_storage().nbytes() for key, tensor in kept.items()}
        found = sum(sizes.values()) / 2**30
    assert found == pytest.approx(card.memory, rel=0.01, abs=0.06)


def test_short_names_are_references():
    assert expand("clip-b32") == "clip:openai/clip-vit-base-patch32"
    assert expand("clip-b32?frames=4") == "clip:openai/clip-vit-base-patch32?frames=4"
    assert expand("text:minilm") == "text:minilm"
    assert set(NETWORKS) == set(CARDS)
    assert {card.family for card in CARDS.values()} == set(VIDEO_FAMILIES)


def test_a_model_that_must_be_converted_says_how():
    with pytest.raises(BgsError, match=r"not on the hub; .* bgs models convert vjepa2.1-l FILE.pt --out DIR"):
        load_backbone("vjepa2.1-l?frames=16")


def test_the_model_of_the_package_is_listed_as_it_is():
    backbone = load_backbone(TINY.name)
    assert sum(p.numel() for p in backbone.module.parameters()) == TINY.parameters
    assert (backbone.spec.frames, backbone.spec.preprocessing.size) == (TINY.frames, TINY.size)
    assert expand("tiny-videomae?layer=2") == "tiny:videomae?layer=2"
