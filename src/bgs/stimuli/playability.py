"""Whether browsers play a clip, and a copy that they play."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from bgs._errors import DataError
from bgs._files import atomic_path
from bgs._optional import require

if TYPE_CHECKING:
    from av.container import InputContainer

#: Container -> codecs that Chromium, Firefox and Safari play in it. Debian's Chromium plays all of these.
_CODECS = {"mp4": ("h264", "vp9", "av1"), "webm": ("vp8", "vp9", "av1")}
#: The only layout of pixels that every decoder has: 8 bits, colour at half the resolution.
_PIXELS = ("yuv420p", "yuvj420p")
_HEADER = 16


@dataclass(frozen=True)
class Fault:
    """Why browsers do not play a clip.

    Attributes:
        what: in words.
        recode: whether its frames must be encoded again; else moving its index to the front is enough.
    """

    what: str
    recode: bool = True


def playback_fault(path: str | Path) -> Fault | None:
    """What keeps browsers from playing a clip while it loads; None for nothing.

    Raises:
        DataError: the file is not a video, or it is cut off.
        MissingExtraError: PyAV is not installed.
    """
    av, file = require("av", "video"), Path(path)
    try:
        with av.open(str(file)) as container:
            fault = _of_stream(container)
            missing = _missing_bytes(file, container.format.name)
    except (av.FFmpegError, OSError) as error:
        raise DataError(f"not a video: {error}", where=file) from None
    if missing:
        raise DataError(
            f"this clip is cut off: {missing:,} bytes are missing at its end", where=file,
            hint="copy or download it again; what is left of it cannot be mended",
        )  # fmt: skip
    if fault is None and file.suffix.lower() != ".webm" and not _index_first(file):
        return Fault(
            "its index is behind the frames, so that it plays only once it is loaded whole", recode=False
        )
    return fault


def _of_stream(container: InputContainer) -> Fault | None:
    names = container.format.name.split(",")
    kind = next((name for name in _CODECS if name in names), None)
    if kind is None:
        return Fault(f"a container of the kind {names[0]}")
    if not container.streams.video:
        return Fault("no pictures")
    stream = container.streams.video[0]
    codec, pixels = stream.codec_context.name, stream.codec_context.pix_fmt
    codec = {"libdav1d": "av1", "libvpx-vp9": "vp9", "libvpx": "vp8"}.get(codec, codec)
    if codec not in _CODECS[kind]:
        return Fault(f"the codec {codec} in {kind}")
    if pixels not in _PIXELS:
        return Fault(f"pixels as {pixels}")
    return None


def _index_first(path: Path) -> bool:
    """Whether an mp4 file has its index (moov) before its frames (mdat)."""
    for kind, _ in _boxes(path):
        if kind in (b"moov", b"mdat"):
            return kind == b"moov"
    return False


def _missing_bytes(path: Path, container: str) -> int:
    """Bytes that the outermost parts of an mp4 or WebM file have beyond its end; 0 where no size is given."""
    kinds = container.split(",")
    if "mp4" in kinds:
        ends = [end for _, end in _boxes(path)]
    elif "webm" in kinds:
        ends = list(_elements(path))
    else:
        return 0
    return max(0, max(ends, default=0) - path.stat().st_size)


def _boxes(path: Path) -> Iterator[tuple[bytes, int]]:
    """Kinds of the outermost boxes of an mp4 file, and where each ends."""
    with path.open("rb") as stream:
        start = 0
        while len(header := stream.read(_HEADER)) >= 8:
            size, kind = struct.unpack(">I4s", header[:8])
            if size == 1 and len(header) == _HEADER:
                (size,) = struct.unpack(">Q", header[8:])
            start += size
            yield kind, start
            if size < 8:  # to the end of the file
                return
            stream.seek(start)


def _elements(path: Path) -> Iterator[int]:
    """Where each of the outermost elements of a WebM file ends, up to one of unknown size (RFC 8794)."""
    with path.open("rb") as stream:
        while kind := stream.read(1):
            stream.seek(_width(kind[0]) - 1, 1)
            first = stream.read(1)
            if not first:
                return
            width = _width(first[0])
            value = int.from_bytes(first + stream.read(width - 1)) & ((1 << 7 * width) - 1)
            if value == (1 << 7 * width) - 1:  # all ones: not known
                return
            yield stream.tell() + value
            stream.seek(value, 1)


def _width(first: int) -> int:
    """Bytes of a number of variable length, by its first one."""
    return 9 - first.bit_length()


def ffmpeg_line(path: Path, fault: Fault) -> str:
    """A command that writes a copy which browsers play."""
    copy = playable_path(path).name
    how = (
        "-c:v libx264 -crf 18 -pix_fmt yuv420p -vf 'scale=trunc(iw/2)*2:trunc(ih/2)*2'"
        if fault.recode
        else "-c:v copy"
    )
    return f"ffmpeg -i '{path.name}' -an {how} -movflags +faststart '{copy}'"


def playable_path(path: Path) -> Path:
    """Where the copy of a clip lies: beside it."""
    return path.with_name(f"{path.stem}.web.mp4")


def make_playable(path: Path, fault: Fault, target: Path | None = None) -> Path:
    """Write a silent copy of a clip that browsers play, by default beside it under :func:`playable_path`.

    Raises:
        DataError: the clip cannot be decoded.
    """
    av, target = require("av", "video"), target or playable_path(path)
    try:
        with (
            atomic_path(target) as part,
            av.open(str(path)) as given,
            av.open(str(part), "w", format="mp4", options={"movflags": "faststart"}) as made,
        ):
            if not given.streams.video:
                raise DataError("no pictures", where=path)
            (_recode if fault.recode else _copy)(given, made)
    except (av.FFmpegError, OSError) as error:
        raise DataError(f"cannot be converted: {error}", where=path) from None
    return target


def _copy(given: InputContainer, made: object) -> None:
    stream = made.add_stream_from_template(given.streams.video[0])  # type: ignore[attr-defined]
    for packet in given.demux(given.streams.video[0]):
        if packet.dts is not None:
            packet.stream = stream
            made.mux(packet)  # type: ignore[attr-defined]


def _recode(given: InputContainer, made: object) -> None:
    source = given.streams.video[0]
    rate = source.average_rate or Fraction(25)
    stream = made.add_stream("libx264", rate=rate, options={"crf": "18"})  # type: ignore[attr-defined]
    stream.width, stream.height = source.codec_context.width // 2 * 2, source.codec_context.height // 2 * 2
    stream.pix_fmt, stream.time_base = "yuv420p", source.time_base
    for frame in given.decode(source):
        smaller = frame.reformat(stream.width, stream.height, "yuv420p")
        smaller.pts, smaller.time_base = frame.pts, frame.time_base
        made.mux(stream.encode(smaller))  # type: ignore[attr-defined]
    made.mux(stream.encode())  # type: ignore[attr-defined]
