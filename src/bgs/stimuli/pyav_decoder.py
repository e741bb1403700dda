"""Decoding with PyAV: every frame of a file is decoded and checked, and the chosen ones are converted to RGB."""

from __future__ import annotations

import errno
from bisect import bisect_right
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8

from bgs._optional import require
from bgs.stimuli.cancelling import check_cancelled
from bgs.stimuli.orientation import Orientation, orientation_of
from bgs.stimuli.picture_tally import PictureTally
from bgs.stimuli.sampling import Sampling
from bgs.stimuli.unreadable import UnreadableClip

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

#: Decoded frames are kept up to this many bytes. Of longer clips only those are kept that the times of the packets promise to be
#: the chosen ones; if these times are wrong, the clip is decoded a second time.
KEPT_BYTES = 1 << 28

#: Errors caused by lack of resources, not by the clip.
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_MICROSECOND = Fraction(1, 1_000_000)


@dataclass
class _Scan:
    """The result of decoding a clip once.

    Attributes:
        ticks: presentation time of each frame, in units of ``base`` seconds.
        lasting: duration of the last frame.
        kept: the frames; if there are too many, those expected to be chosen.
    """

    ticks: list[int] = field(default_factory=list)
    lasting: int = 0
    base: Fraction = Fraction(1)
    kept: dict[int, VideoFrame] = field(default_factory=dict)


def read_pictures(path: Path, sampling: Sampling) -> list[UInt8[np.ndarray, "h w 3"]]:
    """The T chosen frames of a clip, upright, RGB.

    Raises:
        UnreadableClip: see :func:`bgs.stimuli.decoding.decode`.
    """
    with _clear_errors(path):
        scan = _scan(path, sampling)
        chosen = _choose(path, sampling, scan)
        pictures = {i: _upright(path, frame) for i, frame in _chosen_frames(path, scan, set(chosen))}
    return [pictures[i] for i in chosen]


def each_picture(path: Path, count: int | None = None) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """The pictures on screen in the middle of each of ``count`` equal parts of a clip, upright, RGB, one at a time.

    Args:
        path: the clip.
        count: number of parts; None is the number of frames.

    Raises:
        UnreadableClip: see :func:`bgs.stimuli.decoding.decode`.
    """
    with _clear_errors(path):
        scan = _scan(path, Sampling(1, 1))
        chosen = _choose(path, Sampling(count or max(1, len(scan.ticks)), 1), scan)
        repeats = Counter(chosen)
        for number, frame in _chosen_frames(path, scan, repeats.keys()):
            picture = _upright(path, frame)
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
    with _clear_errors(path), _opened(path) as container:
        stream = _video_stream(path, container)
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
        return _upright(path, found)


def first_orientation(path: Path) -> Orientation:
    """The display orientation of a clip, from its first frame.

    Raises:
        UnreadableClip: there are no frames, the first ones cannot be decoded, or their rotation is not a multiple of 90°.
    """
    with _clear_errors(path):
        frame = next(_frames(path), None)
    if frame is None:
        raise UnreadableClip("its video stream contains no frames", path)
    return _orientation(path, frame)


def clip_seconds(path: Path) -> float:
    """Duration of a clip in seconds, from its header; nothing is decoded.

    Raises:
        UnreadableClip: the file is not a video, or its header does not give the duration.
    """
    with _opened(path) as container:
        _video_stream(path, container)
        if container.duration is None:
            raise UnreadableClip("its header does not give the duration", path)
        return container.duration / 1e6


def _scan(path: Path, sampling: Sampling) -> _Scan:
    """Decode the clip to its end, or to the end of the span."""
    scan, room = _Scan(), KEPT_BYTES
    expected: set[int] | None = None  # None: keep every frame
    for frame in _frames(path):
        if frame.pts is None or frame.time_base is None:
            raise UnreadableClip("its frames have no presentation times", path)
        gap = frame.pts - scan.ticks[-1] if scan.ticks else 0
        scan.base, scan.lasting = frame.time_base, frame.duration or gap
        room -= 2 * frame.width * frame.height  # about
        if room < 0 and expected is None:
            expected = _expected_ticks(path, sampling)
            scan.kept = {i: one for i, one in scan.kept.items() if one.pts in expected}
        if expected is None or frame.pts in expected:
            scan.kept[len(scan.ticks)] = frame
        scan.ticks.append(frame.pts)
        if sampling.span is not None and (frame.pts - scan.ticks[0]) * frame.time_base > sampling.span[1]:
            break
    # Decoders return frames in presentation order, but the times of AVI files are in decoding order.
    scan.ticks.sort()
    return scan


def _chosen_frames(path: Path, scan: _Scan, chosen: Set[int]) -> Iterator[tuple[int, VideoFrame]]:
    """Chosen frames with their indices, in order: those that were kept, or, where any was not, from a second pass."""
    numbered = scan.kept.items() if chosen <= scan.kept.keys() else enumerate(_frames(path))
    return ((number, frame) for number, frame in numbered if number in chosen)


