"""Exact decoding of clips: the frames on screen at given moments, upright, or an error that says what is wrong."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import UInt8

from bgs.stimuli.resizing import fit, shrink
from bgs.stimuli.sampling import Sampling
from bgs.stimuli.unreadable import UnreadableClip

Decoder = Literal["pyav", "torchcodec"]

#: Types of paths other than regular files.
_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}


def decode(path: str | Path, sampling: Sampling, decoder: Decoder = "pyav") -> UInt8[np.ndarray, "t s s 3"]:
    """Decode the frames of a clip.

    Frames are chosen by presentation time in exact arithmetic, so variable frame rates are handled correctly. Frames are
    rotated and mirrored as the file specifies; non-square pixels are kept. Without a span, the whole file is checked,
    but for H.264 pictures that are neither chosen nor needed to predict others: these are not decoded.

    Args:
        path: a file of any format FFmpeg can read; its first video stream is used.
        sampling: which frames, and their size.
        decoder: ``pyav``, or ``torchcodec``, which does not check the payload for damage.

    Returns:
        (T, S, S, 3) uint8 RGB.

    Raises:
        UnreadableClip: the file is missing, empty, not a regular file, not a video, truncated, damaged, without frames,
            of zero duration, shorter than the span, rotated by an angle other than a multiple of 90°, or a single
            picture where several frames are requested; or reference frames are missing, as in a clip that
            starts in the middle of a group of pictures.
        MissingExtraError: the decoder is not installed.
    """
    path = Path(path)
    check_file(path)
    if decoder == "torchcodec":
        from bgs.stimuli import torchcodec_decoder as reader
    else:
        from bgs.stimuli import pyav_decoder as reader  # type: ignore[no-redef]
    pictures = _stretch(path, sampling) if decoder == "pyav" else None
    if pictures is None:
        pictures = reader.read_pictures(path, sampling)
    return fit(pictures, sampling)


def _stretch(path: Path, sampling: Sampling) -> list[UInt8[np.ndarray, "h w 3"]] | None:
    """The pictures of a span far from the beginning; None if it is not far, or can only be reached from there."""
    from bgs.stimuli.pyav_stretch import FIRST_ENTRY, read_stretch

    if sampling.span is None or sampling.span[0] < FIRST_ENTRY:
        return None
    return read_stretch(path, sampling)


def whole_frames(
    path: str | Path, side: int, count: int | None = None
) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """Whole frames of a clip, one at a time, without the crop of an encoder.

    Args:
        path: a file of any format FFmpeg can read.
        side: larger frames are resized to this shorter side, in pixels.
        count: the frames on screen in the middle of this many equal parts of the clip; None: as many as it has frames,
            which are all of them if they are shown equally long.

    Yields:
        (h, w, 3) uint8 RGB, all of one size.

    Raises:
        UnreadableClip: as :func:`decode`, before the first frame.
        MissingExtraError: the decoder is not installed.
    """
    from bgs.stimuli.pyav_decoder import each_picture

    check_file(Path(path))
    for picture in each_picture(Path(path), count):
        yield shrink(picture, side)


def check_file(path: Path) -> None:
    """Check that a path is a nonempty regular file; pipes and devices, which may never end, are not opened.

    Raises:
        UnreadableClip: the file is missing, empty, not a regular file, or not readable.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise UnreadableClip(f"{_KINDS.get(stat.S_IFMT(mode), 'a device')}, not a file", path)
        with path.open("rb") as stream:
            if not stream.read(1):
                raise UnreadableClip("empty file", path)
    except OSError as error:
        raise UnreadableClip(error.strerror or str(error), path) from error
    except ValueError as error:  # a character that is not allowed in file names
        raise UnreadableClip(str(error), repr(str(path))) from error
