"""Which frames come out of a clip, upright and at what size, and what is said of a file that is no clip."""

from __future__ import annotations

import os
from fractions import Fraction
from math import floor
from pathlib import Path
from types import ModuleType, SimpleNamespace

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgs._errors import BgsError, ConfigError, MissingExtraError
from bgs.stimuli import Sampling, UnreadableClip, decode, pyav_decoder
from clips import HEIGHT, number_of, numbered, write_clip, write_sound


def whole(frames: int, **more: object) -> Sampling:
    """``frames`` pictures, squeezed to a square so that no block of the number is cut off."""
    return Sampling(frames, HEIGHT, crop="none", **more)


def numbers(clip: np.ndarray) -> list[int]:
    return [number_of(picture) for picture in clip]


# --- which moments -------------------------------------------------------------------------------------------


def test_moments_are_the_middles_of_equal_parts() -> None:
    sampling = Sampling(3, 8)
    assert sampling.moments(Fraction(1), Fraction(4)) == [Fraction(3, 2), Fraction(5, 2), Fraction(7, 2)]
    spanned = Sampling(2, 8, span=(Fraction(1, 3), 1))
    assert spanned.moments(Fraction(10), Fraction(20)) == [Fraction(21, 2), Fraction(65, 6)]


@given(st.integers(1, 64), st.fractions(0, 5), st.fractions(0, 100))
def test_moments_lie_inside_and_mirror_each_other(frames: int, begin: Fraction, length: Fraction) -> None:
    moments = Sampling(frames, 8).moments(begin, begin + length)
    assert len(moments) == frames
    assert all(begin <= moment <= begin + length for moment in moments)
    assert all(a + b == 2 * begin + length for a, b in zip(moments, reversed(moments), strict=True))


@given(
    st.integers(1, 64), st.integers(-50, 10**6), st.integers(0, 10**6), st.fractions("1/90000", 1),
    st.none() | st.tuples(st.fractions(0, 5), st.floats(5.5, 9)),
)  # fmt: skip
def test_ticks_are_those_at_or_before_the_moments(frames, begin, length, base, span) -> None:
    sampling = Sampling(frames, 8, span=span)
    moments = sampling.moments(begin * base, (begin + length) * base)
    assert sampling.ticks(begin, begin + length, base) == [floor(moment / base) for moment in moments]


@pytest.mark.parametrize(
    "settings",
    [
        {"frames": 0, "size": 8},
        {"frames": 8, "size": 0},
        {"frames": 10**12, "size": 224},
        {"frames": 8, "size": 20_000},
        {"frames": 1, "size": 8, "resize": 20_000},
        {"frames": 8, "size": 8, "resize": 4},
        {"frames": 8, "size": 8, "resize": 9, "crop": "none"},
        {"frames": 8, "size": 8, "span": (2.0, 1.0)},
        {"frames": 8, "size": 8, "span": (-1.0, 1.0)},
        {"frames": 8, "size": 8, "span": (0.0, float("inf"))},
    ],
)
def test_impossible_samplings_are_refused(settings: dict) -> None:
    with pytest.raises(ConfigError):
        Sampling(**settings)


def test_keys_differ_where_samplings_do() -> None:
    samplings = [
        Sampling(8, 64), Sampling(16, 64), Sampling(8, 32), Sampling(8, 64, crop="none"), Sampling(8, 64, resize=72),
        Sampling(8, 64, interpolation="bicubic"), Sampling(8, 64, span=(0, 1)), Sampling(8, 64, span=(0, 0.1)),
    ]  # fmt: skip
    assert len({sampling.key() for sampling in samplings}) == len(samplings)
    assert Sampling(8, 64).key() == Sampling(8, 64, resize=64).key()
    assert Sampling(8, 64, span=(Fraction(1, 2), 1)).key() == Sampling(8, 64, span=(0.5, 1.0)).key()


# --- which frames --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.mov", "clip.ts", "clip.avi"])
def test_frames_in_the_middle_of_equal_parts(tmp_path: Path, name: str) -> None:
    clip = decode(write_clip(tmp_path / name, 30), whole(5))
    assert clip.shape == (5, HEIGHT, HEIGHT, 3)
    assert clip.dtype == np.uint8
    assert numbers(clip) == [3, 9, 15, 21, 27]


