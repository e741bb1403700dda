"""Clips like a given one: an indexed clip, or any file, which is then embedded by the model of the index."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bgs._errors import DataError, listed
from bgs._files import sha256
from bgs._progress import note
from bgs._typing import Float
from bgs.library.clip import Clip, Neighbour
from bgs.library.index import Index
from bgs.stimuli.decoding import check_file
from bgs.stimuli.unreadable import Failure, UnreadableClip, UnreadableClips

if TYPE_CHECKING:
    from bgs.runs.opened_model import OpenedModel


def similar(
    clip: str | Path | np.ndarray,
    index: Index,
    k: int = 10,
    open_model: Callable[[], OpenedModel] | None = None,
) -> list[Neighbour]:
    """The clips of an index that are most like a given one, nearest first.

    Args:
        clip: id of an indexed clip; or a file, indexed or not; or (t, h, w, 3) uint8 frames.
        index: see :func:`bgs.library.open_index`.
        k: how many.
        open_model: opens the model of the index; called only if the clip has to be embedded. Default: by its reference.

    Returns:
        At most k clips, without the clip itself (copies of it under other names are listed, at distance 0), with the
        probability that people keep the two together if the model was calibrated.

    Raises:
        DataError: the clip is neither indexed nor a file, or has gone since it was indexed; or the model has changed since.
    """
    if not isinstance(clip, str | Path):
        found = _by_model(clip, index, k, frozenset(), open_model)
    elif str(clip) in index.positions:
        found = index.nearest(index.vector(str(clip)), k, but={str(clip)})
    else:
        found = _like_file(Path(clip), index, k, open_model)
    _tell_of_vanished(index, found)
    return _with_probabilities(found, index)


def _with_probabilities(found: list[Neighbour], index: Index) -> list[Neighbour]:
    """How likely people are to keep each together with the clip, if the model of the index was calibrated."""
    if not found or index.readout is None:
        return found
    together = index.readout.kept.probability(np.array([one.distance for one in found]))
    return [replace(one, kept_together=float(p)) for one, p in zip(found, together, strict=True)]


def _like_file(
    path: Path, index: Index, k: int, open_model: Callable[[], OpenedModel] | None
) -> list[Neighbour]:
    if not os.path.exists(path):  # which, unlike Path.exists, takes any text
        for clip in index.clips:
            if clip.path == Path(os.path.abspath(path)):
                clip.file()  # says that it has gone
        raise DataError("no such clip", where=path, expected=f"a file, or an id of {index.place}")
    itself = {clip.id for clip in index.clips if clip.path in (path.absolute(), path.resolve())}
    try:
        check_file(path)
    except UnreadableClip as error:
        raise UnreadableClips([Failure(str(path), error.reason)], 1) from error
    digest = sha256(path)
    same = next((clip for clip in index.clips if clip.sha256 == digest and clip.piece.is_whole), None)
    if same is not None:
        return index.nearest(index.vector(same.id), k, but=itself)
    return _by_model(path, index, k, itself, open_model)


def _by_model(
    clip: Path | np.ndarray,
    index: Index,
    k: int,
    but: frozenset[str] | set[str],
    open_model: Callable[[], OpenedModel] | None,
) -> list[Neighbour]:
    model = open_model() if open_model else _model_of(index)
    if model.identity != index.identity:
        raise DataError(
            "the model has changed since this index was made", where=index.place,
            expected=f"{index.model_reference} (identity {index.identity[:12]})",
            got=f"{model.reference} (identity {model.identity[:12]})", hint="make a new index with `bgs index`",
        )  # fmt: skip
    return index.nearest(_vector(model, clip), k, but)


def _vector(model: OpenedModel, clip: Path | np.ndarray) -> Float[np.ndarray, " d"]:
    from bgs.library.cutting import Cutting
    from bgs.library.embedding import embed_arrays, embed_files

    if not isinstance(clip, Path):
        vectors = embed_arrays(model, [("clip", clip)])
    else:
        (found,) = embed_files(model, [clip], Cutting("none"))
        if isinstance(found, str):
            raise UnreadableClips([Failure(str(clip), found)], 1)
        vectors = found[1]
    vector: Float[np.ndarray, " d"] = vectors[0]
    return vector


def _model_of(index: Index) -> OpenedModel:
    from bgs.runs.opened_model import open_model

    return open_model(index.model_reference)


def _tell_of_vanished(index: Index, found: list[Neighbour]) -> None:
    clips = [index.clips[index.positions[one.id]] for one in found]
    gone = [clip.id for clip in clips if _has_gone(clip)]
    if gone:
        note(
            f"{len(gone)} of these clips have gone since they were indexed: {listed(gone)} (run `bgs index` again)"
        )


def _has_gone(clip: Clip) -> bool:
    return clip.path is not None and not clip.path.exists()
