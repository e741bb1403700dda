"""Decoding with PyAV: a file is decoded to its end and checked, and the chosen frames are converted to RGB."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8

from bgs.stimuli.cancelling import check_cancelled
from bgs.stimuli.orientation import Orientation
from bgs.stimuli.pyav_stream import Upright, clear_errors, decoded, frames_of, opened, oriented, video_stream
from bgs.stimuli.sampling import Sampling, Span
from bgs.stimuli.timetable import Timetable
from bgs.stimuli.unreadable import UnreadableClip

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

#: Where all frames are kept, as it is not known which will be chosen, these are at most so many bytes. A clip that has more, or
#: of which other frames are chosen than the times of its packets promise, is decoded a second time.
KEPT_BYTES = 1 << 28
#: The packets of files up to this size are held, to see their times before they are decoded; larger files are read twice.
HELD_BYTES = 1 << 26


@dataclass
class _Scan:
    """The result of decoding a clip once.

    Attributes:
        ticks: presentation time of each frame, in units of ``base`` seconds.
        lasting: duration of the last frame; 0 if it is not known: then that of the one before.
        kept: the frames that are expected to be chosen; none where all were kept and became too many.
    """

    ticks: list[int] = field(default_factory=list)
    lasting: int = 0
    base: Fraction = Fraction(1)
    kept: dict[int, VideoFrame] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """The tick at which the last frame ends."""
        gap = self.ticks[-1] - self.ticks[-2] if len(self.ticks) > 1 else 0
        return self.ticks[-1] + (self.lasting or gap)

    def fill_in(self, table: Timetable, needless: Set[int]) -> bool:
        """Add the times of frames that were left out; False if the frames are not those of the timetable."""
        if not self.ticks:
            return False
        every = [*table.times[: bisect_right(table.times, self.ticks[-1])]]
        place = {tick: number for number, tick in enumerate(every)}
        shown = set(self.ticks)
        if len(shown) < len(self.ticks) or not place.keys() - needless <= shown <= place.keys():
            return False
        self.kept = {place[self.ticks[number]]: frame for number, frame in self.kept.items()}
        self.ticks = every
        return True


def read_pictures(path: Path, sampling: Sampling) -> list[UInt8[np.ndarray, "h w 3"]]:
    """The T chosen frames of a clip, upright, RGB.

    Raises:
        UnreadableClip: see :func:`bgs.stimuli.decoding.decode`.
    """
    with clear_errors(path):
        scan = _scan(path, sampling)
        chosen = _choose(path, sampling, scan)
        upright = Upright(path)
        pictures = {i: upright(frame) for i, frame in _chosen_frames(path, scan, set(chosen))}
    return [pictures[i] for i in chosen]


def each_picture(path: Path, count: int | None = None) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """The pictures on screen in the middle of each of ``count`` equal parts of a clip, upright, RGB, one at a time.

    Args:
        path: the clip.
        count: number of parts; None is the number of frames.

    Raises:
        UnreadableClip: see :func:`bgs.stimuli.decoding.decode`.
    """
    with clear_errors(path):
        scan = _scan(path, None)
        chosen = _choose(path, Sampling(count or max(1, len(scan.ticks)), 1), scan)
        repeats, upright = Counter(chosen), Upright(path)
        for number, frame in _chosen_frames(path, scan, repeats.keys()):
            picture = upright(frame)
            for _ in range(repeats[number]):
                yield picture


def picture_at(path: Path, seconds: float | None = None) -> UInt8[np.ndarray, "h w 3"]:
    """The picture on screen at a moment, upright, RGB. Read from the key frame before it: the rest of the file is not checked.

    Args:
        path: the clip.
        seconds: after the first frame; None is the middle, by the header.

    Raises:
        UnreadableClip: there is no picture that can be decoded.
    """
    with clear_errors(path), opened(path) as container:
        stream = video_stream(path, container)
        stream.codec_context.thread_count = 1
        begin, length = (container.start_time or 0) / 1e6, (container.duration or 0) / 1e6
        moment = begin + (length / 2 if seconds is None else seconds)
        if moment > begin:
            container.seek(int(moment * 1e6))
        found = None
        for frame in container.decode(stream):
            check_cancelled()
            if found is not None and frame.time is not None and frame.time > moment:
                break
            found = frame
        if found is None:
            raise UnreadableClip("its video stream contains no frames", path)
        return Upright(path)(found)


def first_orientation(path: Path) -> Orientation:
    """The display orientation of a clip, from its first frame.

    Raises:
        UnreadableClip: there are no frames, the first ones cannot be decoded, or their rotation is not a multiple of 90°.
    """
    with clear_errors(path):
        frame = next(frames_of(path), None)
    if frame is None:
        raise UnreadableClip("its video stream contains no frames", path)
    return oriented(path, frame)


def clip_seconds(path: Path) -> float:
    """Duration of a clip in seconds, from its header; nothing is decoded.

    Raises:
        UnreadableClip: the file is not a video, or its header does not give the duration.
    """
    with opened(path) as container:
        video_stream(path, container)
        if container.duration is None:
            raise UnreadableClip("its header does not give the duration", path)
        return container.duration / 1e6


def _scan(path: Path, sampling: Sampling | None) -> _Scan:
    """Decode the clip to its end, or to the end of the span.

    Held frames cost more than their memory: the decoder has to ask for new memory instead of using the old again.
    Those that will be chosen are therefore told from the times of the packets, before anything is decoded, and what neither
    they nor other frames need is not decoded. Where the times prove wrong, or anything else is, all of it is.

    Args:
        path: the clip.
        sampling: the frames to keep; None is all of them.
    """
    if sampling is None:
        return _kept(path, frames_of(path), None, None)
    with opened(path) as container:
        packets, table = _packets(path, container)
        expected = _expected_ticks(path, sampling, video_stream(path, container), table)
        needless = table.needless(expected)
        try:
            with clear_errors(path):
                scan = _kept(path, decoded(path, container, packets, needless), expected, sampling.span)
                if not needless or scan.fill_in(table, needless):
                    return scan
        except UnreadableClip:
            if not needless:
                raise
    return _kept(path, frames_of(path), expected, sampling.span)


def _packets(path: Path, container: InputContainer) -> tuple[Iterable[Packet[Any]], Timetable]:
    """All packets of an open file, to be decoded, and the times of those of its video stream."""
    if path.stat().st_size <= HELD_BYTES:
        held = list(container.demux())
        return held, Timetable.of(video_stream(path, container), held)
    with opened(path) as again:
        return container.demux(), Timetable.of(video_stream(path, again), again.demux())


def _kept(path: Path, frames: Iterable[VideoFrame], expected: Set[int] | None, span: Span | None) -> _Scan:
    """Times of the frames, and those that are shown at the expected times (None: at any)."""
    scan, room = _Scan(), KEPT_BYTES
    for frame in frames:
        tick = frame.pts
        if not scan.ticks:
            scan.base = frame.time_base or Fraction(0)
        if tick is None or not scan.base:
            raise UnreadableClip("its frames have no presentation times", path)
        scan.lasting = frame.duration or 0
        if expected is None:
            room -= 2 * frame.width * frame.height  # about
            if room < 0:
                expected = set()
                scan.kept.clear()
        if expected is None or tick in expected:
            scan.kept[len(scan.ticks)] = frame
        scan.ticks.append(tick)
        if span is not None and (tick - scan.ticks[0]) * scan.base > span[1]:
            break
    # Decoders return frames in presentation order, but the times of AVI files are in decoding order.
    scan.ticks.sort()
    return scan


def _chosen_frames(path: Path, scan: _Scan, chosen: Set[int]) -> Iterator[tuple[int, VideoFrame]]:
    """Chosen frames with their indices, in order: those that were kept, or, where any was not, from a second pass."""
    numbered = scan.kept.items() if chosen <= scan.kept.keys() else enumerate(frames_of(path))
    return ((number, frame) for number, frame in numbered if number in chosen)


def _expected_ticks(path: Path, sampling: Sampling, stream: VideoStream, table: Timetable) -> set[int]:
    """Presentation times of the frames that will be chosen, from the times of the packets."""
    if not table.times or stream.time_base is None:
        return set()
    promised = _Scan([*table.times], table.lasting, stream.time_base)
    try:
        return {promised.ticks[i] for i in _choose(path, sampling, promised)}
    except UnreadableClip:  # by the times of its packets; its frames will show whether it is
        return set()


def _choose(path: Path, sampling: Sampling, scan: _Scan) -> list[int]:
    """The index of the frame on screen at each of the T moments."""
    ticks, base = scan.ticks, scan.base
    if not ticks:
        raise UnreadableClip("its video stream contains no frames", path)
    if len(ticks) == 1 and sampling.frames > 1:
        raise UnreadableClip(f"a single picture, but {sampling.frames} frames are requested", path)
    if scan.end == ticks[0] and len(ticks) > 1:
        raise UnreadableClip("zero duration", path)
    if sampling.span is not None:
        _require_length(path, sampling, ticks[0] * base, scan.end * base)
    return [bisect_right(ticks, tick) - 1 for tick in sampling.ticks(ticks[0], scan.end, base)]


def _require_length(path: Path, sampling: Sampling, begin: Fraction, end: Fraction) -> None:
    last = sampling.moments(begin, end)[-1]
    if last > end:
        asked = f"but a frame is requested at {float(last - begin):g} s"
        raise UnreadableClip(f"lasts only {float(end - begin):g} s, {asked}", path)