def _expected_ticks(path: Path, sampling: Sampling) -> set[int]:
    """Presentation times of the frames that will be chosen, from the times of the packets; nothing is decoded."""
    with _opened(path) as container:
        stream = _video_stream(path, container)
        times = sorted(
            (packet.pts, packet.duration or 0) for packet in container.demux(stream) if packet.pts is not None
        )
        base = stream.time_base
    if not times or base is None:
        return set()
    promised = _Scan([pts for pts, _ in times], times[-1][1], base)
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
    begin, end = ticks[0] * base, (ticks[-1] + scan.lasting) * base
    if end == begin and len(ticks) > 1:
        raise UnreadableClip("zero duration", path)
    moments = sampling.moments(begin, end)
    if moments[-1] > end:
        asked = f"but a frame is requested at {float(moments[-1] - begin):g} s"
        raise UnreadableClip(f"lasts only {float(end - begin):g} s, {asked}", path)
    return [bisect_right(ticks, moment / base) - 1 for moment in moments]


def _frames(path: Path) -> Generator[VideoFrame, None, None]:
    """Every frame of the first video stream, in presentation order; any sign of damage is an error."""
    with _opened(path) as container:
        stream = _video_stream(path, container)
        # Several clips are decoded at once, in threads; FFmpeg would otherwise return concealed frames as good ones.
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"err_detect": "explode"}
        extents = {each.index: _Extent() for each in container.streams}
        tally = PictureTally(path, stream)
        for packet in container.demux():
            check_cancelled()
            if packet.is_corrupt:
                raise UnreadableClip("truncated", path)
            extents[packet.stream.index].add(packet)
            # The last packet is empty, without times, and flushes the decoder.
            if packet.stream.index == stream.index and (packet.size or packet.dts is None):
                tally.send(packet)
                yield from tally.show(_intact(path, stream.codec_context.decode(packet)))
        _check_complete(path, container, extents)
        tally.check()


@contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    """Convert FFmpeg errors to UnreadableClip, unless they are due to a lack of resources."""
    av = require("av", "video")
    try:
        yield
    except av.FFmpegError as error:
        if error.errno in _EXHAUSTED:
            raise
        raise UnreadableClip(f"damaged or truncated: {error.strerror}", path) from error


def _opened(path: Path) -> InputContainer:
    av = require("av", "video")
    try:
        container: InputContainer = av.open(str(path))
    except av.InvalidDataError as error:
        reason = "not a video: no header or index (moov) that FFmpeg can read"
        raise UnreadableClip(reason, path) from error
    return container


def _intact(path: Path, frames: list[VideoFrame]) -> list[VideoFrame]:
    if any(frame.is_corrupt for frame in frames):
        raise UnreadableClip("damaged: a frame cannot be decoded", path)
    return frames


def _video_stream(path: Path, container: InputContainer) -> VideoStream:
    from av.stream import Disposition

    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    raise UnreadableClip("no video stream" + (", only sound" if container.streams.audio else ""), path)


@dataclass
class _Extent:
    """The extent of a stream in ticks, to detect truncated Matroska files, which end without an error.

    Attributes:
        reached: end time of its last packet.
        longest_gap: longest interval between packets; the duration of the packet if there is only one.
        decoded: decoding time of the last packet.
    """

    reached: int = 0
    longest_gap: int = 0
    decoded: int | None = None

    def add(self, packet: Packet[Any]) -> None:
        """Add a packet; one of unknown duration gets the duration of the previous one."""
        if packet.pts is None or packet.dts is None:
            return
        gap = packet.duration or 0 if self.decoded is None else packet.dts - self.decoded
        self.reached = max(self.reached, packet.pts + (packet.duration or gap))
        self.longest_gap = max(self.longest_gap, gap)
        self.decoded = packet.dts


def _check_complete(path: Path, container: InputContainer, extents: Mapping[int, _Extent]) -> None:
    """Compare with the duration in the header, with a tolerance of half a frame for rounding."""
    if container.duration is None:
        return
    bases = {stream.index: stream.time_base or Fraction(0) for stream in container.streams}
    reached = max(extent.reached * bases[index] for index, extent in extents.items())
    gap = max(extent.longest_gap * bases[index] for index, extent in extents.items())
    promised = container.duration * _MICROSECOND  # measured from time 0 in Matroska, where it matters most
    if promised - reached > gap / 2:
        found = f"{float(reached):.2f} of {float(promised):.2f} s"
        raise UnreadableClip(f"truncated or damaged: only {found} are present", path)


def _upright(path: Path, frame: VideoFrame) -> UInt8[np.ndarray, "h w 3"]:
    """Convert a frame to RGB, upright."""
    # Clips are already decoded in threads; FFmpeg would start one more per core for each frame.
    return _orientation(path, frame).apply(frame.reformat(format="rgb24", threads=1).to_ndarray())


def _orientation(path: Path, frame: VideoFrame) -> Orientation:
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    try:
        return orientation_of(None if matrix is None else bytes(matrix))
    except ValueError as error:
        raise UnreadableClip(str(error), path) from None
