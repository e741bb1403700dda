"""DINOv2 (Oquab et al. 2023, arXiv 2304.07193), with registers too (Darcet et al. 2023, arXiv 2309.16588), and DINOv3
(Siméoni et al. 2025, arXiv 2508.10104) on every frame, through transformers."""

from __future__ import annotations

from typing import Any, ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from bgs._optional import require
from bgs.backbones.frame_encoder import FRAMES, FrameBackbone
from bgs.backbones.preprocessing import IMAGENET_MEAN, IMAGENET_STD, of_pictures, read_preprocessing
from bgs.backbones.pretrained import load_transformers, read_config
from bgs.backbones.settings import parse_settings
from bgs.backbones.video import Hidden, VideoBackbone
from bgs.backbones.video_spec import Native

#: ``model_type`` of a config.json -> its configuration and network in transformers.
_CLASSES = {
    "dinov2": ("Dinov2Config", "Dinov2Model"),
    "dinov2_with_registers": ("Dinov2WithRegistersConfig", "Dinov2WithRegistersModel"),
    "dinov3_vit": ("DINOv3ViTConfig", "DINOv3ViTModel"),
}


class Dinov2Backbone(FrameBackbone):
    """``dinov2:<hub id or folder>``: a clip is the mean of its frames' class tokens after the last norm.

    DINOv3 checkpoints are recognised by their config.json. Frames have the size in the preprocessor file (published: 224
    pixels), not that of the trained positions (518), which are interpolated as the model itself does.
    """

    family = "dinov2"
    blocks_name = "encoder.layer"
    attention_name = "attention"
    norm_name: ClassVar[str] = "layernorm"
    published = of_pictures(224, 256, IMAGENET_MEAN, IMAGENET_STD, "bicubic")

    @classmethod
    def load(cls, reference: str) -> VideoBackbone:
        config = read_config(cls.family, parse_settings(reference)[0])
        kind = Dinov3Backbone if config["model_type"] == "dinov3_vit" else Dinov2Backbone
        return super(Dinov2Backbone, kind).load(reference)

    @classmethod
    def native(cls, name: str, config: dict[str, Any]) -> Native:
        full = getattr(require("transformers", "train"), _CLASSES[config["model_type"]][0]).from_dict(config)
        found = read_preprocessing(name, cls.published)
        return Native(
            FRAMES, found.size if found else min(cls.published.size, full.image_size), full.patch_size, 1,
            full.hidden_size, full.hidden_size, full.num_hidden_layers,
        )  # fmt: skip

    @classmethod
    def load_module(cls, name: str, frames: int, size: int) -> nn.Module:
        kind = _CLASSES[read_config(cls.family, name)["model_type"]][1]
        module: nn.Module = load_transformers(kind, name, attn_implementation="sdpa", **cls.changes())
        return module

    @classmethod
    def changes(cls) -> dict[str, Any]:
        """Values that replace those of the checkpoint's configuration."""
        return {}

    @property
    def leading(self) -> int:
        """The class token and the registers."""
        return 1 + int(getattr(self.module.config, "num_register_tokens", 0))

    def options(self) -> dict[str, Any]:
        return {}  # other sizes need none

    def embeddings(self, frames: Float[Tensor, "f 3 s s"]) -> Float[Tensor, "f n w"]:
        tokens: Tensor = self.module.get_submodule("embeddings")(frames)
        return tokens

    def finish(self, tokens: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        normed: Tensor = self.module.get_submodule(self.norm_name)(tokens)
        return normed


class Dinov3Backbone(Dinov2Backbone):
    """A DINOv3 checkpoint: rotary positions on the patches of each block, whole frames resized to the square.

    In training mode the network would shift and rescale its positions at random in each batch, as in its pretraining.
    This is switched off, so that tuning and embedding use the same positions.
    """

    blocks_name = "model.layer"
    norm_name = "norm"
    published = of_pictures(224, None, IMAGENET_MEAN, IMAGENET_STD)

    @classmethod
    def changes(cls) -> dict[str, Any]:
        return {f"pos_embed_{kind}": None for kind in ("shift", "jitter", "rescale")}

    def block(self, number: int, hidden: Hidden) -> Hidden:
        size = self.spec.preprocessing.size
        shape = hidden.new_zeros(()).expand(1, 3, size, size)  # only its shape, type and device are read
        rotary = self.module.get_submodule("rope_embeddings")(shape)
        frames = self.blocks[number](hidden.flatten(0, 1), position_embeddings=rotary)
        result: Tensor = frames.unflatten(0, hidden.shape[:2])
        return result
