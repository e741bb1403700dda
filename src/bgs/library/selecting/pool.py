"""The clips to choose from: each there, each once, each with what is asked about it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bgs._errors import DataError, listed
from bgs._typing import Float
from bgs.datasets import Dataset
from bgs.stimuli import StimulusSet
from bgs.stimuli.content_hashes import clip_hashes

if TYPE_CHECKING:
    from bgs.library.index import Index

_HINT = "--skip-bad leaves such clips out"


def require_clips(stimuli: StimulusSet, where: str) -> None:
    """Check that the file of every clip is there, if there are clips at all.

    Raises:
        DataError: one is missing.
    """
    if stimuli.videos is None:
        return
    gone = [
        name for name, path in zip(stimuli.ids, stimuli.videos, strict=True) if not path or not path.is_file()
    ]
    if gone:
        raise DataError(
            f"{len(gone)} of {len(stimuli)} clips are missing: {listed(gone)}", where=where, expected="a file for each",
            hint=stimuli.obtain_clips or _HINT,
        )  # fmt: skip


def copies(hashes: Mapping[str, str]) -> dict[str, str]:
    """Id of a clip whose file is a copy of another's -> the first clip with the same content."""
    first: dict[str, str] = {}
    return {name: first[digest] for name, digest in hashes.items() if first.setdefault(digest, name) != name}


def usable(
    dataset: Dataset, lacking: Mapping[str, Sequence[str]], skip_bad: bool
) -> tuple[Dataset, dict[str, str]]:
    """The data set without clips that are missing, copies of others, or lack a rating; and these, with the reason.

    Raises:
        DataError: there are such clips, and ``skip_bad`` is not set.
    """
    stimuli, left_out = dataset.stimuli, {}
    if skip_bad and stimuli.videos is not None:
        there = [path is not None and path.is_file() for path in stimuli.videos]
        left_out = {name: "no file" for name, found in zip(stimuli.ids, there, strict=True) if not found}
    else:
        require_clips(stimuli, dataset.name)
    twins = copies(clip_hashes(stimuli))
    if twins and not skip_bad:
        name, other = next(iter(twins.items()))
        raise DataError(
            f"{len(twins)} clips are copies of others: {name!r} has the content of {other!r}", where=dataset.name,
            expected="every clip once", hint=_HINT,
        )  # fmt: skip
    if lacking and not skip_bad:
        ratings = listed(dict.fromkeys(name for names in lacking.values() for name in names))
        raise DataError(
            f"{len(lacking)} of {len(stimuli)} clips have no {ratings}: {listed(lacking)}", where=dataset.name,
            expected="a number for every clip", hint=_HINT,
        )  # fmt: skip
    left_out |= {name: f"a copy of {other}" for name, other in twins.items()}
    left_out |= {name: f"no {', '.join(names)}" for name, names in lacking.items()}
    return without(dataset, left_out), left_out


def without(dataset: Dataset, left_out: Mapping[str, object]) -> Dataset:
    """The data set without some stimuli, and without trials.

    Raises:
        DataError: nothing is left.
    """
    kept = [i for i, name in enumerate(dataset.stimuli.ids) if name not in left_out]
    if not kept:
        raise DataError("no clip is left to choose from", where=dataset.name, got=f"{len(left_out)} left out")
    return replace(dataset, stimuli=dataset.stimuli.subset(np.array(kept)), trials=None)


def vectors_of(index: Index, stimuli: StimulusSet) -> Float[np.ndarray, "n d"]:
    """The vectors that an index has of the clips of a data set, which are recognised by their paths.

    Raises:
        DataError: the index is of another folder, lacks a clip, has only pieces of it, or its content has changed since.
    """
    files = [(i, os.path.realpath(clip.path), clip) for i, clip in enumerate(index.clips) if clip.path]
    whole = {path: i for i, path, clip in files if clip.piece.is_whole}
    cut = {path for _, path, clip in files if not clip.piece.is_whole}
    paths = [
        None if path is None else os.path.realpath(path) for path in stimuli.videos or (None,) * len(stimuli)
    ]
    if not any(path in whole or path in cut for path in paths):
        raise DataError(
            "an index of another folder", where=index.place, expected="the clips of the data set",
            got=f"clips of {index.folder or 'arrays'}",
        )  # fmt: skip
    pieces = [
        name for name, path in zip(stimuli.ids, paths, strict=True) if path in cut and path not in whole
    ]
    if pieces:
        raise DataError(
            f"{len(pieces)} clips are in the index only in pieces: {listed(pieces)}", where=index.place,
            expected="whole clips", hint="a study shows whole files: index them with --cut none",
        )  # fmt: skip
    _require_current(index, stimuli, paths, whole)
    return index.vectors[[whole[str(path)] for path in paths]]


def _require_current(
    index: Index, stimuli: StimulusSet, paths: Sequence[str | None], whole: Mapping[str, int]
) -> None:
    digests = clip_hashes(stimuli)
    named = list(zip(stimuli.ids, paths, strict=True))
    stale = [name for name, path in named if path is None or path not in whole]
    changed = [
        name for name, path in named
        if path is not None and path in whole and index.clips[whole[path]].sha256 != digests.get(name)
    ]  # fmt: skip
    for names, what in ((stale, "are not in the index"), (changed, "have changed since they were indexed")):
        if names:
            raise DataError(
                f"{len(names)} clips {what}: {listed(names)}",
                where=index.place,
                hint="bring it up to date: `bgs index`",
            )
