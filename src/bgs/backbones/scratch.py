"""Small encoders with random weights, trained from scratch: feasible on a laptop without a download."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

import torch
from torch import nn

from bgs._errors import ConfigError
from bgs._optional import require
from bgs._rng import torch_seed
from bgs.backbones.preprocessing import IMAGENET_MEAN, IMAGENET_STD, of_pictures
from bgs.backbones.symmetry import known_symmetry
from bgs.backbones.video_spec import VideoSpec
from bgs.backbones.videomae import VideoMAEBackbone

#: About a million parameters: 8 frames of 64 × 64 pixels, 64 tokens of width 128, 4 blocks.
TINY: dict[str, Any] = {
    "image_size": 64,
    "patch_size": 16,
    "num_frames": 8,
    "tubelet_size": 2,
    "hidden_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 512,
}


class ScratchBackbone(VideoMAEBackbone):
    """``scratch:videomae-tiny[?seed=N&symmetry=S]``: a VideoMAE encoder with weights determined by the seed; no LoRA."""

    trains_whole = True

    @classmethod
    def load(cls, reference: str) -> ScratchBackbone:
        """Build the network.

        Raises:
            ConfigError: unknown name or setting.
        """
        name, _, query = reference.partition("?")
        settings = dict(parse_qsl(query, keep_blank_values=True))
        seed, symmetry = (
            settings.pop("seed", "0"),
            known_symmetry(settings.pop("symmetry", "none"), reference),
        )
        if name != "videomae-tiny" or settings or not re.fullmatch("[0-9]{1,9}", seed):
            raise ConfigError(
                "unknown network",
                where=f"scratch:{reference}",
                expected="scratch:videomae-tiny or scratch:videomae-tiny?seed=N",
            )
        module = _random_videomae(int(seed))
        native = cls.native(name, TINY)
        pixels = of_pictures(native.size, native.size, IMAGENET_MEAN, IMAGENET_STD)
        spec = VideoSpec(
            "scratch", f"scratch:videomae-tiny?seed={int(seed)}&symmetry={symmetry}", native.embedding,
            preprocessing=pixels.for_clips(native.frames, native.size), depth=native.depth, symmetry=symmetry,
        )  # fmt: skip
        return cls(module, spec)


def _random_videomae(seed: int) -> nn.Module:
    transformers = require("transformers", "train")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(seed, "scratch"))
        config = transformers.VideoMAEConfig(**TINY, attn_implementation="sdpa")
        module: nn.Module = transformers.VideoMAEModel(config)
    return module
