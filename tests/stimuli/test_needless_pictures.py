"""Pictures that nobody asked for, and that no other is predicted from, are not decoded, and this changes nothing."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from bgs.stimuli import Sampling, UnreadableClip, decode, pyav_stream, pyav_stretch
from bgs.stimuli.timetable import Timetable
from clips import copy_packets, write_clip

#: How x264 predicts pictures from each other.
WAYS = {
    "none between": "bframes=0",
    "usual": "bframes=3",
    "many": "bframes=8:b-adapt=0:ref=5",
    "flat": "bframes=5:b-pyramid=none:keyint=20",
    "strict": "bframes=4:b-pyramid=strict",
    "open groups": "bframes=3:open-gop=1:keyint=12",
    "no key frames": "intra-refresh=1:keyint=10",
    "fields": "interlaced=1:bframes=3",
    "baseline": "cabac=0:bframes=0:ref=1",
}


def moving(frames: int = 60) -> list[np.ndarray]:
    """A square that turns corners over noise, so that prediction from other pictures pays."""
    ground = np.random.default_rng(0).integers(0, 90, (64, 128, 3), dtype=np.uint8)
    pictures = []
    for number in range(frames):
        picture = ground.copy()
        top, left = 20 + int(18 * np.sin(number / 5)), 3 * number % 110
        picture[top : top + 16, left : left + 16] = (250, 200 - number, number)
        pictures.append(picture)
    return pictures


@pytest.fixture
def every_picture(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Decodes all there is, as long as it is not undone."""
    monkeypatch.setattr(Timetable, "needless", lambda *_: frozenset())
    return monkeypatch


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("way", WAYS)
def test_chosen_frames_are_those_of_a_clip_that_is_decoded_whole(
    tmp_path: Path, every_picture: pytest.MonkeyPatch, way: str, suffix: str
) -> None:
    path = write_clip(tmp_path / f"clip{suffix}", moving(), codec_options={"x264-params": WAYS[way]})
    samplings = [Sampling(frames, 64) for frames in (1, 3, 8, 25, 70)]
    samplings += [Sampling(4, 64, span=span) for span in ((0, 1), (0.3, 1.7), (1, 2))]
    whole = [decode(path, sampling) for sampling in samplings]
    every_picture.undo()
    for sampling, expected in zip(samplings, whole, strict=True):
        np.testing.assert_array_equal(decode(path, sampling), expected)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("way", WAYS)
def test_stretches_in_the_middle_are_those_of_a_clip_that_is_decoded_whole(
    tmp_path: Path, every_picture: pytest.MonkeyPatch, way: str, suffix: str
) -> None:
    path = write_clip(tmp_path / f"clip{suffix}", moving(150), codec_options={"x264-params": WAYS[way]})
    samplings = [Sampling(n, 64, span=span) for n in (1, 4, 40) for span in ((2, 3), (3.31, 4.4), (4, 4.99))]
    whole = [decode(path, sampling) for sampling in samplings]
    every_picture.undo()
    for sampling, expected in zip(samplings, whole, strict=True):
        np.testing.assert_array_equal(decode(path, sampling), expected)


def test_uneven_times_and_a_last_picture_of_unknown_duration(
    tmp_path: Path, every_picture: pytest.MonkeyPatch
) -> None:
    times = [10 * i for i in range(30)] + [300 + 70 * i for i in range(30)]
    path = write_clip(tmp_path / "uneven.mkv", moving(), times_ms=times)
    whole = decode(path, Sampling(5, 64))
    every_picture.undo()
    np.testing.assert_array_equal(decode(path, Sampling(5, 64)), whole)


def test_what_nobody_needs_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(pyav_stream, "intact", lambda path, frame: seen.append(frame.pts) or frame)
    path = write_clip(
        tmp_path / "clip.mp4", moving(), codec_options={"x264-params": "bframes=3:b-adapt=0:b-pyramid=none"}
    )
    decode(path, Sampling(3, 64))
    assert len(seen) <= 20  # one in four is a reference, and three are chosen
    assert len(seen) == len({*seen})


def test_what_nobody_needs_before_a_stretch_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(pyav_stretch, "intact", lambda path, frame: seen.append(frame.pts) or frame)
    options = {"x264-params": "bframes=3:b-adapt=0:b-pyramid=none:keyint=1000"}
    path = write_clip(tmp_path / "clip.mp4", moving(120), codec_options=options)
    decode(path, Sampling(3, 64, span=(3, 3.5)))
    assert len(seen) <= 35


def _spoilt(path: Path, needless: bool) -> Path:
    """A clip in which the payload of one picture is damaged: one that others are predicted from, or one that none is."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    # The first byte after the length of a unit holds two bits that say whether others are predicted from it.
    packet = max((p for p in packets[10:] if bool(bytes(p)[4] & 0x60) != needless), key=lambda p: p.size)
    assert packet.pos is not None
    begin = packet.pos + 12
    data[begin : packet.pos + packet.size] = np.random.default_rng(1).bytes(packet.size - 12)
    spoilt = path.with_name(f"spoilt-{needless}.mp4")
    spoilt.write_bytes(data)
    return spoilt


def test_damage_counts_where_a_chosen_frame_can_suffer_from_it(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    noisy = [picture + random.integers(0, 40, (64, 128, 3), dtype=np.uint8) // 2 for picture in moving(40)]
    path = write_clip(tmp_path / "clip.mp4", noisy, codec_options={"x264-params": "bframes=3:b-adapt=0"})
    one = Sampling(1, 64)
    np.testing.assert_array_equal(decode(_spoilt(path, needless=True), one), decode(path, one))
    with pytest.raises(UnreadableClip, match="damaged"):
        decode(_spoilt(path, needless=True), Sampling(40, 64))
    with pytest.raises(UnreadableClip, match="damaged"):
        decode(_spoilt(path, needless=False), one)


@pytest.mark.parametrize("first", [3, 9])
def test_a_clip_cut_in_a_group_of_pictures_is_refused_as_before(
    tmp_path: Path, every_picture: pytest.MonkeyPatch, first: int
) -> None:
    whole = write_clip(tmp_path / "whole.mp4", moving(), codec_options={"x264-params": WAYS["open groups"]})
    path = copy_packets(whole, tmp_path / "cut.mp4", lambda number, _: number >= first)
    with pytest.raises(UnreadableClip) as before:
        decode(path, Sampling(2, 64))
    every_picture.undo()
    with pytest.raises(UnreadableClip) as now:
        decode(path, Sampling(2, 64))
    assert str(now.value) == str(before.value)
