"""CLIP's image encoder (Radford et al. 2021, arXiv 2103.00020) on every frame, through transformers."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from bgs._optional import require
from bgs.backbones.frame_encoder import FRAMES, FrameBackbone
from bgs.backbones.preprocessing import of_pictures
from bgs.backbones.pretrained import load_transformers, read_config
from bgs.backbones.video_spec import Native


class ClipBackbone(FrameBackbone):
    """``clip:<hub id or folder>``: a clip is the mean of its frames' projected image embeddings.

    For other frame sizes, trained positions are interpolated (bicubic), as implemented in transformers.
    """

    family = "clip"
    blocks_name = "vision_model.encoder.layers"
    attention_name = "self_attn"
    published = of_pictures(
        224, 224, (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711), "bicubic"
    )

    @classmethod
    def native(cls, name: str, config: dict[str, Any]) -> Native:
        full = _image_half(config)
        return Native(
            FRAMES, full.image_size, full.patch_size, 1,
            full.hidden_size, full.projection_dim, full.num_hidden_layers,
        )  # fmt: skip

    @classmethod
    def load_module(cls, name: str, frames: int, size: int) -> nn.Module:
        module: nn.Module = load_transformers(
            "CLIPVisionModelWithProjection", name, config=_image_half(read_config(cls.family, name)),
            attn_implementation="sdpa",
        )  # fmt: skip
        return module

    def embeddings(self, frames: Float[Tensor, "f 3 s s"]) -> Float[Tensor, "f n w"]:
        vision: Any = self.module.vision_model
        tokens: Tensor = vision.pre_layrnorm(vision.embeddings(frames, **self.options()))
        return tokens

    def finish(self, tokens: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        module: Any = self.module
        embeds: Tensor = module.visual_projection(module.vision_model.post_layernorm(tokens))
        return embeds


def _image_half(config: dict[str, Any]) -> Any:
    """The image encoder's configuration, from its own config.json or from that of a full CLIP model.

    In a full model the width of the projection is given at the top level; the value in the vision config is ignored.
    """
    vision = dict(config.get("vision_config", config))
    if "projection_dim" in config:
        vision["projection_dim"] = config["projection_dim"]
    return require("transformers", "train").CLIPVisionConfig.from_dict(vision)
