"""The sentence encoder of CLIP and SigLIP checkpoints, whose vectors lie in the same space as those of clips."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from bgs._errors import BgsError, ConfigError, listed
from bgs._optional import require
from bgs._typing import Float64
from bgs.backbones.backbone import Backbone
from bgs.backbones.pretrained import load_transformers, read_json
from bgs.backbones.settings import parse_settings
from bgs.backbones.video_spec import VideoSpec

#: Family -> transformers classes of the text encoder and its configuration, and its output.
_CLASSES = {
    "clip": ("CLIPTextModelWithProjection", "CLIPTextConfig", "text_embeds"),
    "siglip": ("SiglipTextModel", "SiglipTextConfig", "pooler_output"),
}
_EXPECTED = "a clip: or siglip: model with its published embedding"


class TextSide:
    """A sentence encoder beside an image encoder.

    Args:
        backbone: the image encoder; LoRA in it does not change the sentence encoder.

    Raises:
        ConfigError: it has no sentence encoder, or its clips are embedded in another space.
        BgsError: the sentence encoder cannot be loaded.
    """

    def __init__(self, backbone: Backbone) -> None:
        name, config = _published(backbone)
        kind, config_kind, self._output = _CLASSES[backbone.spec.family]
        library = require("transformers", "train")
        settings = dict(config["text_config"])
        if "projection_dim" in config:  # as for the image half, the value at the top level counts
            settings["projection_dim"] = config["projection_dim"]
        text = getattr(library, config_kind).from_dict(settings)
        self.module = load_transformers(kind, name, config=text).to(backbone.device)
        self._length = int(text.max_position_embeddings)
        try:
            self._tokenizer = library.AutoTokenizer.from_pretrained(name)
        except (OSError, ValueError, ImportError) as error:
            raise BgsError(
                f"cannot load the tokenizer: {' '.join(str(error).split())[:200]}", where=name,
                expected="a checkpoint with its tokenizer's files",
            ) from None  # fmt: skip

    @torch.inference_mode()
    def embed(self, sentences: list[str]) -> Float64[np.ndarray, "n d"]:
        """One vector of length 1 per sentence; what is longer than the encoder reads is cut off."""
        # SigLIP was trained on padded sentences, without a mask
        padded = {"padding": "max_length"} if self._output == "pooler_output" else {"padding": True}
        tokens: Any = self._tokenizer(
            sentences, truncation=True, max_length=self._length, return_tensors="pt", **padded
        )
        wanted = ("input_ids",) if self._output == "pooler_output" else ("input_ids", "attention_mask")
        given = {key: tokens[key].to(self.module.device) for key in wanted}
        found = getattr(self.module(**given), self._output).float().cpu().numpy().astype(np.float64)
        unit: Float64[np.ndarray, "n d"] = found / np.linalg.norm(found, axis=1, keepdims=True)
        return unit


def _published(backbone: Backbone) -> tuple[str, dict[str, Any]]:
    """Name and configuration of a checkpoint whose clips and sentences share a space."""
    spec = backbone.spec
    if spec.family not in _CLASSES or not isinstance(spec, VideoSpec):
        raise ConfigError("this model has no text side", where=spec.source, expected=_EXPECTED)
    name, asked = parse_settings(spec.source.partition(":")[2])
    changed = [
        word
        for word, given in (
            ("layer", spec.layer is not None), ("pool", spec.pool is not None), ("time", spec.time != "mean"),
            ("weights", asked.weights is not None), ("a trained head", backbone.head is not None),
        )
        if given
    ]  # fmt: skip
    if changed:
        raise ConfigError(
            "its clips are embedded in another space than sentences", where=spec.source,
            expected=_EXPECTED, got=listed(changed),
        )  # fmt: skip
    config = read_json(name, "config.json") or {}
    if "text_config" not in config:
        raise ConfigError(
            "this checkpoint has no text side, only images", where=spec.source, expected=_EXPECTED
        )
    return name, config
