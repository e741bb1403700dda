"""A loaded encoder for users: embeds clips, measures distances and predicts the odd one out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from bgs._errors import ConfigError, DataError
from bgs._typing import Float
from bgs.api.describing import ClipDescription, ClipDescriptions, OddChoice
from bgs.datasets import Dataset
from bgs.embeddings import Embeddings
from bgs.evaluation import model_rdm
from bgs.evaluation.readout import LEVEL, describe, predict_odd
from bgs.library.clip import Neighbour
from bgs.library.cutting import Cutting
from bgs.stimuli import StimulusSet
from bgs.stimuli.unreadable import UnreadableClips

if TYPE_CHECKING:
    from torch import Tensor

    from bgs.library import Index
    from bgs.runs.opened_model import OpenedModel

#: A clip: a file (a sentence, for a text model), or (T, H, W, 3) uint8 frames, shown equally long.
Clip = str | Path | np.ndarray
#: Accepted stimuli: a data set, a stimulus set, files (captions, for a text model), a folder of videos, or pairs of an id and
#: frames from any iterator.
Stimuli = Dataset | StimulusSet | str | Path | Iterable[str | Path | tuple[str, np.ndarray]]


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
            stimuli: a data set or stimulus set; paths of video files (sentences, for a text model), which then
                serve as stimulus ids; a folder of videos, whose ids are paths in it; or an iterator of ids and frames,
                ``(id, (T, H, W, 3) uint8)``, which is read as it comes and may be longer than memory.
            skip_bad: skip unreadable clips, with a note, instead of raising an error.

        Raises:
            DataError: clips cannot be read (all are named), or stimuli lack the captions or clips that the model needs.
        """
        from bgs._progress import note
        from bgs.runs.embedder import Embedder

        found = self._stimuli(stimuli)
        if not isinstance(found, StimulusSet):
            from bgs.runs.frame_source import embed_frames

            return embed_frames(self.backbone, found, self.reference, self.micro_batch, skip_bad)
        embedder = Embedder(self.backbone, found, self.micro_batch, skip_bad)
        for failure in embedder.inputs.failures:
            note(f"skipped: {failure.stimulus_id}: {failure.reason}")
        return embedder.embed(self.reference)

    def embed_tensor(self, clips: Tensor) -> Tensor:
        """Embeddings of clips as floats, with gradient to their pixels; :attr:`center` is not subtracted.

        Args:
            clips: (T, 3, H, W) or (B, T, 3, H, W), values 0–1; any number of frames of any size, shown equally long.

        Returns:
            (D,) or (B, D) float32.

        Raises:
            ConfigError: not a video model.
            DataError: another shape, type or range.
        """
        from bgs.runs.differentiable import tensor_vectors

        return tensor_vectors(self.backbone, clips)

    def embed_layers(self, stimuli: Stimuli) -> list[Embeddings]:
        """Embeddings from every layer, starting with the input of the first block; video models only.

        Raises:
            ConfigError: the model has no layers to choose from.
        """
        from bgs.runs.embedder import Embedder

        found = self._stimuli(stimuli)
        if not isinstance(found, StimulusSet):
            raise DataError(
                "frames have no stimulus set", where="embed_layers", expected="files, or a data set"
            )
        return Embedder(self.backbone, found, self.micro_batch).layers(self.reference)

    @overload
    def distance(self, first: Clip, second: Clip) -> float: ...
    @overload
    def distance(self, first: Tensor, second: Clip | Tensor) -> Tensor: ...
    @overload
    def distance(self, first: Clip, second: Tensor) -> Tensor: ...

    def distance(self, first: Clip | Tensor, second: Clip | Tensor) -> float | Tensor:
        """Cosine distance between two clips, 0 to 2, after subtracting :attr:`center`.

        Args:
            first: a file (a sentence, for a text model); (T, H, W, 3) uint8 frames; or floats, see :meth:`embed_tensor`.
            second: another, of the same kind or not.

        Returns:
            A number; or, given a tensor, a tensor: of no dimensions for two clips, (B,) where either is a batch. Its gradient
            reaches the pixels, as for a perceptual loss; the model's weights get none.

        Raises:
            DataError: a clip cannot be read.
        """
        import torch

        if isinstance(first, torch.Tensor) or isinstance(second, torch.Tensor):
            return self._tensor_distance(first, second)
        _, same, values = self._each([first, second])
        return float(model_rdm(values, "cosine", self.center)[0, 1]) if same[0] != same[1] else 0.0

    def odd_one_out(self, first: Clip, second: Clip, third: Clip) -> OddChoice:
        """Which of three clips people would choose as the odd one, with probabilities if the model was calibrated.

        Clips of frames are called ``clip 1`` to ``clip 3``.
        """
        (a, b, c), same, values = self._each([first, second, third])
        if len({*same}) < 3:
            raise DataError(
                "a clip is given twice", where="odd_one_out", expected="three clips", got=f"{a}, {b}, {c}"
            )
        found = predict_odd((a, b, c), model_rdm(values, "cosine", self.center), self.opened.readout, values)
        return OddChoice(found, self.reference)

    def kept_together(self, first: Clip, second: Clip) -> float:
        """Probability, 0–1, that people keep two clips together, of three of which the third is any clip; chance is 1/3.

        Raises:
            BgsError: the model was not calibrated.
        """
        readout = self.opened.need_readout()
        return float(readout.kept.probability(np.array([self.distance(first, second)]))[0])

    def describe(self, clip: Clip, *, level: float = LEVEL) -> ClipDescription:
        """Predicted ratings of a clip, each with a prediction interval, and whether the clip is like those of the study.

        Args:
            clip: a file (a sentence, for a text model), or (T, H, W, 3) uint8 frames. A long video is taken as one clip;
                :meth:`describe_all` cuts it.
            level: of the intervals, above 0 and below 1.

        Raises:
            BgsError: the model was not calibrated, or the clip cannot be read.
        """
        one = [("clip", clip)] if isinstance(clip, np.ndarray) else [clip]
        return self.describe_all(one, level=level, cutting=Cutting("none"))[0]

    def describe_all(
        self, clips: Stimuli, *, level: float = LEVEL, cutting: Cutting | None = None
    ) -> ClipDescriptions:
        """:meth:`describe` of several clips, which are embedded together, and of the pieces of long videos.

        Args:
            clips: a file, files, a folder of videos, pairs of an id and frames, or a data set, whose clips stay whole.
            level: of the intervals, above 0 and below 1.
            cutting: how videos that are given as files or a folder are cut (default: into shots, as ``bgs index`` does).

        Raises:
            BgsError: the model was not calibrated, or clips cannot be read; all are named.
        """
        readout = self.opened.need_readout()
        if isinstance(clips, str | Path) and not Path(clips).is_dir():
            clips = [clips]
        given = self._stimuli(clips)
        if isinstance(given, StimulusSet) and not isinstance(clips, Dataset | StimulusSet):
            given = self._in_pieces(given, cutting or Cutting())
        spans = given.spans if isinstance(given, StimulusSet) else None
        found = self._embed_every(given)
        described = describe(readout, found.values, found.stimulus_ids, level)
        each = zip(described, spans or (None,) * len(described), strict=True)
        return ClipDescriptions(
            tuple(ClipDescription(one, span and (float(span[0]), float(span[1]))) for one, span in each)
        )

    def similar(self, clip: Clip, index: str | Path | Index, k: int = 10) -> list[Neighbour]:
        """The k clips of an index, made by this model, that are most like one; see :func:`bgs.similar`."""
        from bgs.api.indexing import similar

        return similar(clip, index, k, model=self)

    def _in_pieces(self, files: StimulusSet, cutting: Cutting) -> StimulusSet:
        if files.videos is None:  # sentences
            return files
        return cutting.in_pieces(files.ids, [path for path in files.videos if path is not None])

    def _each(self, clips: Sequence[Clip]) -> tuple[list[str], list[str | int], Float[np.ndarray, "n d"]]:
        """A name, an identity and a vector for each of a few clips of any kind; the same file is read once."""
        names = [f"clip {k}" if isinstance(c, np.ndarray) else str(c) for k, c in enumerate(clips, start=1)]
        same = [k if isinstance(c, np.ndarray) else self._file_identity(c) for k, c in enumerate(clips)]
        frames: dict[Any, Any] = {k: (names[k], clips[k]) for k in same if isinstance(k, int)}
        files: dict[Any, Any] = {
            key: name for key, name in zip(same, names, strict=True) if isinstance(key, str)
        }
        vectors: dict[str | int, np.ndarray] = {}
        for part in (files, frames):
            if part:
                vectors |= zip(part, self._embed_every(list(part.values())).values, strict=True)
        return names, same, np.stack([vectors[key] for key in same])

    def _file_identity(self, clip: str | Path) -> str:
        """The same for two names of one file; a sentence is itself."""
        name = _require_name(clip)
        return name if self.backbone.spec.family == "text" else str(Path(name).resolve())

    def _embed_every(self, stimuli: Stimuli) -> Embeddings:
        """:meth:`embed`, where no clip can be left out: the error does not say how."""
        try:
            return self.embed(stimuli)
        except UnreadableClips as error:
            raise UnreadableClips(error.failures, error.total) from error

    def _tensor_distance(self, first: Clip | Tensor, second: Clip | Tensor) -> Tensor:
        import torch

        from bgs.runs.differentiable import tensor_distance, tensor_vectors

        device = self.backbone.device
        center = (
            None if self.center is None else torch.as_tensor(self.center, dtype=torch.float32, device=device)
        )
        vectors = [
            tensor_vectors(self.backbone, clip)
            if isinstance(clip, torch.Tensor)
            else torch.as_tensor(self._each([clip])[2][0], dtype=torch.float32, device=device)
            for clip in (first, second)
        ]
        return tensor_distance(vectors[0], vectors[1], center)

    def _stimuli(self, given: Stimuli) -> StimulusSet | Iterator[tuple[str, Any]]:
        if isinstance(given, Dataset):
            return given.stimuli
        if isinstance(given, StimulusSet):
            return given
        if isinstance(given, str | Path):
            if Path(given).is_dir():
                return StimulusSet.from_folder(given)
            raise DataError(
                "a single stimulus", where=given, expected="a list of files, a folder, or a data set"
            )
        items = iter(given)
        first = next(items, None)
        if first is None:
            raise DataError("no stimuli", where="embed", expected="one file or more")
        every: Iterator[Any] = chain([first], items)
        if not isinstance(first, str | Path):
            return every
        return self._files(tuple(_require_name(one) for one in every))

    def _files(self, names: tuple[str, ...]) -> StimulusSet:
        if self.backbone.spec.family == "text":
            return StimulusSet(names, captions=tuple((name,) for name in names))
        return StimulusSet(names, videos=tuple(map(Path, names)))


def _require_name(clip: object) -> str:
    """A file or sentence as text."""
    if not isinstance(clip, str | Path):
        raise DataError(
            "not a clip", where="embed", expected="a path, or an array of frames", got=type(clip).__name__
        )
    return str(clip)


def load_model(
    reference: str, *, device: str = "auto", precision: str = "auto", micro_batch: int = 64
) -> Model:
    """Load an encoder, pretrained or tuned.

    Args:
        reference: ``text:minilm``, a short name (``bgs models``), ``<family>:<hub id or folder>``, ``run:<folder>`` for
            the tuned model of a run, or a model that ``bgs share`` wrote: its folder, or its hub id with ``@revision``;
            see :func:`bgs.backbones.load_backbone`.
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
