"""An encoder as a user has it: it embeds clips, says how far apart two are, and which of three is the odd one out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bgs._errors import ConfigError, DataError
from bgs._typing import Float64
from bgs.datasets import Dataset
from bgs.embeddings import Embeddings
from bgs.evaluation import model_rdm
from bgs.runs.run_folder import RunFolder
from bgs.stimuli import StimulusSet

if TYPE_CHECKING:
    from bgs.backbones import Backbone

#: Stimuli as they can be given: a data set, a set, or files (captions, for a model that reads those).
Stimuli = Dataset | StimulusSet | Sequence[str | Path]


class Model:
    """A loaded encoder.

    Attributes:
        reference: how it was asked for.
        backbone: the encoder itself.
        micro_batch: captions or clips that are encoded at a time.
        center: (d,) what is taken off an embedding before distances are measured: for a run that was measured so, the mean
            of its training clips. None: nothing.
    """

    def __init__(self, reference: str, backbone: Backbone, micro_batch: int = 64) -> None:
        self.reference, self.backbone, self.micro_batch = reference, backbone, micro_batch
        family, _, folder = reference.partition(":")
        self.center: Float64[np.ndarray, " d"] | None = (
            RunFolder(folder).read_center() if family == "run" else None
        )

    def __repr__(self) -> str:
        return f"Model({self.reference!r}, {self.backbone.width} dimensions, on {self.backbone.device})"

    def embed(self, stimuli: Stimuli, *, skip_bad: bool = False) -> Embeddings:
        """One vector a stimulus.

        Args:
            stimuli: a data set or stimulus set; or paths of video files (sentences, for a text model), which are then
                known by these names.
            skip_bad: leave clips out that cannot be read, with a note, instead of refusing all.

        Raises:
            DataError: clips that cannot be read, all named, or stimuli without what the model reads.
        """
        from bgs._progress import note
        from bgs.runs.embedder import Embedder

        embedder = Embedder(self.backbone, self._stimuli(stimuli), self.micro_batch, skip_bad)
        for failure in embedder.inputs.failures:
            note(f"left out: {failure.stimulus_id}: {failure.reason}")
        return embedder.embed(self.reference)

    def embed_layers(self, stimuli: Stimuli) -> list[Embeddings]:
        """The same from every layer, the first being what goes into the first block; video models only.

        Raises:
            ConfigError: the model has no layers to choose from.
        """
        from bgs.runs.embedder import Embedder

        return Embedder(self.backbone, self._stimuli(stimuli), self.micro_batch).layers(self.reference)

    def distance(self, first: str | Path, second: str | Path) -> float:
        """Cosine distance of two clips, 0 (alike) to 2, after :attr:`center` is taken off."""
        return float(self._distances([first, second])[0, 1])

    def odd_one_out(self, first: str | Path, second: str | Path, third: str | Path) -> str:
        """The one of three clips that the most similar pair leaves out; of pairs that tie, the first as given counts."""
        clips = [first, second, third]
        distances = self._distances(clips).round(12)
        pair = min(combinations(range(3), 2), key=lambda pair: distances[pair])
        return str(clips[3 - sum(pair)])

    def _distances(self, clips: Sequence[str | Path]) -> Float64[np.ndarray, "m m"]:
        distances: Float64[np.ndarray, "m m"] = model_rdm(self.embed(clips).values, "cosine", self.center)
        return distances

    def _stimuli(self, given: Stimuli) -> StimulusSet:
        if isinstance(given, Dataset):
            return given.stimuli
        if isinstance(given, StimulusSet):
            return given
        if isinstance(given, str | Path):
            raise DataError("one stimulus alone", where=given, expected="a list of files, or a data set")
        names = tuple(map(str, given))
        if self.backbone.spec.family == "text":
            return StimulusSet(names, captions=tuple((name,) for name in names))
        return StimulusSet(names, videos=tuple(map(Path, names)))


def load_model(
    reference: str, *, device: str = "auto", precision: str = "auto", micro_batch: int = 64
) -> Model:
    """Load an encoder, pretrained or tuned.

    Args:
        reference: ``text:minilm``, a short name (``bgs models``), ``<family>:<hub id or folder>``, or ``run:<folder>`` for
            what a run has tuned; see :func:`bgs.backbones.load_backbone`.
        device: ``cpu``, ``cuda``, …; ``auto`` is CUDA where there is one.
        precision: ``fp32``, ``bf16``, or ``auto``: bf16 on CUDA devices that have it.
        micro_batch: captions or clips encoded at a time.

    Raises:
        ConfigError: no such model, device or precision.
        BgsError: it cannot be loaded.
    """
    from bgs.runs.embedder import open_backbone

    if micro_batch < 1:
        raise ConfigError("out of range", where="micro_batch", expected="1 or more", got=micro_batch)
    return Model(reference, open_backbone(reference, device, precision), micro_batch)
