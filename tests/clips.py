"""Clips made on the spot: every frame carries its own number, in eight black or white blocks."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.packet import Packet

BLOCK = 32
HEIGHT, WIDTH = 2 * BLOCK, 4 * BLOCK


def numbered(number: int) -> np.ndarray:
    """(64, 128, 3) picture of a number 0–255: bit b is block b, row by row from the top left, white for 1."""
    bits = np.array([255 * (number >> bit & 1) for bit in range(8)], dtype=np.uint8).reshape(2, 4)
    return np.repeat(np.kron(bits, np.ones((BLOCK, BLOCK), np.uint8))[:, :, None], 3, axis=2)


def number_of(picture: np.ndarray) -> int:
    """The number that a picture of any 1:2 size shows."""
    height, width = picture.shape[0] // 2, picture.shape[1] // 4
    blocks = picture[..., 0].reshape(2, height, 4, width)[:, height // 2, :, width // 2].ravel()
    return sum(1 << bit for bit, value in enumerate(blocks) if value > 127)


def write_clip(
    path: Path,
    frames: int | Sequence[np.ndarray] = 30,
    rate: int | Fraction = 30,
    times_ms: Sequence[int] | None = None,
    codec: str = "libx264",
    rotation: int = 0,
    sound: bool = False,
    options: dict[str, str] | None = None,
    codec_options: dict[str, str] | None = None,
) -> Path:
    """Encode numbered pictures (or those given) at a constant rate, or at given times in milliseconds."""
    pictures = [numbered(i) for i in range(frames)] if isinstance(frames, int) else frames
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=1000 if times_ms else rate, options=codec_options or {})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        if rotation:
            stream.set_display_rotation(rotation)
        hum = container.add_stream("aac", rate=44_100) if sound else None
        for i, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = times_ms[i] if times_ms else i
            frame.time_base = Fraction(1, 1000) if times_ms else 1 / Fraction(rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if hum is not None:
            _silence(container, hum, seconds=len(pictures) / rate)
    return path


def copy_packets(source: Path, path: Path, keep: Callable[[int, Packet], bool]) -> Path:
    """The video packets of a clip that ``keep`` (told their number) wants, in another file; nothing is decoded."""
    with av.open(str(source)) as read, av.open(str(path), "w") as written:
        stream = written.add_stream_from_template(read.streams.video[0])
        packets = [packet for packet in read.demux(video=0) if packet.size]
        for number, packet in enumerate(packets):
            if keep(number, packet):
                packet.stream = stream
                written.mux(packet)
    return path


def hold(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """Write a display matrix into an MP4: column p, row q of a picture is shown at a·p + c·q, b·p + d·q."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 44
    data[matrix : matrix + 36] = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def write_sound(path: Path) -> Path:
    """A file with sound only."""
    with av.open(str(path), "w") as container:
        _silence(container, container.add_stream("aac", rate=44_100), seconds=0.5)
    return path


def _silence(container: object, stream: object, seconds: float) -> None:
    for begin in range(0, int(seconds * 44_100), 1024):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 44_100, begin
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
