"""Checks that the decoder returns every picture in a file, otherwise the clip is incomplete."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgs.stimuli.unreadable import UnreadableClip

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

#: Codecs in which every packet holds one displayed picture; other codecs have packets that display nothing.
_PICTURE_A_PACKET = ("h264", "hevc")
_HINT = "re-encode the clip if the remaining frames are what you want"


class PictureTally:
    """Counts packets sent to the decoder and frames returned.

    A decoder silently drops pictures whose reference pictures are missing: at the start of a clip that
    was cut in the middle of a group of pictures, and after a gap. Packets outside an MP4's edit list are not
    displayed and do not count.

    Args:
        path: the clip, for messages.
        stream: its video stream.
        needless: presentation times of pictures that may be left out, and do not count.
    """

    def __init__(self, path: Path, stream: VideoStream, needless: Set[int] = frozenset()) -> None:
        self._path, self._stream, self._needless = path, stream, needless
        self._sent = self._shown = 0
        self._early: list[int] = []  # presentation times of packets sent before the first frame was returned
        self._counts = stream.codec_context.name in _PICTURE_A_PACKET

    def send(self, packet: Packet[Any]) -> None:
        """Count a packet sent to the decoder."""
        if not packet.size or packet.is_discard or packet.pts in self._needless:
            return
        self._sent += 1
        if not self._shown and packet.pts is not None:
            self._early.append(packet.pts)

    def show(self, frame: VideoFrame) -> VideoFrame:
        """Count a frame returned by the decoder, and pass it on.

        Raises:
            UnreadableClip: pictures before the first returned frame are missing.
        """
        if not self._shown and frame.pts is not None:
            lost = sum(time < frame.pts for time in self._early)
            if lost:
                begins = float((frame.pts - min(self._early)) * (self._stream.time_base or 0))
                raise UnreadableClip(
                    f"starts in the middle of a group of pictures: the first {lost} of its pictures cannot be decoded "
                    f"({begins:.2f} s are missing; {_HINT})",
                    self._path,
                )
        self._shown += frame.pts not in self._needless
        # In interlaced video, a packet may hold a single field, half a picture.
        self._counts = self._counts and not frame.interlaced_frame
        return frame

    def check(self) -> None:
        """Check at the end of the file that as many pictures were returned as were sent.

        Raises:
            UnreadableClip: pictures are missing.
        """
        if self._counts and self._shown < self._sent:
            reason = f"{self._sent - self._shown} of its {self._sent} pictures cannot be decoded ({_HINT})"
            raise UnreadableClip(reason, self._path)
