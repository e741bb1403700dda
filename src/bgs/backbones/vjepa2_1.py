"""V-JEPA 2.1 (arXiv 2603.14482), from a folder that ``bgs models convert`` wrote."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bgs._errors import ConfigError, DataError, listed
from bgs.backbones.clips import Clips, Pixels
from bgs.backbones.mixing import Mixing, TokenMixing
from bgs.backbones.preprocessing import IMAGENET_MEAN, IMAGENET_STD, of_pictures
from bgs.backbones.pretrained import checkpoint_file, read_json
from bgs.backbones.video import Hidden, VideoBackbone
from bgs.backbones.video_spec import Native
from bgs.backbones.vjepa2_1_network import Rotary, VJEPA21Config, VJEPA21Encoder

WEIGHTS = "model.safetensors"


class VJEPA21Backbone(VideoBackbone):
    """``vjepa2.1:<folder or hub id>``: the embedding is the mean of the encoder's normalised tokens.

    Other numbers of frames and pixels give the same results as the authors' code; ``?frames=1`` uses the
    image branch. :meth:`hierarchical_features` returns all four normalised blocks.
    """

    family = "vjepa2.1"
    blocks_name = "blocks"
    attention_name = "attn"
    published = of_pictures(384, 438, IMAGENET_MEAN, IMAGENET_STD)
    module: VJEPA21Encoder

    @classmethod
    def native(cls, name: str, config: dict[str, Any]) -> Native:
        full = _config(name, config)
        return Native(full.frames, full.size, full.patch, full.tubelet, full.width, full.width, full.depth)

    @classmethod
    def check(cls, native: Native, frames: int, size: int, where: str) -> None:
        super().check(native, native.tubelet if frames == 1 else frames, size, where)

    @classmethod
    def load_module(cls, name: str, frames: int, size: int) -> nn.Module:
        return load_encoder(name)

    def stem(self, pixels: Pixels) -> Hidden:
        return self.module.stem(pixels)

    def _angles(self) -> Rotary:
        size = self.spec.preprocessing.size
        return self.module.angles(self.spec.frames, size, size, self.device)

    def block(self, number: int, hidden: Hidden) -> Hidden:
        result: Tensor = self.module.blocks[number](hidden, self._angles())
        return result

    def summary(self, hidden: Hidden) -> Float[Tensor, "b w"]:
        return hidden.mean(dim=1)

    def final(self, hidden: Hidden) -> Float[Tensor, "b d"]:
        normed: Tensor = self.module.norms_block[-1](hidden)
        return normed.mean(dim=1)

    def hierarchical_features(self, clips: Clips) -> Float[Tensor, "b levels_w"]:
        """(B, 4·width) concatenated mean tokens of the four normalised blocks, in order."""
        with self.autocast():
            levels = self.module.levels(self.pixels(clips))
        return torch.cat([level.mean(dim=1) for level in levels], dim=1).float()

    def attention_maps(self, clips: Clips) -> tuple[Float[Tensor, "b heads n n"], ...]:
        hidden, maps = self.stem(self.pixels(clips)), []
        for number in range(self.spec.depth):
            maps.append(self._weights(number, hidden))
            hidden = self.block(number, hidden)
        return tuple(maps)

    def attend(self, number: int, hidden: Hidden) -> tuple[Hidden, tuple[Mixing, ...]]:
        return self.block(number, hidden), (TokenMixing(self._weights(number, hidden).mean(dim=1)),)

    def _weights(self, number: int, hidden: Hidden) -> Float[Tensor, "b heads n n"]:
        block: Any = self.blocks[number]
        weights: Tensor = block.attn.weights(block.norm1(hidden), self._angles())
        return weights

    @property
    def patch(self) -> int:
        return self.module.config.patch

    def random_trunk(self) -> dict[str, float]:
        return {}


def load_encoder(name: str) -> VJEPA21Encoder:
    """Load the encoder of a converted checkpoint; weights must match exactly and are memory-mapped (copy on write).

    Raises:
        DataError: a weight is missing, unexpected or has the wrong shape.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = checkpoint_file(name, WEIGHTS)
    if path is None:
        raise DataError("no weights here", where=name, expected=WEIGHTS, hint="see bgs models convert --help")
    with torch.device("meta"):
        encoder = VJEPA21Encoder(_config(name, read_json(name, "config.json") or {}))
    try:
        found = load_file(path)
    except SafetensorError as error:
        raise DataError(f"not a safetensors file: {error}", where=path) from None
    require_weights(encoder, found, where=path)
    encoder.load_state_dict(found, strict=True, assign=True)
    return encoder.eval()


def require_weights(encoder: VJEPA21Encoder, found: dict[str, Tensor], where: object) -> None:
    """Refuse weights that are not exactly the encoder's.

    Raises:
        DataError: weights are missing, unexpected or have the wrong shape; they are named.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in encoder.state_dict().items()}
    shared = shapes.keys() & found.keys()
    for problem, names in (
        ("missing", shapes.keys() - found.keys()),
        ("unexpected", found.keys() - shapes.keys()),
        ("differently shaped", {name for name in shared if tuple(found[name].shape) != shapes[name]}),
    ):
        if names:
            expected = f"the {len(shapes)} weights of a V-JEPA 2.1 encoder"
            raise DataError(
                f"{len(names)} {problem} weights: {listed(sorted(names))}", where=where, expected=expected
            )


def _config(name: str, content: dict[str, Any]) -> VJEPA21Config:
    try:
        return VJEPA21Config.from_dict(content)
    except (KeyError, TypeError) as error:
        raise ConfigError(f"not a V-JEPA 2.1 configuration: {error}", where=f"{name}/config.json") from None
