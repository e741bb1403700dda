"""V-JEPA 2 (Assran et al. 2025, arXiv 2506.09985), through transformers."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from bgs._optional import require
from bgs.backbones.clips import Clips, Pixels
from bgs.backbones.preprocessing import IMAGENET_MEAN, IMAGENET_STD, of_pictures
from bgs.backbones.pretrained import eager_attentions, load_transformers
from bgs.backbones.video import Hidden, VideoBackbone
from bgs.backbones.video_spec import Native


class VJEPA2Backbone(VideoBackbone):
    """``vjepa2:<hub id or folder>``: the embedding is the mean of the encoder's normalised tokens; the predictor is not run.

    Positions are rotary, so other numbers of frames and pixels give the same results as the authors' code.
    A single frame is repeated, as in their code.
    """

    family = "vjepa2"
    blocks_name = "encoder.layer"
    attention_name = "attention"
    published = of_pictures(256, 292, IMAGENET_MEAN, IMAGENET_STD)

    @classmethod
    def native(cls, name: str, config: dict[str, Any]) -> Native:
        full = require("transformers", "train").VJEPA2Config.from_dict(config)
        return Native(
            full.frames_per_clip, full.crop_size, full.patch_size, full.tubelet_size,
            full.hidden_size, full.hidden_size, full.num_hidden_layers,
        )  # fmt: skip

    @classmethod
    def check(cls, native: Native, frames: int, size: int, where: str) -> None:
        super().check(native, native.tubelet if frames == 1 else frames, size, where)

    @classmethod
    def load_module(cls, name: str, frames: int, size: int) -> nn.Module:
        # The rotary grid is fixed when the model is built: without crop_size, other sizes silently give wrong results.
        module: nn.Module = load_transformers("VJEPA2Model", name, crop_size=size, attn_implementation="sdpa")
        return module

    def stem(self, pixels: Pixels) -> Hidden:
        hidden: Tensor = self.module.get_submodule("encoder.embeddings")(pixels)
        return hidden

    def block(self, number: int, hidden: Hidden) -> Hidden:
        result: Tensor = self.blocks[number](hidden, None)[0]
        return result

    def summary(self, hidden: Hidden) -> Float[Tensor, "b w"]:
        return hidden.mean(dim=1)

    def final(self, hidden: Hidden) -> Float[Tensor, "b d"]:
        normed: Tensor = self.module.get_submodule("encoder.layernorm")(hidden)
        return normed.mean(dim=1)

    def attention_maps(self, clips: Clips) -> tuple[Float[Tensor, "b heads n n"], ...]:
        return eager_attentions(
            self.module, self.spec.depth, pixel_values_videos=self.pixels(clips), skip_predictor=True
        )
