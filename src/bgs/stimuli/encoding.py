"""Pictures become a video file."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from bgs._errors import ConfigError
from bgs._files import atomic_path
from bgs._optional import require

if TYPE_CHECKING:
    from av.container import OutputContainer

#: Most pixels along a side of what is drawn, and most pictures a second that are written.
LARGEST_SIDE, FASTEST = 2048, 240


def write_video(
    path: str | Path,
    pictures: Iterable[UInt8[np.ndarray, "h w 3"]],
    fps: int,
    quality: int = 16,
    preset: str = "medium",
    threads: int = 0,
) -> None:
    """Write H.264 in an mp4 file, whole or not at all.

    Args:
        path: file to write.
        pictures: at least one, all of one size with even sides.
        fps: pictures a second.
        quality: x264's constant rate factor: 0 is lossless, 16 looks so, 23 is usual on the web.
        preset: x264's, from ultrafast (large files) to veryslow.
        threads: of the encoder; 0 leaves it to x264. Small pictures are encoded faster by one.

    Raises:
        ConfigError: an odd side, an impossible rate, or no picture.
        MissingExtraError: PyAV is not installed.
    """
    av = require("av", "video")
    check_rate(fps)
    options = {"crf": str(quality), "preset": preset, "threads": str(threads)}
    with atomic_path(path) as temporary:
        # The table of contents goes to the front, so that a clip plays while it is still being loaded.
        layout = {"movflags": "faststart"}
        with av.open(str(temporary), "w", format="mp4", options=layout) as container:
            _encode(path, container, pictures, fps, options)


def check_rate(fps: int) -> None:
    """Whether a video can have this many pictures a second.

    Raises:
        ConfigError: it cannot.
    """
    if not 1 <= fps <= FASTEST:
        raise ConfigError("impossible rate", expected=f"1 to {FASTEST} pictures a second", got=fps)


def check_side(size: int, least: int = 2, greatest: int = LARGEST_SIDE) -> None:
    """Whether square pictures of this size can be drawn and written; asked before the first takes its memory.

    Raises:
        ConfigError: they cannot.
    """
    if size % 2 or not least <= size <= greatest:
        expected = f"an even number of pixels from {least} to {greatest}"
        raise ConfigError("impossible size", expected=expected, got=size)


def _encode(
    path: str | Path,
    container: OutputContainer,
    pictures: Iterable[np.ndarray],
    fps: int,
    options: dict[str, str],
) -> None:
    av = require("av", "video")
    stream = None
    for number, picture in enumerate(pictures):
        if stream is None:
            height, width = picture.shape[:2]
            if height % 2 or width % 2:
                raise ConfigError("odd size", where=path, expected="even sides", got=f"{width} × {height}")
            stream = container.add_stream("libx264", rate=fps, options=options)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, fps)
        container.mux(stream.encode(frame))
    if stream is None:
        raise ConfigError("no picture to write", where=path)
    container.mux(stream.encode())
