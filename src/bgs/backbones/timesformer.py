"""TimeSformer (Bertasius et al. 2021, arXiv 2102.05095), through transformers."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from bgs._errors import ConfigError
from bgs._optional import require
from bgs.backbones.clips import Clips, Pixels
from bgs.backbones.mixing import Mixing, SpatialMixing, TemporalMixing, Weights, caught
from bgs.backbones.preprocessing import of_pictures
from bgs.backbones.pretrained import eager_attentions, load_transformers
from bgs.backbones.video import Hidden, VideoBackbone
from bgs.backbones.video_spec import Native


class TimesformerBackbone(VideoBackbone):
    """``timesformer:<hub id or folder>``: the embedding is the class token after the last norm.

    Other numbers of frames and pixels use the nearest trained time and position embedding, as in the authors' code.
    """

    family = "timesformer"
    blocks_name = "encoder.layer"
    attention_name = "attention.attention"
    published = of_pictures(224, 224, (0.45, 0.45, 0.45), (0.225, 0.225, 0.225))

    @classmethod
    def native(cls, name: str, config: dict[str, Any]) -> Native:
        full = require("transformers", "train").TimesformerConfig.from_dict(config)
        return Native(
            full.num_frames, full.image_size, full.patch_size, 1,
            full.hidden_size, full.hidden_size, full.num_hidden_layers,
        )  # fmt: skip

    @classmethod
    def load_module(cls, name: str, frames: int, size: int) -> nn.Module:
        module = load_transformers("TimesformerModel", name, attn_implementation="eager")
        # Blocks reshape tokens to (time, position) with these two values; the trained embeddings need the native ones,
        # so they are set after loading. Otherwise, clips of other shapes would run with time and position mixed up.
        module.config.num_frames, module.config.image_size = frames, size
        result: nn.Module = module
        return result

    @classmethod
    def architecture(cls, module: nn.Module, native: Native) -> Any:
        config: Any = deepcopy(module.config)
        config.num_frames, config.image_size = native.frames, native.size  # load_module has changed both
        return config

    def stem(self, pixels: Pixels) -> Hidden:
        hidden: Tensor = self.module.get_submodule("embeddings")(pixels)
        return hidden

    def block(self, number: int, hidden: Hidden) -> Hidden:
        result: Tensor = self.blocks[number](hidden)[0]
        return result

    def summary(self, hidden: Hidden) -> Float[Tensor, "b w"]:
        return hidden[:, 0]

    def final(self, hidden: Hidden) -> Float[Tensor, "b d"]:
        normed: Tensor = self.module.get_submodule("layernorm")(hidden[:, 0])
        return normed

    def attend(self, number: int, hidden: Hidden) -> tuple[Hidden, tuple[Mixing, ...]]:
        """Divided attention: over time, then over space."""
        config: Any = self.module.config
        if config.attention_type != "divided_space_time":
            raise ConfigError(
                "attention cannot be traced in this model", where=self.spec.source, expected="divided_space_time",
                got=config.attention_type,
            )  # fmt: skip
        block = self.blocks[number]
        time, space = (
            block.get_submodule(name) for name in ("temporal_attention.attention", self.attention_name)
        )
        with caught(time, asked=True) as over_time, caught(space, asked=True) as over_space:
            after = self.block(number, hidden)
        clips = len(hidden)
        return after, (
            TemporalMixing(over_time[0].unflatten(0, (clips, -1))),
            SpatialMixing(over_space[0].unflatten(0, (clips, -1))),
        )

    def on_grid(self, weights: Weights) -> Float[Tensor, "b u h w"]:
        places = weights[:, 1:].unflatten(1, (-1, self.spec.frames))
        return super().on_grid(places.transpose(1, 2))

    def attention_maps(self, clips: Clips) -> tuple[Float[Tensor, "frames heads n n"], ...]:
        """Spatial attention only, B·T rows: the published implementation does not return temporal attention."""
        return eager_attentions(self.module, self.spec.depth, pixel_values=self.pixels(clips))
