"""Clips are decoded exactly: the frames that were on screen, upright, or an error that says what is wrong."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import UInt8

from bgs.stimuli.resizing import fit
from bgs.stimuli.sampling import Sampling
from bgs.stimuli.unreadable import UnreadableClip

Decoder = Literal["pyav", "torchcodec"]

#: What else a path may lead to.
_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}


def decode(path: str | Path, sampling: Sampling, decoder: Decoder = "pyav") -> UInt8[np.ndarray, "t s s 3"]:
    """Read the frames of a clip.

    Frames are chosen by presentation time in exact arithmetic, so variable frame rates come out right. Pictures are
    turned and mirrored as the file asks; non-square pixels stay. Without a span the whole file is checked, what
    lies between the chosen frames too.

    Args:
        path: a file of any format FFmpeg reads; its first video stream counts.
        sampling: which frames, and their size.
        decoder: ``pyav``, or ``torchcodec``, which does not check the payload for damage.

    Returns:
        (T, S, S, 3) uint8, red, green, blue.

    Raises:
        UnreadableClip: the file is missing, empty, no regular file, no video, truncated, damaged, without pictures,
            of no duration, shorter than the span, to be shown slanted, or a single picture where several are asked
            for; or pictures cannot be decoded because those they are built on are not there, as in a clip that
            starts in the middle of a group of pictures.
        MissingExtraError: the decoder is not installed.
    """
    path = Path(path)
    check_file(path)
    if decoder == "torchcodec":
        from bgs.stimuli import torchcodec_decoder as reader
    else:
        from bgs.stimuli import pyav_decoder as reader  # type: ignore[no-redef]
    return np.stack([fit(picture, sampling) for picture in reader.read_pictures(path, sampling)])


def check_file(path: Path) -> None:
    """Whether there is anything to decode; a pipe or a device, which may never end, is not even opened.

    Raises:
        UnreadableClip: the file is missing, empty, no regular file, or may not be read.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise UnreadableClip(f"{_KINDS.get(stat.S_IFMT(mode), 'a device')}, no file", path)
        with path.open("rb") as stream:
            if not stream.read(1):
                raise UnreadableClip("empty file", path)
    except OSError as error:
        raise UnreadableClip(error.strerror or str(error), path) from error
    except ValueError as error:  # a character that no file name can have
        raise UnreadableClip(str(error), repr(str(path))) from error
