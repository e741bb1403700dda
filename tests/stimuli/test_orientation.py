"""A display matrix turns and mirrors: all eight ways to hold a picture, as the ffmpeg tool shows them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from bgs.stimuli import Sampling, UnreadableClip, decode, pyav_decoder
from bgs.stimuli.orientation import Orientation, orientation_of
from clips import hold, numbered, write_clip

Turn = Callable[[np.ndarray], np.ndarray]

#: (a, b, c, d) of the matrix -> what is done to a picture, by hand.
WAYS: dict[tuple[int, int, int, int], Turn] = {
    (1, 0, 0, 1): lambda picture: picture,
    (-1, 0, 0, 1): np.fliplr,
    (1, 0, 0, -1): np.flipud,
    (-1, 0, 0, -1): lambda picture: np.rot90(picture, 2),
    (0, 1, 1, 0): lambda picture: np.transpose(picture, (1, 0, 2)),
    (0, 1, -1, 0): lambda picture: np.rot90(picture, -1),
    (0, -1, 1, 0): np.rot90,
    (0, -1, -1, 0): lambda picture: np.transpose(picture[::-1, ::-1], (1, 0, 2)),
}
every_way = pytest.mark.parametrize("way", WAYS, ids=str)


def held(folder: Path, way: tuple[int, int, int, int]) -> Path:
    """A clip of two pictures whose corners all differ, held in some way."""
    path = write_clip(folder / "held.mp4", [numbered(13), numbered(139)])
    return hold(path, *way)


def native(path: Path) -> np.ndarray:
    """Every picture, not resized."""
    return np.stack(pyav_decoder.read_pictures(path, Sampling(2, 8)))


@every_way
def test_pictures_are_held_as_the_file_asks(tmp_path: Path, way: tuple[int, int, int, int]) -> None:
    plain = native(write_clip(tmp_path / "plain.mp4", [numbered(13), numbered(139)]))
    expected = np.stack([WAYS[way](picture) for picture in plain])
    np.testing.assert_array_equal(native(held(tmp_path, way)), expected)


def test_the_eight_ways_differ() -> None:
    assert len({WAYS[way](numbered(13)).tobytes() for way in WAYS}) == 8


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the ffmpeg tool is not installed")
@every_way
def test_the_ffmpeg_tool_agrees(tmp_path: Path, way: tuple[int, int, int, int]) -> None:
    """Its pictures and ours, to rounding: its converter of colours may be of another version."""
    path = held(tmp_path, way)
    shown = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    ours = native(path)
    theirs = np.frombuffer(shown, np.uint8).reshape(ours.shape)
    assert np.abs(theirs.astype(int) - ours).max() <= 2


@every_way
def test_torchcodec_turns_and_we_mirror(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: tuple[int, int, int, int]
) -> None:
    """A stand-in that, like torchcodec 0.12, reads an angle off the matrix's first row and mirrors nothing."""
    import torch

    quarters = round(np.degrees(np.arctan2(-way[1], way[0])) / 90)
    pictures = [numbered(13), numbered(139)]

    class VideoDecoder:
        def __init__(self, path: str, **options: object) -> None:
            self.metadata = SimpleNamespace(
                begin_stream_seconds_from_content=0.0, end_stream_seconds_from_content=1.0,
                num_frames=2, rotation=90.0 * quarters,
            )  # fmt: skip

        def get_frames_played_at(self, seconds: list[float]) -> SimpleNamespace:
            turned = np.stack([np.rot90(pictures[int(2 * s)], quarters) for s in seconds])
            return SimpleNamespace(data=torch.from_numpy(np.ascontiguousarray(turned)))

    module = ModuleType("torchcodec.decoders")
    module.VideoDecoder = VideoDecoder
    monkeypatch.setitem(sys.modules, "torchcodec", ModuleType("torchcodec"))
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", module)
    seen = decode(held(tmp_path, way), Sampling(2, 64, crop="none"), decoder="torchcodec")
    plain = decode(held(tmp_path, way), Sampling(2, 64, crop="none"))
    assert np.abs(seen.astype(int) - plain).max() <= 2


def test_matrices_as_phones_write_them() -> None:
    """Sizes do not count, a degree beside a quarter turn is one, and nothing at all is upright."""
    assert orientation_of(None) == orientation_of(bytes(36)) == Orientation()
    assert orientation_of(matrix(2, 0, 0, 3)) == Orientation()
    assert orientation_of(matrix(0.01, 1, -1, 0.01)) == orientation_of(matrix(0, 1, -1, 0))
    for slanted in ((1, 1, -1, 1), (1, 0.1, 0, 1), (1, 0, 1, 1), (0, 1, 1, 1), (1, 0, 0, 0)):
        with pytest.raises(ValueError, match="not a multiple of 90°"):
            orientation_of(matrix(*slanted))


def matrix(a: float, b: float, c: float, d: float) -> bytes:
    numbers = [a, b, 0, c, d, 0, 0, 0, 1]
    return np.array([int(65536 * number) for number in numbers], np.int32).tobytes()


def test_a_slanted_picture_is_refused_by_both_decoders(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "slanted.mp4", 2, rotation=45)
    with pytest.raises(UnreadableClip, match="rotation is 45°"):
        pyav_decoder.first_orientation(path)
