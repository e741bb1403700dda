"""Reading files with PyAV: packets, checked frames, and clear errors."""

from __future__ import annotations

import errno
from collections.abc import Generator, Iterable, Iterator, Mapping, Set
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
from bgs.stimuli.unreadable import UnreadableClip

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter
    from av.video.stream import VideoStream

#: Errors caused by lack of resources, not by the clip.
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_MICROSECOND = Fraction(1, 1_000_000)


def frames_of(path: Path) -> Generator[VideoFrame, None, None]:
    """Every frame of the first video stream, in presentation order; any sign of damage is an error."""
    with opened(path) as container:
        yield from decoded(path, container, container.demux())


def decoded(
    path: Path, container: InputContainer, packets: Iterable[Packet[Any]], needless: Set[int] = frozenset()
) -> Generator[VideoFrame, None, None]:
    """The frames in all packets of a file, as :func:`frames_of`.

    Pictures at ``needless`` times are left out, if no other is predicted from them; what lies in them is then not checked.
    """
    stream = video_stream(path, container)
    decode_strictly(stream)
    extents = {each.index: _Extent() for each in container.streams}
    tally = PictureTally(path, stream, needless)
    for packet in sparing(stream, packets, needless):
        check_cancelled()
        if packet.is_corrupt:
            raise UnreadableClip("truncated", path)
        index = packet.stream.index
        extents[index].add(packet)
        # The last packet is empty, without times, and flushes the decoder.
        if index == stream.index and (packet.size or packet.dts is None):
            tally.send(packet)
            for frame in stream.codec_context.decode(packet):
                yield tally.show(intact(path, frame))
    _check_complete(path, container, extents)
    tally.check()


def sparing(stream: VideoStream, packets: Iterable[Packet[Any]], needless: Set[int]) -> Iterator[Packet[Any]]:
    """The packets, before each of which the decoder is told whether to leave its picture out if no other is predicted from it."""
    skips = False
    for packet in packets:
        if packet.stream.index == stream.index and skips != (packet.pts in needless):
            skips = not skips
            stream.codec_context.skip_frame = "NONREF" if skips else "DEFAULT"
        yield packet


def decode_strictly(stream: VideoStream) -> None:
    """Set up its decoder: one thread, and no damage concealed."""
    # Several clips are decoded at once, in threads; FFmpeg would otherwise return concealed frames as good ones.
    stream.codec_context.thread_count = 1
    stream.codec_context.options = {"err_detect": "explode"}


@contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """Convert FFmpeg errors to UnreadableClip, unless they are due to a lack of resources."""
    av = require("av", "video")
    try:
        yield
    except av.FFmpegError as error:
        if error.errno in _EXHAUSTED:
            raise
        raise UnreadableClip(f"damaged or truncated: {error.strerror}", path) from error


def opened(path: Path) -> InputContainer:
    """Open a file.

    Raises:
        UnreadableClip: it is not a video.
    """
    av = require("av", "video")
    try:
        container: InputContainer = av.open(str(path))
    except av.InvalidDataError as error:
        reason = "not a video: no header or index (moov) that FFmpeg can read"
        raise UnreadableClip(reason, path) from error
    return container


def intact(path: Path, frame: VideoFrame) -> VideoFrame:
    """The frame, which is not damaged."""
    if frame.is_corrupt:
        raise UnreadableClip("damaged: a frame cannot be decoded", path)
    return frame


def video_stream(path: Path, container: InputContainer) -> VideoStream:
    """The first video stream that is not a cover."""
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


@dataclass(frozen=True)
class Upright:
    """Converts frames of a clip to RGB, upright: what FFmpeg prepares for it serves all frames."""

    path: Path
    reformatter: VideoReformatter = field(
        default_factory=lambda: require("av.video.reformatter", "video").VideoReformatter()
    )

    def __call__(self, frame: VideoFrame) -> UInt8[np.ndarray, "h w 3"]:
        """The picture of a frame."""
        # Clips are already decoded in threads; FFmpeg would start one more per core for each frame.
        picture = self.reformatter.reformat(frame, format="rgb24", threads=1)
        return oriented(self.path, frame).apply(picture.to_ndarray())


def oriented(path: Path, frame: VideoFrame) -> Orientation:
    """How the frame is to be rotated and mirrored."""
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    try:
        return orientation_of(None if matrix is None else bytes(matrix))
    except ValueError as error:
        raise UnreadableClip(str(error), path) from None
