"""Whether a clip is whole: what was cut in the middle of a group of pictures, edit lists, odd streams."""

from __future__ import annotations

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from bgs.stimuli import Sampling, UnreadableClip, decode, pyav_decoder
from clips import HEIGHT, copy_packets, number_of, write_clip

#: Groups of ten pictures, two of three of them built on a later one.
GROUPS = {"x264-params": "keyint=10:min-keyint=10:scenecut=0:bframes=2:b-adapt=0:open-gop=0"}


def whole(frames: int) -> Sampling:
    return Sampling(frames, HEIGHT, crop="none")


def numbers(path: Path, frames: int) -> list[int]:
    return [number_of(picture) for picture in decode(path, whole(frames))]


def reason(path: Path) -> str:
    with pytest.raises(UnreadableClip) as caught:
        decode(path, whole(4))
    assert "\n" not in str(caught.value)
    return caught.value.reason


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "grouped.ts", 30, codec_options=GROUPS)


@pytest.mark.parametrize("ending", ["ts", "mkv", "mp4"])
def test_a_clip_that_starts_in_mid_group_is_refused(grouped: Path, tmp_path: Path, ending: str) -> None:
    cut = copy_packets(grouped, tmp_path / f"cut.{ending}", lambda number, packet: number >= 4)
    hidden = (
        2 if ending == "mp4" else 0
    )  # by the edit list that an MP4 gets where decoding begins before time 0
    found = reason(cut)
    assert found.startswith(
        f"starts in the middle of a group of pictures: the first {6 - hidden} of its pictures cannot be decoded"
    )
    assert "s are missing" in found
    with pytest.raises(UnreadableClip, match="middle of a group"):
        pyav_decoder.first_orientation(cut)  # which is how torchcodec's clips are checked
    with pytest.raises(UnreadableClip, match="middle of a group"):
        decode(cut, Sampling(2, HEIGHT, span=(0, Fraction(1, 10))))


def test_a_clip_cut_between_groups_is_whole(grouped: Path, tmp_path: Path) -> None:
    cut = copy_packets(grouped, tmp_path / "cut.ts", lambda number, packet: number >= 10)
    assert numbers(cut, 20) == list(range(10, 30))


def test_a_clip_without_any_key_picture_is_refused(grouped: Path, tmp_path: Path) -> None:
    cut = copy_packets(grouped, tmp_path / "cut.mkv", lambda number, packet: number in range(4, 9))
    assert "5 of its 5 pictures cannot be decoded" in reason(cut)


def test_a_clip_that_lacks_a_key_picture_is_refused(grouped: Path, tmp_path: Path) -> None:
    """The pictures built on it come out of the decoder as nothing, without a word."""
    cut = copy_packets(grouped, tmp_path / "hole.ts", lambda number, packet: number != 10)
    assert "7 of its 29 pictures cannot be decoded" in reason(cut)


def test_a_stream_whose_key_pictures_are_not_labelled(grouped: Path, tmp_path: Path) -> None:
    def unlabelled(number: int, packet: object) -> bool:
        packet.is_keyframe = False
        return True

    assert numbers(copy_packets(grouped, tmp_path / "plain.ts", unlabelled), 30) == list(range(30))


@pytest.mark.parametrize("first", [0, 3, 12])
def test_an_edit_list_hides_what_lies_before_its_begin(
    grouped: Path, tmp_path: Path, passes: list[Path], first: int
) -> None:
    """A clip cut without encoding it anew: an MP4 keeps the group that the cut falls into, and an edit list skips it."""
    step = Fraction(90_000, 30)

    def shift(number: int, packet: object) -> bool:
        packet.pts -= first * step + begin
        packet.dts -= first * step + begin
        return number >= first // 10 * 10

    begin = 90_000 * Fraction(start_seconds(grouped))
    cut = copy_packets(grouped, tmp_path / "cut.mp4", shift)
    assert b"elst" in cut.read_bytes()
    assert numbers(cut, 30 - first) == list(range(first, 30))
    assert passes == [cut], "what it hides is not expected"
    if shutil.which("ffmpeg"):
        assert shown_by_ffmpeg(cut) == 30 - first


def start_seconds(path: Path) -> Fraction:
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return stream.start_time * stream.time_base


def shown_by_ffmpeg(path: Path) -> int:
    """How many pictures the ffmpeg tool shows."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-vsync", "passthrough", "-f", "framehash", "-"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return sum(not line.startswith("#") for line in lines)


@pytest.mark.parametrize("rate", [7, 24, 30, Fraction(24_000, 1001), Fraction(30_000, 1001)])
def test_an_mp4_of_one_picture_at_any_rate(tmp_path: Path, rate: Fraction) -> None:
    """Its header rounds how long it lasts, which is no truncation."""
    path = write_clip(tmp_path / "one.mp4", 1, rate=rate)
    assert numbers(path, 1) == [0]
    assert reason(path) == "a single picture, but 4 frames are requested"


@pytest.mark.parametrize(("codec", "ending"), [("mpeg2video", "mpg"), ("mpeg4", "avi"), ("libx264", "avi")])
def test_pictures_built_on_later_ones_all_come_out(tmp_path: Path, codec: str, ending: str) -> None:
    path = write_clip(tmp_path / f"clip.{ending}", 30, codec=codec, codec_options={"bf": "2", "g": "10"})
    assert numbers(path, 30) == list(range(30))
