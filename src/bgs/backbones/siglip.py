"""Image encoders of SigLIP (Zhai et al. 2023, arXiv 2303.15343) and SigLIP 2 (Tschannen et al. 2025, arXiv 2502.14786)."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from bgs._errors import ConfigError
from bgs._optional import require
from bgs.backbones.frame_encoder import FRAMES, FrameBackbone
from bgs.backbones.mixing import Weights
from bgs.backbones.pooling import over_time
from bgs.backbones.preprocessing import of_pictures
from bgs.backbones.pretrained import load_transformers, read_config
from bgs.backbones.video import Hidden
from bgs.backbones.video_spec import Native

_HALF = (0.5, 0.5, 0.5)


class SiglipBackbone(FrameBackbone):
    """``siglip:<hub id or folder>``: a clip is the mean of its frames' image embeddings, pooled by the model's own head.

    There is no class token: a learned probe attends to the patches of a frame after the last block and norm.
    Whole frames are resized to the square, not cropped. Other frame sizes interpolate the trained positions (bicubic).
    """

    family = "siglip"
    blocks_name = "encoder.layers"
    attention_name = "self_attn"
    published = of_pictures(224, None, _HALF, _HALF, "bicubic")
    published_pool = None
    layer_pool = "mean"
    pools = ("mean", "patch-std")

    @classmethod
    def native(cls, name: str, config: dict[str, Any]) -> Native:
        if config["model_type"].startswith("siglip2"):
            raise ConfigError(
                "a NaFlex checkpoint, for images of any shape", where=f"{cls.family}:{name}",
                expected="a checkpoint with a fixed frame size, such as google/siglip2-base-patch16-224",
            )  # fmt: skip
        full = _image_half(config)
        if not full.vision_use_head:
            raise ConfigError(
                "a checkpoint without the head that pools its patches", where=f"{cls.family}:{name}",
                expected="vision_use_head: true",
            )  # fmt: skip
        return Native(
            FRAMES, full.image_size, full.patch_size, 1,
            full.hidden_size, full.hidden_size, full.num_hidden_layers,
        )  # fmt: skip

    @classmethod
    def load_module(cls, name: str, frames: int, size: int) -> nn.Module:
        vision = _image_half(read_config(cls.family, name))
        module: nn.Module = load_transformers(
            "SiglipVisionModel", name, config=vision, attn_implementation="sdpa"
        )
        return module

    @property
    def leading(self) -> int:
        return 0

    def embeddings(self, frames: Float[Tensor, "f 3 s s"]) -> Float[Tensor, "f n w"]:
        tokens: Tensor = self.module.get_submodule("embeddings")(frames, **self.options())
        return tokens

    def finish(self, tokens: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        normed: Tensor = self.module.get_submodule("post_layernorm")(tokens)
        return normed

    def final(self, hidden: Hidden) -> Float[Tensor, "b d"]:
        if self.spec.pool is not None:
            return super().final(hidden)
        frames = self.module.get_submodule("head")(self.finish(hidden).flatten(0, 1))
        return over_time(frames.unflatten(0, hidden.shape[:2]), self.spec.time)

    def readout(self, hidden: Hidden) -> Weights:
        """For the published embedding: what the head's probe attends to, averaged over heads."""
        if self.spec.pool is not None or self.spec.layer is not None:
            return super().readout(hidden)
        head: Any = self.module.get_submodule("head")
        tokens = self.finish(hidden).flatten(0, 1)
        probe = head.probe.expand(len(tokens), -1, -1)
        attended: Tensor = head.attention(probe, tokens, tokens)[1]
        weights: Tensor = attended[:, 0].unflatten(0, hidden.shape[:2]) / hidden.shape[1]
        return weights


def _image_half(config: dict[str, Any]) -> Any:
    """The image encoder's configuration, from its own config.json or from that of a whole model."""
    return require("transformers", "train").SiglipVisionConfig.from_dict(config.get("vision_config", config))
