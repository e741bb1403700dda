"""When the pictures of a file are shown, from its packets: nothing is decoded."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

#: Containers that tell when a picture is shown, not only when it is decoded.
_TRUSTED = ("mov", "matroska")
#: The codec in which a picture says of itself, reliably, whether others are predicted from it.
_SAYS_SO = "h264"


@dataclass(frozen=True)
class Timetable:
    """Presentation times in ticks.

    Attributes:
        times: of each picture that is shown, ascending.
        lasting: duration of the last picture that is shown; 0 if it is not known.
        leading: times of pictures that are not shown, or before the key frame that they follow.
        is_exact: whether the file begins with a key frame, and every packet is one picture with a time of its own, which says
            whether others are predicted from it.
    """

    times: tuple[int, ...]
    lasting: int
    leading: frozenset[int]
    is_exact: bool

    @classmethod
    def of(cls, stream: VideoStream, packets: Iterable[Packet[Any]]) -> Timetable:
        """Read the times of a stream's packets; those outside an MP4's edit list are not shown."""
        shown: list[tuple[int, int]] = []
        leading, entered, is_exact = set(), None, True
        for packet in packets:
            if packet.stream_index != stream.index or not packet.size:
                continue
            tick = packet.pts
            if packet.is_keyframe:
                entered = tick
            if tick is None or entered is None:
                is_exact = False
            if tick is None:
                continue
            if packet.is_discard or tick < (entered or 0):
                leading.add(tick)
            if not packet.is_discard:
                shown.append((tick, packet.duration or 0))
        shown.sort()
        times = tuple(tick for tick, _ in shown)
        is_exact = (
            is_exact
            and len({*times}) == len(times)
            and stream.codec_context.name == _SAYS_SO
            and any(name in stream.container.format.name for name in _TRUSTED)
        )
        return cls(times, shown[-1][1] if shown else 0, frozenset(leading), is_exact)

    def needless(self, wanted: Set[int]) -> frozenset[int]:
        """Times of pictures that need not be decoded, unless others are predicted from them.

        Those that follow a key frame and are shown before it are decoded in any case: where a clip was cut in the middle of a
        group of pictures, only they show it. So is the last picture, whose duration counts.
        """
        if not self.is_exact or not wanted:
            return frozenset()
        return frozenset(self.times) - self.leading - wanted - {self.times[-1]}
