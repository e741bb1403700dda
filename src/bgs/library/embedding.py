"""Embeds files and arrays for an index: cut into pieces, read through the frame cache, centred, of length 1."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bgs._errors import ConfigError, DataError
from bgs._progress import note
from bgs._typing import Float
from bgs.backbones import embed
from bgs.backbones.clip_reader import ClipReader
from bgs.library.clip import Piece
from bgs.library.cutting import Cutting
from bgs.library.index import unit
from bgs.runs.frame_source import embed_fitted, fitted_clip
from bgs.runs.opened_model import OpenedModel
from bgs.stimuli import StimulusSet
from bgs.stimuli.unreadable import Failure, UnreadableClips

#: The pieces of a file and their vectors, (pieces, d), or the reason why there are none.
Embedded = tuple[list[Piece], np.ndarray] | str


def require_video(model: OpenedModel) -> ClipReader:
    """The encoder of a model, if it reads clips.

    Raises:
        ConfigError: it reads something else.
    """
    if not isinstance(model.backbone, ClipReader):
        expected = "a video model (`bgs models list`)"
        raise ConfigError("this model does not read videos", where=model.reference, expected=expected)
    return model.backbone


def embed_files(
    model: OpenedModel, paths: Sequence[Path], cutting: Cutting, micro_batch: int = 64
) -> list[Embedded]:
    """The pieces of each file and their vectors. A file of which a piece cannot be read has none."""
    cut = cutting.pieces_of_each(paths)
    pieces = [(i, piece) for i, found in enumerate(cut) if not isinstance(found, str) for piece in found]
    stimuli = StimulusSet(
        tuple(str(number) for number in range(len(pieces))),
        videos=tuple(paths[i] for i, _ in pieces),
        spans=tuple(piece.span for _, piece in pieces),
    )
    vectors, failures = _vectors(model, stimuli, micro_batch)
    reasons = {i: found for i, found in enumerate(cut) if isinstance(found, str)}
    for failure in failures:
        i, piece = pieces[int(failure.stimulus_id)]
        reasons.setdefault(
            i, failure.reason if piece.is_whole else f"{piece.id_in('')[1:]}: {failure.reason}"
        )
    rows: dict[int, list[int]] = {i: [] for i in range(len(paths))}
    for number, (i, _) in enumerate(pieces):
        rows[i].append(number)
    return [
        reasons[i] if i in reasons else ([pieces[row][1] for row in rows[i]], vectors[rows[i]])
        for i in range(len(paths))
    ]


def embed_arrays(
    model: OpenedModel, clips: Sequence[tuple[str, object]], micro_batch: int = 64
) -> Float[np.ndarray, "n d"]:
    """Vectors of clips given as a name and (t, h, w, 3) uint8 frames, equally long on screen.

    Raises:
        DataError: one is something else.
    """
    reader = require_video(model)
    frames = np.stack([fitted_clip(name, clip, reader.sampling()) for name, clip in clips])
    return _directions(model, embed_fitted(reader, frames, micro_batch))


def _vectors(
    model: OpenedModel, stimuli: StimulusSet, micro_batch: int
) -> tuple[Float[np.ndarray, "n d"], tuple[Failure, ...]]:
    """(n, d) vectors; the rows of the failures are zeros."""
    vectors = np.zeros((len(stimuli), model.backbone.width), np.float32)
    if not len(stimuli):
        return vectors, ()
    backbone = model.backbone
    try:
        inputs = backbone.prepare(stimuli, skip_bad=True)
    except UnreadableClips as error:  # none of them can be read
        return vectors, error.failures
    note(*backbone.notes)
    readable = np.unique(inputs.owner)
    vectors[readable] = _directions(model, embed(backbone, inputs, readable, micro_batch))
    return vectors, tuple(inputs.failures)


def _directions(model: OpenedModel, values: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """What an index holds of embeddings: centred, and of length 1."""
    if not np.isfinite(values).all():
        raise DataError(
            "an embedding is not finite: the weights of this model are damaged", where=model.reference
        )
    return unit(model.centred(values)).astype(np.float32)
