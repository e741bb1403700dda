"""A loaded encoder for users: embeds clips, measures distances and predicts the odd one out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bgs._errors import ConfigError, DataError
from bgs._typing import Float64
from bgs.api.describing import ClipDescription, OddChoice
from bgs.datasets import Dataset
from bgs.embeddings import Embeddings
from bgs.evaluation import model_rdm
from bgs.evaluation.readout import LEVEL, describe, predict_odd
from bgs.stimuli import StimulusSet

if TYPE_CHECKING:
    from bgs.runs.opened_model import OpenedModel

#: Accepted stimuli: a data set, a stimulus set, or files (captions, for a text model).
Stimuli = Dataset | StimulusSet | Sequence[str | Path]


class Model:
    """A loaded encoder.

    Attributes:
        reference: the model reference it was loaded from.
        backbone: the encoder itself.
        micro_batch: captions or clips per forward pass.
        center: (d,) subtracted from embeddings before distances are computed: the mean of the training clips, for a run
            that was evaluated with centring. None: nothing is subtracted.
    """

    def __init__(self, opened: OpenedModel, micro_batch: int = 64) -> None:
        self.opened, self.micro_batch = opened, micro_batch
        self.reference, self.backbone, self.center = opened.reference, opened.backbone, opened.center

    def __repr__(self) -> str:
        return f"Model({self.reference!r}, {self.backbone.width} dimensions, on {self.backbone.device})"

    def embed(self, stimuli: Stimuli, *, skip_bad: bool = False) -> Embeddings:
        """One vector per stimulus.

        Args:
            stimuli: a data set or stimulus set; or paths of video files (sentences, for a text model), which then
                serve as stimulus ids.
            skip_bad: skip unreadable clips, with a note, instead of raising an error.

        Raises:
            DataError: clips cannot be read (all are named), or stimuli lack the captions or clips that the model needs.
        """
        from bgs._progress import note
        from bgs.runs.embedder import Embedder

        embedder = Embedder(self.backbone, self._stimuli(stimuli), self.micro_batch, skip_bad)
        for failure in embedder.inputs.failures:
            note(f"skipped: {failure.stimulus_id}: {failure.reason}")
        return embedder.embed(self.reference)

    def embed_layers(self, stimuli: Stimuli) -> list[Embeddings]:
        """Embeddings from every layer, starting with the input of the first block; video models only.

        Raises:
            ConfigError: the model has no layers to choose from.
        """
        from bgs.runs.embedder import Embedder

        return Embedder(self.backbone, self._stimuli(stimuli), self.micro_batch).layers(self.reference)

    def distance(self, first: str | Path, second: str | Path) -> float:
        """Cosine distance between two clips, 0 to 2, after subtracting :attr:`center`."""
        return float(self._distances([first, second])[0, 1])

    def odd_one_out(self, first: str | Path, second: str | Path, third: str | Path) -> OddChoice:
        """Which of three clips people would choose as the odd one, with probabilities if the model was calibrated."""
        embeddings = self.embed([first, second, third])
        rdm = model_rdm(embeddings.values, "cosine", self.center)
        a, b, c = embeddings.stimulus_ids
        found = predict_odd((a, b, c), rdm, self.opened.readout, embeddings.values)
        return OddChoice(found, self.reference)

    def kept_together(self, first: str | Path, second: str | Path) -> float:
        """Probability, 0–1, that people keep two clips together, of three of which the third is any clip; chance is 1/3.

        Raises:
            BgsError: the model was not calibrated.
        """
        readout = self.opened.need_readout()
        return float(readout.kept.probability(np.array([self.distance(first, second)]))[0])

    def describe(self, clip: str | Path, *, level: float = LEVEL) -> ClipDescription:
        """Predicted ratings of a clip, each with a prediction interval, and whether the clip is like those of the study.

        Args:
            clip: a file (a sentence, for a text model).
            level: of the intervals, above 0 and below 1.

        Raises:
            BgsError: the model was not calibrated, or the clip cannot be read.
        """
        return self.describe_all([clip], level=level)[0]

    def describe_all(self, clips: Stimuli, *, level: float = LEVEL) -> list[ClipDescription]:
        """:meth:`describe` of several clips, which are embedded together."""
        readout = self.opened.need_readout()
        found = self.embed(clips)
        return [ClipDescription(one) for one in describe(readout, found.values, found.stimulus_ids, level)]

    def _distances(self, clips: Sequence[str | Path]) -> Float64[np.ndarray, "m m"]:
        distances: Float64[np.ndarray, "m m"] = model_rdm(self.embed(clips).values, "cosine", self.center)
        return distances

    def _stimuli(self, given: Stimuli) -> StimulusSet:
        if isinstance(given, Dataset):
            return given.stimuli
        if isinstance(given, StimulusSet):
            return given
        if isinstance(given, str | Path):
            raise DataError("a single stimulus", where=given, expected="a list of files, or a data set")
        names = tuple(map(str, given))
        if not names:
            raise DataError("no stimuli", where="embed", expected="one file or more")
        if self.backbone.spec.family == "text":
            return StimulusSet(names, captions=tuple((name,) for name in names))
        return StimulusSet(names, videos=tuple(map(Path, names)))


def load_model(
    reference: str, *, device: str = "auto", precision: str = "auto", micro_batch: int = 64
) -> Model:
    """Load an encoder, pretrained or tuned.

    Args:
        reference: ``text:minilm``, a short name (``bgs models``), ``<family>:<hub id or folder>``, or ``run:<folder>`` for
            the tuned model of a run; see :func:`bgs.backbones.load_backbone`.
        device: ``cpu``, ``cuda``, …; ``auto`` is CUDA if available.
        precision: ``fp32``, ``bf16``, or ``auto``: bf16 on CUDA devices that support it.
        micro_batch: captions or clips per forward pass.

    Raises:
        ConfigError: no such model, device or precision.
        BgsError: the model cannot be loaded.
    """
    from bgs.runs.opened_model import open_model

    if micro_batch < 1:
        raise ConfigError("out of range", where="micro_batch", expected="1 or more", got=micro_batch)
    return Model(open_model(reference, device, precision), micro_batch)
