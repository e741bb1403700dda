"""Every picture that a file holds comes out of the decoder, or the clip is not whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgs.stimuli.unreadable import UnreadableClip

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

#: Codecs whose packets hold one picture each that is shown; others have packets that show nothing.
_PICTURE_A_PACKET = ("h264", "hevc")
_HINT = "decode what is there and encode it anew if that is the clip you want"


class PictureTally:
    """Packets that went into the decoder, frames that came out.

    A decoder drops pictures without a word where those they are built on are missing: at the start of a clip that
    was cut in the middle of a group of pictures, and behind a hole. Packets outside an MP4's edit list are not
    meant to be seen and do not count.

    Args:
        path: the clip, for messages.
        stream: its video stream.
    """

    def __init__(self, path: Path, stream: VideoStream) -> None:
        self._path, self._stream = path, stream
        self._sent = self._shown = 0
        self._early: list[int] = []  # presentation times of what was sent before the first frame came out
        self._counts = stream.codec_context.name in _PICTURE_A_PACKET

    def send(self, packet: Packet[Any]) -> None:
        """Take note of a packet on its way into the decoder."""
        if not packet.size or packet.is_discard:
            return
        self._sent += 1
        if not self._shown and packet.pts is not None:
            self._early.append(packet.pts)

    def show(self, frames: list[VideoFrame]) -> list[VideoFrame]:
        """Take note of what came out of the decoder, and hand it on.

        Raises:
            UnreadableClip: pictures before the first one that came out are missing.
        """
        if frames and not self._shown and frames[0].pts is not None:
            lost = sum(time < frames[0].pts for time in self._early)
            if lost:
                begins = float((frames[0].pts - min(self._early)) * (self._stream.time_base or 0))
                raise UnreadableClip(
                    f"starts in the middle of a group of pictures: the first {lost} of its pictures cannot be decoded "
                    f"({begins:.2f} s are missing; {_HINT})",
                    self._path,
                )
        self._shown += len(frames)
        # Of interlaced video a packet may hold a field, half a picture.
        self._counts = self._counts and not any(frame.interlaced_frame for frame in frames)
        return frames

    def check(self) -> None:
        """At the end of the file: whether as many pictures came out as went in.

        Raises:
            UnreadableClip: fewer did.
        """
        if self._counts and self._shown < self._sent:
            reason = f"{self._sent - self._shown} of its {self._sent} pictures cannot be decoded ({_HINT})"
            raise UnreadableClip(reason, self._path)
