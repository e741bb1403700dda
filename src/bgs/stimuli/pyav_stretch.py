"""A stretch in the middle of a long file, decoded from the last key frame before it instead of from the beginning."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8

from bgs.stimuli.cancelling import check_cancelled
from bgs.stimuli.pyav_stream import (
    Upright,
    clear_errors,
    decode_strictly,
    frames_of,
    intact,
    opened,
    sparing,
    video_stream,
)
from bgs.stimuli.sampling import Sampling
from bgs.stimuli.timetable import Timetable
from bgs.stimuli.unreadable import UnreadableClip

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame

#: Stretches that begin earlier are decoded from the beginning, which takes no longer and checks more.
FIRST_ENTRY = 2  # seconds

_Picture = UInt8[np.ndarray, "h w 3"]


def read_stretch(path: Path, sampling: Sampling) -> list[_Picture] | None:
    """The T chosen frames of ``sampling.span``, upright, RGB: those that :func:`pyav_decoder.read_pictures` gives.

    Returns:
        None where the file cannot be entered in its middle: it has no such key frame (as with open groups of pictures,
        which refer to frames before them), or its times are not in order. Decoding it from the beginning then gives the
        frames, or what is wrong with it.
    """
    try:
        with clear_errors(path):
            with closing(frames_of(path)) as from_beginning:
                first = next(from_beginning, None)
            if first is None or first.pts is None or first.time_base is None:
                return None
            base = first.time_base
            moments = [moment / base for moment in sampling.moments(first.pts * base, first.pts * base)]
            with closing(_frames_after(path, [floor(moment) for moment in moments])) as frames:
                return _on_screen(path, frames, moments, base)
    except UnreadableClip:
        return None


def _frames_after(path: Path, ticks: list[int]) -> Generator[VideoFrame, None, None]:
    """Frames of the first video stream from the last key frame before the first tick on; up to the last tick, those needed."""
    with opened(path) as container:
        stream = video_stream(path, container)
        decode_strictly(stream)
        container.seek(ticks[0], stream=stream)
        table = Timetable.of(stream, _packets_until(container.demux(stream), ticks[-1]))
        needless = table.needless(_on_screen_at(ticks, table))
        # Read again: packets from a far key frame may be too many to hold.
        container.seek(ticks[0], stream=stream)
        for packet in sparing(stream, container.demux(stream), needless):
            check_cancelled()
            if packet.is_corrupt:
                raise UnreadableClip("truncated", path)
            for frame in stream.codec_context.decode(packet):
                yield intact(path, frame)


def _packets_until(packets: Iterable[Packet[Any]], tick: int) -> Iterator[Packet[Any]]:
    """Packets, up to the first that is decoded after the tick is shown."""
    for packet in packets:
        check_cancelled()
        yield packet
        if packet.dts is not None and packet.dts > tick:
            return


def _on_screen_at(ticks: list[int], table: Timetable) -> set[int]:
    """Times of the pictures that are on screen at ticks."""
    return {table.times[max(0, bisect_right(table.times, tick) - 1)] for tick in ticks if table.times}


def _on_screen(
    path: Path, frames: Iterator[VideoFrame], moments: list[Fraction], base: Fraction
) -> list[_Picture] | None:
    """The picture on screen at each moment (in ticks, ascending)."""
    pictures: list[_Picture] = []
    shown: VideoFrame | None = None
    end, upright = Fraction(0), Upright(path)
    for frame in frames:
        if frame.pts is None or frame.time_base != base or (shown and frame.pts <= (shown.pts or 0)):
            return None
        if shown is None and frame.pts > moments[0]:
            return None
        passed = sum(moment < frame.pts for moment in moments[len(pictures) :])
        if passed and shown is not None:
            pictures += [upright(shown)] * passed
        if len(pictures) == len(moments):
            return pictures
        end = Fraction(frame.pts + (frame.duration or (frame.pts - (shown.pts or 0) if shown else 0)))
        shown = frame
    if shown is None or moments[-1] > end:
        return None
    return pictures + [upright(shown)] * (len(moments) - len(pictures))
