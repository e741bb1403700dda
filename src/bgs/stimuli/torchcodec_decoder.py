"""Decoding with torchcodec (0.11 or newer), if it is installed with the FFmpeg libraries it needs."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from bgs._errors import ConfigError
from bgs._optional import require
from bgs.stimuli.pyav_decoder import first_orientation
from bgs.stimuli.sampling import Sampling
from bgs.stimuli.unreadable import UnreadableClip


def read_pictures(path: Path, sampling: Sampling) -> list[UInt8[np.ndarray, "h w 3"]]:
    """The T chosen frames of a clip, upright, RGB.

    torchcodec rotates frames but never mirrors them, so PyAV determines the orientation, and whether the first
    frames are present.

    Raises:
        UnreadableClip: torchcodec cannot read the file, or it is too short or a single picture; or it starts in
            the middle of a group of pictures, or its rotation is not a multiple of 90°.
        ConfigError: this version of torchcodec ignores rotation.
    """
    decoders = require("torchcodec.decoders", "torchcodec")
    orientation = first_orientation(path)
    try:
        video = decoders.VideoDecoder(
            str(path), dimension_order="NHWC", num_ffmpeg_threads=1, seek_mode="exact"
        )
        if not hasattr(video.metadata, "rotation"):
            raise ConfigError(
                "this version of torchcodec ignores rotation", expected="torchcodec 0.11 or newer"
            )
        frames = video.get_frames_played_at(seconds=_moments(path, sampling, video.metadata))
    except (RuntimeError, ValueError, IndexError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnreadableClip(f"torchcodec cannot read it: {reason}", path) from error
    encoded = (np.rot90(picture, -orientation.quarters) for picture in frames.data.numpy())
    return [orientation.apply(picture) for picture in encoded]


def _moments(path: Path, sampling: Sampling, metadata: object) -> list[float]:
    """The T moments in seconds, on torchcodec's time axis."""
    begin, end, count = (
        getattr(metadata, name)
        for name in ("begin_stream_seconds_from_content", "end_stream_seconds_from_content", "num_frames")
    )
    if count == 1 and sampling.frames > 1:
        raise UnreadableClip(f"a single picture, but {sampling.frames} frames are requested", path)
    moments = sampling.moments(Fraction(begin), Fraction(end))
    if moments[-1] > Fraction(end):
        raise UnreadableClip(f"lasts only {end - begin:g} s, less than the requested span", path)
    return [float(moment) for moment in moments]
