"""Indexes a library of clips, and finds clips alike in it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bgs._errors import DataError
from bgs.api.model import Model, load_model
from bgs.datasets import Dataset
from bgs.library.clip import Neighbour
from bgs.library.cutting import Cutting
from bgs.library.index import Index, open_index

if TYPE_CHECKING:
    from bgs.runs.opened_model import OpenedModel


def index(
    source: str | Path | Dataset | Iterable[tuple[str, np.ndarray]],
    model: str | Model,
    out: str | Path,
    *,
    cutting: Cutting | None = None,
    skip_bad: bool = False,
    micro_batch: int = 64,
) -> Index:
    """Index a library of clips, or bring its index up to date, and open it.

    Args:
        source: a folder of videos; a data set, which stands for the folder that holds its clips; or an iterable of (id,
            frames) pairs, such as a camera or the output of a generator, with (t, h, w, 3) uint8 frames of equal duration.
        model: a video model, or its reference.
        out: folder of the index, or a URI of object storage as LanceDB takes it; new, or an index made by the same model.
        cutting: how long videos of a folder are cut (default: into shots; see :class:`bgs.library.cutting.Cutting`).
        skip_bad: files that cannot be read are no error.
        micro_batch: clips per forward pass.

    Raises:
        DataError: files cannot be read (all are named, and the others are indexed), or ``out`` is something else.
        BgsError: another process is writing to this index.
    """
    from bgs.library.indexing import index_arrays, index_folder

    if isinstance(source, Dataset):
        source = _folder_of(source)
    opened = _opened(model)
    if isinstance(source, str | Path):
        index_folder(source, opened, out, cutting, micro_batch=micro_batch, skip_bad=skip_bad)
    else:
        index_arrays(source, opened, out, micro_batch=micro_batch)
    return open_index(out)


def similar(
    clip: str | Path | np.ndarray, index: str | Path | Index, k: int = 10, *, model: str | Model | None = None
) -> list[Neighbour]:
    """The k indexed clips that are most like one, nearest first.

    Args:
        clip: id of an indexed clip; a file, indexed or not; or (t, h, w, 3) uint8 frames.
        index: an index, or where it lies.
        k: how many.
        model: the model of the index, if it is loaded already; otherwise it is loaded if the clip is not indexed.

    Raises:
        DataError: no such clip, it cannot be read, or the model is another than that of the index.
    """
    from bgs.library import searching

    opened = index if isinstance(index, Index) else open_index(index)
    return searching.similar(clip, opened, k, None if model is None else lambda: _opened(model))


def _folder_of(data: Dataset) -> Path:
    """The folder that holds all clips of a data set."""
    videos = [path.absolute() for path in data.stimuli.videos or () if path is not None]
    if not videos:
        raise DataError("no clips to index", where=data.name, hint=data.stimuli.obtain_clips)
    return Path(os.path.commonpath([path.parent for path in videos]))


def _opened(model: str | Model) -> OpenedModel:
    return (model if isinstance(model, Model) else load_model(model)).opened
