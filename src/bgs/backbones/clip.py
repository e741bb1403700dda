"""CLIP's image encoder (Radford et al. 2021, arXiv 2103.00020) on every frame, through transformers."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from bgs._optional import require
from bgs.backbones.clips import Clips, Pixels
from bgs.backbones.mixing import Weights
from bgs.backbones.preprocessing import Preprocessing
from bgs.backbones.pretrained import eager_attentions, load_transformers, read_config
from bgs.backbones.video import Hidden, VideoBackbone
from bgs.backbones.video_spec import Native

#: Default number of frames per clip: an image encoder has no native number.
FRAMES = 8


class ClipBackbone(VideoBackbone):
    """``clip:<hub id or folder>``: a clip is the mean of its frames' projected image embeddings.

    For other frame sizes, trained positions are interpolated (bicubic), as implemented in transformers.
    """

    family = "clip"
    blocks_name = "vision_model.encoder.layers"
    attention_name = "self_attn"
    published = Preprocessing(
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

    def stem(self, pixels: Pixels) -> Hidden:
        vision: Any = self.module.vision_model
        patches = vision.embeddings(pixels.flatten(0, 1), interpolate_pos_encoding=self._interpolates)
        hidden: Tensor = vision.pre_layrnorm(patches).unflatten(0, pixels.shape[:2])
        return hidden

    @property
    def _interpolates(self) -> bool:
        config: Any = self.module.config
        return bool(self.spec.preprocessing.size != config.image_size)

    def block(self, number: int, hidden: Hidden) -> Hidden:
        result: Tensor = self.blocks[number](hidden.flatten(0, 1), None).unflatten(0, hidden.shape[:2])
        return result

    def summary(self, hidden: Hidden) -> Float[Tensor, "b w"]:
        return hidden[:, :, 0].mean(dim=1)

    def final(self, hidden: Hidden) -> Float[Tensor, "b d"]:
        module: Any = self.module
        embeds: Tensor = module.visual_projection(module.vision_model.post_layernorm(hidden[:, :, 0]))
        return embeds.mean(dim=1)

    def on_grid(self, weights: Weights) -> Float[Tensor, "b u h w"]:
        return super().on_grid(weights[:, :, 1:])

    def attention_maps(self, clips: Clips) -> tuple[Float[Tensor, "frames heads n n"], ...]:
        """Attention within frames, B·T rows."""
        return eager_attentions(
            self.module, self.spec.depth, pixel_values=self.pixels(clips).flatten(0, 1),
            interpolate_pos_encoding=self._interpolates,
        )  # fmt: skip


def _image_half(config: dict[str, Any]) -> Any:
    """The image encoder's configuration, from its own config.json or from that of a full CLIP model.

    In a full model the width of the projection is given at the top level; the value in the vision config is ignored.
    """
    vision = dict(config.get("vision_config", config))
    if "projection_dim" in config:
        vision["projection_dim"] = config["projection_dim"]
    return require("transformers", "train").CLIPVisionConfig.from_dict(vision)