def test_every_frame_once_and_one_frame(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", 24, rate=24)
    assert numbers(decode(path, whole(24))) == list(range(24))
    assert numbers(decode(path, whole(1))) == [12]
    assert numbers(decode(path, whole(48))) == [i // 2 for i in range(48)]


def test_sound_and_other_codecs_change_nothing(tmp_path: Path) -> None:
    assert numbers(decode(write_clip(tmp_path / "sound.mp4", sound=True), whole(5))) == [3, 9, 15, 21, 27]
    mpeg4 = write_clip(tmp_path / "old.avi", codec="mpeg4")
    assert numbers(decode(mpeg4, whole(5))) == [3, 9, 15, 21, 27]
    with av.open(str(write_clip(tmp_path / "clip.mkv"))) as container:
        assert container.streams.video[0].frames == 0, "Matroska does not say how many frames there are"


def test_variable_frame_rate(tmp_path: Path) -> None:
    """Ten quick frames in the first 100 ms, then ten slow ones until 1100 ms."""
    times = [10 * i for i in range(10)] + [100 + 100 * i for i in range(10)]
    for name in ("clip.mp4", "clip.mkv"):
        path = write_clip(tmp_path / name, 20, times_ms=times)
        span = whole(10, span=(0, 1))
        # Moments 50, 150, 250, … 950 ms; equal steps of the frame number would show five quick ones.
        assert numbers(decode(path, span)) == [5, 10, 11, 12, 13, 14, 15, 16, 17, 18], name


def test_span(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", 30)
    assert numbers(decode(path, whole(3, span=(Fraction(1, 3), Fraction(2, 3))))) == [11, 15, 18]
    assert numbers(decode(path, whole(10, span=(0, Fraction(1, 3))))) == list(range(10))
    with pytest.raises(UnreadableClip, match=r"lasts only 1 s, but a frame is requested at 1\.75 s"):
        decode(path, whole(4, span=(0, 2)))


def test_span_counts_from_the_first_frame(tmp_path: Path) -> None:
    late = write_clip(tmp_path / "late.mkv", 20, times_ms=[5000 + 50 * i for i in range(20)])
    assert numbers(decode(late, whole(4, span=(0, Fraction(1, 5))))) == [0, 1, 2, 3]


@pytest.mark.parametrize(("promised", "expected"), [(None, 1), (set(), 2), ({1, 2}, 2)])
def test_a_clip_is_decoded_again_only_where_its_packets_promise_other_frames(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    passes: list[Path],
    promised: set[int] | None,
    expected: int,
) -> None:
    path = write_clip(tmp_path / "clip.mp4", 30)
    kept = decode(path, whole(7))
    if promised is not None:
        monkeypatch.setattr(pyav_decoder, "_expected_ticks", lambda *_: promised)
    passes.clear()
    np.testing.assert_array_equal(decode(path, whole(7)), kept)
    assert len(passes) == expected


@pytest.mark.parametrize("held_bytes", [pyav_decoder.HELD_BYTES, 0])
def test_clips_of_every_container_are_decoded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passes: list[Path], held_bytes: int
) -> None:
    times = [10 * i for i in range(10)] + [100 + 100 * i for i in range(10)]
    paths = [
        write_clip(tmp_path / "clip.mp4"),
        write_clip(tmp_path / "clip.mkv"),
        write_clip(tmp_path / "clip.avi", codec="mpeg4"),
        write_clip(tmp_path / "uneven.mkv", 20, times_ms=times),
    ]
    monkeypatch.setattr(pyav_decoder, "HELD_BYTES", held_bytes)
    monkeypatch.setattr(pyav_decoder, "KEPT_BYTES", 0)  # what will be chosen is kept, however large it is
    for path in paths:
        decode(path, whole(5))
    assert passes == paths


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
@pytest.mark.parametrize("frames", [1, 7, 60])
def test_memory_for_frames_makes_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, frames: int
) -> None:
    path = write_clip(tmp_path / f"clip{suffix}", 30)
    kept = decode(path, whole(frames))
    monkeypatch.setattr(pyav_decoder, "KEPT_BYTES", 0)
    monkeypatch.setattr(pyav_decoder, "HELD_BYTES", 0)
    np.testing.assert_array_equal(decode(path, whole(frames)), kept)


# --- upright and to size -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_rotation_is_applied(tmp_path: Path, rotation: int) -> None:
    path = write_clip(tmp_path / "turned.mp4", 6, rotation=rotation)
    seen = decode(path, Sampling(6, 64, crop="none"))
    turned = [np.rot90(picture, -rotation // 90) for picture in seen]  # back to how it was encoded
    assert numbers(np.stack(turned)) == list(range(6))
    assert numbers(seen) != list(range(6))


def test_rotation_turns_counter_clockwise(tmp_path: Path) -> None:
    """White on the right; turned by 90° counter-clockwise, white is on top."""
    picture = np.zeros((64, 128, 3), np.uint8)
    picture[:, 64:] = 255
    path = write_clip(tmp_path / "turned.mp4", [picture] * 3, rotation=90)
    seen = decode(path, Sampling(1, 32, crop="none"))[0, ..., 0]
    assert seen[4].min() > 200
    assert seen[-5].max() < 55


def test_slanted_rotation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableClip, match="rotation is 45°"):
        decode(write_clip(tmp_path / "slanted.mp4", 6, rotation=45), whole(2))


def test_center_crop_cuts_the_middle_out(tmp_path: Path) -> None:
    """Three vertical bands, 96 wide and 32 high: the middle third is all that is left."""
    picture = np.zeros((32, 96, 3), np.uint8)
    picture[:, 32:64] = 255
    path = write_clip(tmp_path / "bands.mp4", [picture] * 3, options={"crf": "0"})
    assert decode(path, Sampling(1, 32)).min() > 225
    zoomed = decode(path, Sampling(1, 32, resize=64))
    assert zoomed.shape == (1, 32, 32, 3)
    assert zoomed.min() > 225
    squeezed = decode(path, Sampling(1, 30, crop="none"))[0, 15, :, 0]
    assert squeezed[:9].max() < 60
    assert squeezed[11:19].min() > 200
    assert squeezed[21:].max() < 60


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_resizing_is_antialiased(tmp_path: Path, interpolation: str) -> None:
    """A fine checkerboard becomes grey; without antialiasing it stays black and white."""
    board = np.repeat((np.indices((128, 128)).sum(0) % 2 * 255).astype(np.uint8)[:, :, None], 3, axis=2)
    path = write_clip(tmp_path / "board.mkv", [board] * 2, codec="ffv1")
    small = decode(path, Sampling(1, 16, interpolation=interpolation))
    assert abs(small.astype(int) - 127).max() < 12


# --- bad files -----------------------------------------------------------------------------------------------


def shortened(path: Path, share: float) -> Path:
    data = path.read_bytes()
    short = path.with_name("short-" + path.name)
    short.write_bytes(data[: int(len(data) * share)])
    return short


def reason(path: Path, sampling: Sampling | None = None) -> str:
    with pytest.raises(UnreadableClip) as caught:
        decode(path, sampling or whole(4))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(path) not in caught.value.reason
    return caught.value.reason


def noise(frames: int = 40) -> list[np.ndarray]:
    """Pictures that fill a file with payload."""
    return list(np.random.default_rng(0).integers(0, 255, (frames, 64, 128, 3), dtype=np.uint8))


def test_missing_empty_text_folder(tmp_path: Path) -> None:
    assert reason(tmp_path / "missing.mp4") == "No such file or directory"
    assert reason(tmp_path) == "a folder, not a file"
    (tmp_path / "empty.mp4").touch()
    assert reason(tmp_path / "empty.mp4") == "empty file"
    (tmp_path / "text.mp4").write_text("these are not the frames you are looking for\n" * 100)
    assert reason(tmp_path / "text.mp4").startswith("not a video")


def test_what_may_never_end_is_not_opened(tmp_path: Path) -> None:
    """A pipe that nobody writes into would be waited for, /dev/zero read for ever."""
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "pipe.mp4")
    assert reason(tmp_path / "pipe.mp4") == "a pipe, not a file"
    assert reason(tmp_path / "link.mp4") == "a pipe, not a file"
    assert reason(Path("/dev/zero")) == "a device, not a file"
    with pytest.raises(UnreadableClip, match="null"):
        decode(tmp_path / "a\0.mp4", whole(1))


def test_a_late_start_is_not_a_truncation(tmp_path: Path) -> None:
    times = [900, 1000, 1200, 1250]
    for name in ("late.mkv", "late.mp4"):
        assert numbers(decode(write_clip(tmp_path / name, 4, times_ms=times), whole(2, span=(0, 0.2)))) == [
            0,
            1,
        ]


def test_sound_only(tmp_path: Path) -> None:
    assert reason(write_sound(tmp_path / "sound.mp4")) == "no video stream, only sound"


def test_no_index(tmp_path: Path) -> None:
    """An mp4 whose index, at its end, was cut off."""
    assert "moov" in reason(shortened(write_clip(tmp_path / "clip.mp4"), 0.5))


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("name", ["clip.mkv", "clip.mp4", "clip.avi"])
def test_truncated(tmp_path: Path, name: str, share: float) -> None:
    """A Matroska file that was cut between two frames reads without any complaint of FFmpeg's."""
    options = {"movflags": "faststart"} if name.endswith("mp4") else None
    assert "truncated" in reason(shortened(write_clip(tmp_path / name, noise(), options=options), share))


def test_damaged_payload(tmp_path: Path) -> None:
    """Some bytes in the middle of the pictures are wrong: no picture is better than a guessed one."""
    data = bytearray(write_clip(tmp_path / "clip.mp4", noise()).read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = np.random.default_rng(1).bytes(2000)
    (tmp_path / "damaged.mp4").write_bytes(data)
    assert reason(tmp_path / "damaged.mp4").startswith("damaged")


def test_damage_between_chosen_frames_counts_too(tmp_path: Path) -> None:
    """Sampled once, in the middle; the damage is in the last quarter."""
    data = bytearray(write_clip(tmp_path / "clip.mp4", noise()).read_bytes())
    begin = int(len(data) * 0.75)
    data[begin : begin + 2000] = np.random.default_rng(2).bytes(2000)
    (tmp_path / "damaged.mp4").write_bytes(data)
    assert reason(tmp_path / "damaged.mp4", whole(1)).startswith("damaged")


def test_a_single_picture_is_no_clip(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "still.mp4", 1)
    assert reason(path) == "a single picture, but 4 frames are requested"
    assert numbers(decode(path, whole(1))) == [0]


def test_no_picture_and_no_duration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = SimpleNamespace(pts=0, time_base=Fraction(1, 30), duration=0, width=8, height=8)
    path = write_clip(tmp_path / "clip.mp4", 2)
    monkeypatch.setattr(pyav_decoder, "decoded", lambda *_: iter([frame, frame]))
    assert reason(path) == "zero duration"
    monkeypatch.setattr(pyav_decoder, "decoded", lambda *_: iter([]))
    assert reason(path) == "its video stream contains no frames"


def test_a_machine_out_of_files_is_not_the_clips_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: object) -> None:
        raise av.FFmpegError(24, "Too many open files", str(path))

    path = write_clip(tmp_path / "clip.mp4", 2)
    monkeypatch.setattr(pyav_decoder, "decoded", refuse)
    with pytest.raises(av.FFmpegError):
        decode(path, whole(1))


# --- torchcodec ----------------------------------------------------------------------------------------------


def test_torchcodec_missing(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", 2)
    with pytest.raises(MissingExtraError, match=r"bgs-video\[torchcodec\]"):
        decode(path, whole(1), decoder="torchcodec")


def test_torchcodec_is_asked_for_the_same_moments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in with torchcodec's interface, over 30 numbered pictures of 1/30 s."""
    import torch

    class VideoDecoder:
        def __init__(self, path: str, **options: object) -> None:
            self.metadata = SimpleNamespace(
                begin_stream_seconds_from_content=0.0,
                end_stream_seconds_from_content=1.0,
                num_frames=30,
                rotation=None,
            )

        def get_frames_played_at(self, seconds: list[float]) -> SimpleNamespace:
            return SimpleNamespace(data=torch.from_numpy(np.stack([numbered(int(s * 30)) for s in seconds])))

    module = ModuleType("torchcodec.decoders")
    module.VideoDecoder = VideoDecoder
    monkeypatch.setitem(__import__("sys").modules, "torchcodec", ModuleType("torchcodec"))
    monkeypatch.setitem(__import__("sys").modules, "torchcodec.decoders", module)
    path = write_clip(tmp_path / "clip.mp4", 30)
    np.testing.assert_array_equal(
        numbers(decode(path, whole(5), decoder="torchcodec")), numbers(decode(path, whole(5)))
    )
    with pytest.raises(BgsError, match="lasts only 1 s"):
        decode(path, whole(4, span=(0, 2)), decoder="torchcodec")
