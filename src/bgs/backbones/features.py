"""``features:FILE``: embeddings that were made elsewhere, as an encoder whose transform can be trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor, nn

from bgs._errors import ConfigError
from bgs.backbones.backbone import Backbone, BackboneSpec, Inputs
from bgs.backbones.known_features import KnownFeatures
from bgs.feature_files import features_of, read_features
from bgs.stimuli import StimulusSet


class FeaturesBackbone(Backbone):
    """``features:FILE[?ids=FILE]``: one vector a stimulus, from safetensors, ``.npy``, HDF5 or Parquet.

    See :func:`bgs.feature_files.read_features` for the formats. It has nothing that LoRA could adapt.

    Raises:
        BgsError: the file cannot be read, or holds something else than one finite vector a stimulus.
    """

    def __init__(self, reference: str) -> None:
        path, _, query = reference.partition("?ids=")
        self._known = read_features(path, query or None)
        # Absolute, so that a run can find its base from any working directory.
        reference = str(Path(path).resolve()) + (f"?ids={Path(query).resolve()}" if query else "")
        self.module = nn.Identity()
        width = self._known.values.shape[1]
        self.spec = BackboneSpec("features", f"features:{reference}", width, self._known.hash())

    def prepare(self, stimuli: StimulusSet, *, skip_bad: bool = False) -> Inputs:
        values = features_of(self._known, stimuli.ids).values
        return KnownFeatures.of_stimuli(values.astype(np.float32))

    def require_readable(self, stimuli: StimulusSet) -> None:
        features_of(self._known, stimuli.ids)

    def features(self, batch: object) -> Float[Tensor, "b d"]:
        raise AssertionError("its inputs are features already")

    def lora_pattern(self, layers: str) -> str:
        raise ConfigError(
            "features have no layers to adapt", where=self.spec.source, expected="lora: null, and a transform"
        )
