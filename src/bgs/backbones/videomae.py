"""VideoMAE (Tong et al. 2022, arXiv 2203.12602), through transformers."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from bgs._errors import ConfigError
from bgs._optional import require
from bgs.backbones.clips import Clips, Pixels
from bgs.backbones.preprocessing import IMAGENET_MEAN, IMAGENET_STD, of_pictures
from bgs.backbones.pretrained import eager_attentions, load_transformers
from bgs.backbones.video import Hidden, VideoBackbone
from bgs.backbones.video_spec import Native


class VideoMAEBackbone(VideoBackbone):
    """``videomae:<hub id or folder>``: the embedding is the mean of the encoder's tokens.

    Positions are numbered consecutively through the clip, frame pair by frame pair. With fewer or more frames, shared
    position numbers keep their meaning; another frame size would shift all of them and is refused.
    """

    family = "videomae"
    blocks_name = "encoder.layer"
    attention_name = "attention.attention"
    published = of_pictures(224, 224, IMAGENET_MEAN, IMAGENET_STD)

    @classmethod
    def native(cls, name: str, config: dict[str, Any]) -> Native:
        full = require("transformers", "train").VideoMAEConfig.from_dict(config)
        return Native(
            full.num_frames, full.image_size, full.patch_size, full.tubelet_size,
            full.hidden_size, full.hidden_size, full.num_hidden_layers,
        )  # fmt: skip

    @classmethod
    def check(cls, native: Native, frames: int, size: int, where: str) -> None:
        super().check(native, frames, size, where)
        if size != native.size:
            raise ConfigError(
                "size: VideoMAE's positions are not valid at another size", where=where,
                expected=f"{native.size} pixels", got=size,
            )  # fmt: skip

    @classmethod
    def load_module(cls, name: str, frames: int, size: int) -> nn.Module:
        module: nn.Module = load_transformers(
            "VideoMAEModel", name, num_frames=frames, attn_implementation="sdpa"
        )
        return module

    def stem(self, pixels: Pixels) -> Hidden:
        hidden: Tensor = self.module.get_submodule("embeddings")(pixels, None)
        return hidden

    def block(self, number: int, hidden: Hidden) -> Hidden:
        result: Tensor = self.blocks[number](hidden)
        return result

    def summary(self, hidden: Hidden) -> Float[Tensor, "b w"]:
        return hidden.mean(dim=1)

    def final(self, hidden: Hidden) -> Float[Tensor, "b d"]:
        norm: Any = self.module.layernorm
        return (hidden if norm is None else norm(hidden)).mean(
            dim=1
        )  # classifiers apply a norm after pooling; not used here

    def attention_maps(self, clips: Clips) -> tuple[Float[Tensor, "b heads n n"], ...]:
        return eager_attentions(self.module, self.spec.depth, pixel_values=self.pixels(clips))
