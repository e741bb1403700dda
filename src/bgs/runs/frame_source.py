"""Clips that are arrays of frames, from a camera, a generator or any iterator: embedded as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
from jaxtyping import UInt8

from bgs._errors import DataError
from bgs._progress import note, progress_bar
from bgs._typing import Float
from bgs.backbones import Backbone, VideoInputs, embed
from bgs.backbones.clip_reader import ClipReader
from bgs.embeddings import Embeddings
from bgs.runs.embedder import described
from bgs.stimuli import Sampling, StimulusSet
from bgs.stimuli.resizing import fit_frames

Frames = UInt8[np.ndarray, "t h w 3"]


def embed_frames(
    backbone: Backbone,
    clips: Iterable[tuple[str, Frames]],
    source: str,
    micro_batch: int = 64,
    skip_bad: bool = False,
) -> Embeddings:
    """One vector per clip; only a micro-batch of clips, resized, is in memory at a time.

    Args:
        backbone: a model that reads clips.
        clips: ids, and (T, H, W, 3) uint8 RGB frames, shown equally long, of any number and size.
        source: the model reference.
        micro_batch: clips per forward pass.
        skip_bad: skip clips that are not such frames, with a note.

    Raises:
        DataError: the model reads no clips, a clip is not such frames, an id is repeated, or there are none.
    """
    if not isinstance(backbone, ClipReader):
        raise DataError("this model reads no frames", where=source, expected="a model of video clips")
    ids, parts, waiting = [], [], iter(_fitted(clips, backbone.sampling(), skip_bad))
    with progress_bar() as bar:
        task = bar.add_task("embedding", total=None)
        while batch := list(islice(waiting, micro_batch)):
            ids += [name for name, _ in batch]
            parts.append(embed_fitted(backbone, np.stack([frames for _, frames in batch]), micro_batch))
            bar.advance(task, len(batch))
    if not parts:
        raise DataError("no clips", where="embed", expected="one clip or more")
    return described(np.concatenate(parts), StimulusSet(tuple(ids)), backbone, source)


def require_moving(count: int, sampling: Sampling, where: str) -> None:
    """Refuse a single picture where several frames are needed, as for a file.

    Raises:
        DataError: it is one.
    """
    if count == 1 and sampling.frames > 1:
        raise DataError(f"a single picture, but {sampling.frames} frames are requested", where=where)


def embed_fitted(
    backbone: ClipReader, frames: UInt8[np.ndarray, "c t s s 3"], micro_batch: int
) -> Float[np.ndarray, "c d"]:
    """(c, d) embeddings of clips whose frames are chosen and fitted already; see :func:`bgs.stimuli.resizing.fit_frames`."""
    positions = np.arange(len(frames))
    inputs = VideoInputs(frames, positions, symmetry=backbone.symmetry())
    return embed(backbone, inputs, positions, micro_batch)


def _fitted(
    clips: Iterable[tuple[str, Frames]], sampling: Sampling, skip_bad: bool
) -> Iterator[tuple[str, UInt8[np.ndarray, "t s s 3"]]]:
    """Chosen frames, resized and cropped as those of a file are."""
    for item in clips:
        name, frames = as_pair(item)
        try:
            yield name, fitted_clip(name, frames, sampling)
        except DataError as error:
            if not skip_bad:
                raise
            note(f"skipped: {error}")


def fitted_clip(name: str, given: object, sampling: Sampling) -> UInt8[np.ndarray, "t s s 3"]:
    """The frames that a model sees of a clip that somebody gives.

    Raises:
        DataError: it is not the frames of a clip, or a single one.
    """
    frames = as_frames(name, given)
    require_moving(len(frames), sampling, name)
    return fit_frames(frames, sampling)


def as_frames(name: str, given: object) -> Frames:
    """What is given as a clip, as an array.

    Raises:
        DataError: it is not (T, H, W, 3) uint8.
    """
    try:
        frames = np.asarray(given)
    except (ValueError, TypeError, RuntimeError) as error:  # ragged lists, or tensors on another device
        raise DataError(f"not the frames of a clip: {error}", where=name) from error
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or not frames.size:
        raise DataError(
            "not the frames of a clip", where=name, expected="uint8 of shape (T, H, W, 3)",
            got=f"{frames.dtype} of shape {frames.shape}",
        )  # fmt: skip
    return frames


def as_pair(item: object) -> tuple[str, object]:
    """An id and what is given as its frames.

    Raises:
        DataError: it is something else.
    """
    if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str):
        return item
    raise DataError(
        "not a clip", where=repr(item)[:60], expected="pairs of an id and frames, or a folder of videos",
        got=type(item).__name__,
    )  # fmt: skip
