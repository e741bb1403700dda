"""Video encoding."""

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

#: Maximum side of rendered frames in pixels, and maximum frame rate of written videos.
LARGEST_SIDE, FASTEST = 2048, 240


def write_video(
    path: str | Path,
    pictures: Iterable[UInt8[np.ndarray, "h w 3"]],
    fps: int,
    quality: int = 16,
    preset: str = "medium",
    threads: int = 0,
) -> None:
    """Write an H.264 mp4 file, atomically.

    Args:
        path: file to write.
        pictures: at least one frame, all of the same size with even sides.
        fps: frames per second.
        quality: x264's constant rate factor: 0 is lossless, 16 visually lossless, 23 common on the web.
        preset: x264's preset, from ultrafast (large files) to veryslow.
        threads: threads of the encoder; 0 lets x264 choose. Small frames are encoded faster with one.

    Raises:
        ConfigError: a side is odd, the rate is out of range, or there are no frames.
        MissingExtraError: PyAV is not installed.
    """
    av = require("av", "video")
    check_rate(fps)
    options = {"crf": str(quality), "preset": preset, "threads": str(threads)}
    with atomic_path(path) as temporary:
        # The index goes to the front, so that a clip can play while it is still loading.
        layout = {"movflags": "faststart"}
        with av.open(str(temporary), "w", format="mp4", options=layout) as container:
            _encode(path, container, pictures, fps, options)


def check_rate(fps: int) -> None:
    """Check the frame rate of a video.

    Raises:
        ConfigError: it is out of range.
    """
    if not 1 <= fps <= FASTEST:
        raise ConfigError("invalid frame rate", expected=f"1 to {FASTEST} frames per second", got=fps)


def check_side(size: int, least: int = 2, greatest: int = LARGEST_SIDE) -> None:
    """Check the size of square frames before any is rendered.

    Raises:
        ConfigError: it is odd or out of range.
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
        raise ConfigError("no frames to write", where=path)
    container.mux(stream.encode())
