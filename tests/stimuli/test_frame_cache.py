"""The frame cache: what it gives, what it remembers, two builders at once, and every way a disk can refuse."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from bgs._errors import BgsError, DataError, MissingExtraError
from bgs.cli import main
from bgs.stimuli import (
    FrameCache,
    Frames,
    Sampling,
    StimulusSet,
    UnreadableClips,
    decode,
    decode_pool,
    pack_builder,
)
from clips import number_of, numbered, write_clip
from no_room import no_room

SAMPLING = Sampling(4, 64, crop="none")


def clip_of(path: Path, first: int, frames: int = 8) -> Path:
    """A clip that shows the numbers from ``first`` on."""
    return write_clip(path, [numbered(first + i) for i in range(frames)])


def stimulus_set(*paths: Path | None) -> StimulusSet:
    return StimulusSet(ids=tuple(f"clip {i}" for i in range(len(paths))), videos=paths)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("clips")
    return [clip_of(folder / f"{i}.mp4", 10 * i) for i in range(5)]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every path that is decoded, in order."""
    seen: list[Path] = []
    original = pack_builder.decode_all

    def counting(paths: list[Path], *rest: object) -> object:
        seen.extend(paths)
        return original(paths, *rest)

    monkeypatch.setattr(pack_builder, "decode_all", counting)
    return seen


def numbers(frames: Frames) -> list[list[int]]:
    return [[number_of(picture) for picture in clip] for clip in frames.array]


# --- what it gives -------------------------------------------------------------------------------------------


def test_frames_are_those_of_decode_in_the_order_of_the_set(tmp_path: Path, clips: list[Path]) -> None:
    frames = FrameCache(tmp_path).open_frames(stimulus_set(*reversed(clips)), SAMPLING)
    assert frames.array.shape == (5, 4, 64, 64, 3)
    assert isinstance(frames.array.records, np.memmap)
    assert not frames.array.records.flags.writeable
    assert frames.ids == tuple(f"clip {i}" for i in range(5))
    assert frames.positions.tolist() == [0, 1, 2, 3, 4]
    assert frames.failures == ()
    for row, path in zip(frames.array, reversed(clips), strict=True):
        np.testing.assert_array_equal(row, decode(path, SAMPLING))


def test_a_second_opening_decodes_nothing(tmp_path: Path, clips: list[Path], counted: list[Path]) -> None:
    told: list[int] = []
    first = FrameCache(tmp_path).open_frames(stimulus_set(*clips), SAMPLING, progress=told.append)
    assert counted == clips
    again = FrameCache(tmp_path).open_frames(stimulus_set(*clips), SAMPLING, progress=told.append)
    assert counted == clips
    assert sum(told) == 10
    np.testing.assert_array_equal(first.array, again.array)


def test_clips_of_another_set_are_neither_copied_nor_decoded(
    tmp_path: Path, clips: list[Path], counted: list[Path]
) -> None:
    cache = FrameCache(tmp_path)
    cache.open_frames(stimulus_set(*clips[:3]), SAMPLING)
    told: list[int] = []
    mixed = stimulus_set(clips[4], clips[1], clips[1], clips[3])
    frames = cache.open_frames(mixed, SAMPLING, workers=1, progress=told.append)
    assert counted == [*clips[:3], clips[4], clips[3]]
    assert told == [2, 1, 1], "first those that are there"
    assert numbers(frames) == [[10 * i + k for k in (1, 3, 5, 7)] for i in (4, 1, 1, 3)]
    (pack,) = tmp_path.rglob("frames.u8")
    size = pack.stat().st_size
    assert size == len(clips) * 4 * 64 * 64 * 3
    for fold in (clips, clips[1:4], clips[::-1]):
        cache.open_frames(stimulus_set(*fold), SAMPLING)
    assert pack.stat().st_size == size
    assert len(counted) == len(clips)


def test_frames_are_indexed_like_an_array(tmp_path: Path, clips: list[Path]) -> None:
    frames = FrameCache(tmp_path).open_frames(stimulus_set(*clips), SAMPLING).array
    whole = np.stack([decode(path, SAMPLING) for path in clips])
    assert (len(frames), frames.shape) == (len(whole), whole.shape)
    for index in (2, -1, slice(1, 4), np.array([3, 0, 3]), slice(0, 0)):
        np.testing.assert_array_equal(frames[index], whole[index])
    np.testing.assert_array_equal(np.asarray(frames), whole)
    np.testing.assert_array_equal(list(frames), whole)
    with pytest.raises(IndexError):
        frames[5]


def test_another_sampling_or_content_is_decoded(tmp_path: Path, counted: list[Path]) -> None:
    cache, path = FrameCache(tmp_path / "cache"), clip_of(tmp_path / "a.mp4", 0)
    cache.open_frames(stimulus_set(path), SAMPLING)
    assert cache.open_frames(stimulus_set(path), Sampling(2, 32)).array.shape == (1, 2, 32, 32, 3)
    clip_of(path, 100)
    assert numbers(cache.open_frames(stimulus_set(path), SAMPLING)) == [[101, 103, 105, 107]]
    assert len(counted) == 3


def test_a_copy_elsewhere_is_known_by_its_content(tmp_path: Path, counted: list[Path]) -> None:
    cache, path = FrameCache(tmp_path / "cache"), clip_of(tmp_path / "a.mp4", 0)
    cache.open_frames(stimulus_set(path), SAMPLING)
    moved = path.rename(tmp_path / "b.mp4")
    cache.open_frames(stimulus_set(moved), SAMPLING)
    assert counted == [path]


def test_several_threads_give_the_same(tmp_path: Path, clips: list[Path]) -> None:
    one = FrameCache(tmp_path / "one").open_frames(stimulus_set(*clips), SAMPLING, workers=1)
    bad = tmp_path / "bad.mp4"
    bad.write_text("no video")
    two = FrameCache(tmp_path / "two").open_frames(
        stimulus_set(bad, *clips), SAMPLING, workers=2, skip_bad=True
    )
    np.testing.assert_array_equal(one.array, two.array)
    assert two.positions.tolist() == [1, 2, 3, 4, 5]


def test_default_folder_follows_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clips: list[Path]
) -> None:
    monkeypatch.setenv("BGS_CACHE", str(tmp_path / "mine"))
    FrameCache().open_frames(stimulus_set(clips[0]), SAMPLING)
    assert FrameCache().folder == tmp_path / "mine" / "frames"
    (entry,) = FrameCache().entries()
    assert (entry.clips, entry.damaged, entry.current) == (1, 0, True)
    assert entry.key.startswith(SAMPLING.key() + "-av")
    assert entry.size > 4 * 64 * 64 * 3
    assert FrameCache().clear() > entry.size
    assert FrameCache().entries() == []
    assert FrameCache().clear() == 0


# --- bad clips -----------------------------------------------------------------------------------------------


@pytest.fixture
def mixed(tmp_path: Path, clips: list[Path]) -> StimulusSet:
    """Two good clips among a missing, an empty, a still and a text file, and a stimulus without one."""
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("no video")
    still = write_clip(tmp_path / "still.mp4", 1)
    bad = [tmp_path / "empty.mp4", tmp_path / "text.mp4", still, None]
    return stimulus_set(tmp_path / "missing.mp4", clips[2], *bad, clips[0])


def test_every_bad_clip_is_listed_at_once(tmp_path: Path, mixed: StimulusSet) -> None:
    with pytest.raises(UnreadableClips) as caught:
        FrameCache(tmp_path / "cache").open_frames(mixed, SAMPLING)
    assert list(caught.value.failures) == [
        ("clip 0", "No such file or directory"),
        ("clip 2", "empty file"),
        ("clip 3", "not a video: no header or index (moov) that FFmpeg can read"),
        ("clip 4", "a single picture, but 4 frames are requested"),
        ("clip 5", "no file given"),
    ]
    line = str(caught.value)
    assert line.startswith(
        "5 of 7 clips cannot be read: clip 0 (No such file or directory), clip 2 (empty file), "
    )
    assert "and 2 more" in line
    assert "\n" not in line


def test_bad_clips_are_left_out_when_asked(tmp_path: Path, mixed: StimulusSet, counted: list[Path]) -> None:
    cache, told = FrameCache(tmp_path / "cache"), []
    frames = cache.open_frames(mixed, SAMPLING, skip_bad=True, progress=told.append)
    assert frames.ids == ("clip 1", "clip 6")
    assert frames.positions.tolist() == [1, 6]
    assert numbers(frames) == [[21, 23, 25, 27], [1, 3, 5, 7]]
    assert [name for name, _ in frames.failures] == ["clip 0", "clip 2", "clip 3", "clip 4", "clip 5"]
    assert sum(told) == len(mixed)
    before = list(counted)
    assert cache.open_frames(mixed, SAMPLING, skip_bad=True).failures == frames.failures
    assert counted == before


def test_refused_clips_do_not_cost_the_good_ones(
    tmp_path: Path, clips: list[Path], counted: list[Path]
) -> None:
    """After the bad file was replaced, only it is decoded."""
    cache, bad = FrameCache(tmp_path / "cache"), tmp_path / "bad.mp4"
    bad.write_text("no video")
    with pytest.raises(UnreadableClips):
        cache.open_frames(stimulus_set(*clips, bad), SAMPLING)
    clip_of(bad, 50)
    counted.clear()
    cache.open_frames(stimulus_set(*clips, bad), SAMPLING)
    assert counted == [bad]


def test_nothing_left_is_an_error_even_when_skipping(tmp_path: Path) -> None:
    with pytest.raises(UnreadableClips, match="1 of 1 clips"):
        FrameCache(tmp_path).open_frames(stimulus_set(tmp_path / "missing.mp4"), SAMPLING, skip_bad=True)


def test_a_set_without_clips(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="have no clips"):
        FrameCache(tmp_path).open_frames(StimulusSet(ids=("a",)), SAMPLING)


def test_missing_decoder(tmp_path: Path, clips: list[Path]) -> None:
    with pytest.raises(MissingExtraError, match=r"bgs-video\[torchcodec\]"):
        FrameCache(tmp_path).open_frames(stimulus_set(*clips), SAMPLING, decoder="torchcodec")


# --- several builders, and one that dies ---------------------------------------------------------------------

#: Decodes clips and tells of each that it begins; waits before the last one until its standard input ends.
_BUILDER = """
import sys
from pathlib import Path
from bgs.stimuli import FrameCache, Sampling, StimulusSet, decode_pool
decode = decode_pool.decode
def told(path, *rest):
    print(path.name, flush=True)
    if path == clips[-1]:
        sys.stdin.read()
    return decode(path, *rest)
decode_pool.decode = told
clips = [Path(name) for name in sys.argv[2:]]
stimuli = StimulusSet(ids=tuple(sys.argv[2:]), videos=tuple(clips))
FrameCache(sys.argv[1]).open_frames(stimuli, Sampling(4, 64, crop="none"), workers=1)
"""


def builder(folder: Path, clips: list[Path]) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _BUILDER, str(folder), *map(str, clips)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_two_builders_at_once(tmp_path: Path, clips: list[Path]) -> None:
    """The second waits, says so, and decodes what the first did not."""
    with builder(tmp_path, clips[:4]) as first:
        assert first.stdout is not None
        for name in ("0.mp4", "1.mp4", "2.mp4", "3.mp4"):
            assert first.stdout.readline() == f"{name}\n"
        with builder(tmp_path, clips[1:]) as second:
            assert second.stderr is not None
            assert second.stderr.readline().startswith(f"waiting for process {first.pid} on ")
            first.communicate()
            assert second.communicate() == ("4.mp4\n", "")
    assert (first.returncode, second.returncode) == (0, 0)
    frames = FrameCache(tmp_path).open_frames(stimulus_set(*clips), SAMPLING)
    np.testing.assert_array_equal(frames.array, np.stack([decode(path, SAMPLING) for path in clips]))
    assert frames.notes == ()


def leftovers(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.endswith(".part")]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_builder_keeps_what_it_decoded(
    tmp_path: Path, clips: list[Path], counted: list[Path], how: signal.Signals
) -> None:
    with builder(tmp_path, clips) as killed:
        assert killed.stdout is not None
        while killed.stdout.readline() != "4.mp4\n":
            pass
        with pytest.raises(BgsError, match=f"another process is using this folder: process {killed.pid}"):
            FrameCache(tmp_path).clear()
        killed.send_signal(how)
    assert leftovers(tmp_path) == []
    (entry,) = FrameCache(tmp_path).entries()
    assert (entry.clips, entry.damaged) == (4, 0)
    frames = FrameCache(tmp_path).open_frames(stimulus_set(*clips), SAMPLING)
    assert counted == clips[4:]
    np.testing.assert_array_equal(frames.array, np.stack([decode(path, SAMPLING) for path in clips]))


def test_an_unfinished_record_and_line_are_written_again(
    tmp_path: Path, clips: list[Path], counted: list[Path]
) -> None:
    cache = FrameCache(tmp_path)
    cache.open_frames(stimulus_set(*clips[:2]), SAMPLING)
    (pack,), (log,) = tmp_path.rglob("frames.u8"), tmp_path.rglob("clips.jsonl")
    with pack.open("ab") as stream:
        stream.write(b"half a record")
    with log.open("a") as stream:
        stream.write('\n{"clip": "half a line')
    frames = cache.open_frames(stimulus_set(*clips), SAMPLING)
    assert counted == clips
    assert frames.notes == ()
    np.testing.assert_array_equal(frames.array, np.stack([decode(path, SAMPLING) for path in clips]))
    assert cache.open_frames(stimulus_set(*clips), SAMPLING).notes == ()
    assert pack.stat().st_size == len(clips) * 4 * 64 * 64 * 3


def test_an_interrupted_builder_keeps_what_it_decoded(
    tmp_path: Path, clips: list[Path], counted: list[Path]
) -> None:
    def stop(done: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        FrameCache(tmp_path).open_frames(stimulus_set(*clips), SAMPLING, workers=1, progress=stop)
    assert leftovers(tmp_path) == []
    counted.clear()
    FrameCache(tmp_path).open_frames(stimulus_set(*clips), SAMPLING)
    assert counted == clips[1:]


def test_an_error_that_is_not_the_clips_stops_all_threads(
    tmp_path: Path, clips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_out(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(decode_pool, "decode", run_out)
    with pytest.raises(MemoryError):
        FrameCache(tmp_path).open_frames(stimulus_set(*clips), SAMPLING, workers=2)
    assert leftovers(tmp_path) == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


# --- disks that refuse ---------------------------------------------------------------------------------------


def test_too_full_a_disk_is_noticed_before_decoding(
    tmp_path: Path, clips: list[Path], counted: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from types import SimpleNamespace

    monkeypatch.setattr(pack_builder.shutil, "disk_usage", lambda folder: SimpleNamespace(free=100_000))
    with pytest.raises(DataError, match=r"disk is too full .* 0 MB free .*bgs cache clear"):
        FrameCache(tmp_path).open_frames(stimulus_set(*clips), SAMPLING)
    assert leftovers(tmp_path) == []


def test_a_disk_that_fills_up_while_writing(tmp_path: Path, clips: list[Path], counted: list[Path]) -> None:
    """Files may grow to 100 kB: two clips fit, the third does not."""
    with no_room(100_000), pytest.raises(DataError, match=r"frame cache cannot be used: .*bgs cache clear"):
        FrameCache(tmp_path).open_frames(stimulus_set(*clips), SAMPLING, workers=1)
    counted.clear()
    frames = FrameCache(tmp_path).open_frames(stimulus_set(*clips), SAMPLING)
    assert counted == clips[2:]
    np.testing.assert_array_equal(frames.array, np.stack([decode(path, SAMPLING) for path in clips]))


def test_a_cache_folder_that_cannot_be_written(tmp_path: Path, clips: list[Path]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"frame cache cannot be used: Not a directory.*BGS_CACHE"):
        FrameCache(tmp_path / "file" / "cache").open_frames(stimulus_set(*clips), SAMPLING)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_cache(tmp_path: Path, clips: list[Path]) -> None:
    cache = FrameCache(tmp_path / "cache")
    ready = cache.open_frames(stimulus_set(*clips), SAMPLING).array
    folders = [cache.folder, *(path for path in cache.folder.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o500)
    try:
        np.testing.assert_array_equal(cache.open_frames(stimulus_set(*clips), SAMPLING).array, ready)
        with pytest.raises(DataError, match=r"frame cache cannot be used: Permission denied.*BGS_CACHE"):
            cache.open_frames(stimulus_set(*clips), Sampling(2, 32))
    finally:
        for folder in folders:
            folder.chmod(0o700)


def bgs(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main.main(arguments)


def test_frames_of_another_version_are_ignored_and_cleared(
    tmp_path: Path, clips: list[Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the first format left: a marker, and a folder for each set of clips."""
    monkeypatch.setenv("BGS_CACHE", str(tmp_path))
    cache = FrameCache()
    cache.open_frames(stimulus_set(*clips[:1]), SAMPLING)
    (entry,) = cache.entries()
    old = cache.folder / entry.key.replace("-r3", "-r2") / "a set"
    old.mkdir(parents=True)
    (cache.folder / "format.json").write_text('{"format": "bgs-frames/1"}')
    (old / "about.json").write_text("{}")
    (old / "frames.u8").write_bytes(bytes(3_000_000))
    (old.parent / ".a set.lock").touch()
    assert len(cache.open_frames(stimulus_set(*clips), SAMPLING).ids) == len(clips)
    damage(cache.folder / entry.key, "a bit")
    bgs(["cache", "info", "--json", "-"])
    listed = json.loads(capsys.readouterr().out)["entries"]
    assert [(each["clips"], each["damaged"], each["current"]) for each in listed] == [
        (0, 0, False),
        (5, 1, True),
    ]
    bgs(["cache", "info"])
    printed = capsys.readouterr().out
    assert "3.0 MB were stored by another version of bgs" in printed
    assert "Damaged clips are decoded again" in printed
    bgs(["cache", "clear"])
    assert not cache.folder.exists()


def damage(folder: Path, kind: str) -> None:
    """Spoil what is kept of five clips."""
    pack, log = folder / "frames.u8", folder / "clips.jsonl"
    lines = log.read_text().split("\n")
    if kind == "a bit":
        with pack.open("r+b") as stream:
            stream.seek(12_345)
            (byte,) = stream.read(1)
            stream.seek(12_345)
            stream.write(bytes([byte ^ 8]))
    elif kind == "short":
        os.truncate(pack, 4 * 64 * 64 * 3 + 1000)
    elif kind in ("frames.u8", "clips.jsonl"):
        (folder / kind).unlink()
    elif kind == "no JSON":
        log.write_bytes(b"\xff{")
    elif kind == "swapped":  # the records of two clips
        offsets = [json.loads(line)["offset"] for line in lines[1:3]]
        lines[1:3] = [
            json.dumps(json.loads(line) | {"offset": at})
            for line, at in zip(lines[1:3], offsets[::-1], strict=True)
        ]
        log.write_text("\n".join(lines))
    else:
        key, value = kind.split("=")
        lines[1] = json.dumps(json.loads(lines[1]) | {key: json.loads(value)})
        log.write_text("\n".join(lines))


@pytest.mark.parametrize(
    ("kind", "again", "noted"),
    [
        ("a bit", 1, 1),
        ("short", 4, 4),
        ("frames.u8", 5, 5),
        ("clips.jsonl", 5, 0),
        ("no JSON", 5, 0),
        ("swapped", 2, 2),
        ("offset=-49152", 1, 1),
        ("offset=1", 1, 1),
        ("offset=1e30", 1, 1),
        ("offset=null", 1, 0),
        ("bytes=98304", 1, 1),
        ("bytes=0", 1, 1),
        ("crc32=1", 1, 1),
        ('clip="unknown"', 1, 0),
    ],
)
def test_only_what_is_damaged_is_decoded_again_and_told(
    tmp_path: Path, clips: list[Path], counted: list[Path], kind: str, again: int, noted: int
) -> None:
    cache = FrameCache(tmp_path)
    whole = np.array(cache.open_frames(stimulus_set(*clips), SAMPLING, workers=1).array)
    (pack,) = tmp_path.rglob("frames.u8")
    counted.clear()
    damage(pack.parent, kind)
    frames = cache.open_frames(stimulus_set(*clips), SAMPLING)
    np.testing.assert_array_equal(frames.array, whole)
    assert len(counted) == again
    expected = [f"the frames of {noted} of 5 clips were damaged: they were decoded again ({pack.parent})"]
    assert list(frames.notes) == (expected if noted else [])
    assert cache.open_frames(stimulus_set(*clips), SAMPLING).notes == ()
    assert len(counted) == again


def test_damage_does_not_concern_other_clips(tmp_path: Path, clips: list[Path], counted: list[Path]) -> None:
    cache = FrameCache(tmp_path)
    cache.open_frames(stimulus_set(*clips), SAMPLING, workers=1)
    (pack,) = tmp_path.rglob("frames.u8")
    damage(pack.parent, "a bit")  # of the first clip
    counted.clear()
    assert cache.open_frames(stimulus_set(*clips[1:]), SAMPLING).notes == ()
    assert counted == []
    assert [entry.damaged for entry in cache.entries()] == [1]


def test_hashes_are_remembered_until_a_file_changes(
    tmp_path: Path, clips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from bgs.stimuli import content_hashes

    hashed: list[Path] = []
    original = content_hashes.sha256
    monkeypatch.setattr(content_hashes, "sha256", lambda path: hashed.append(path) or original(path))
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(clips[0].read_bytes())
    memory = tmp_path / "hashes.json"
    first = content_hashes.file_hashes([copy, clips[0]], memory)
    assert first[0] == first[1]
    assert content_hashes.file_hashes([copy], memory) == first[:1]
    assert sorted(hashed) == sorted([copy, clips[0]])
    time.sleep(0.01)
    copy.write_bytes(clips[1].read_bytes())
    assert content_hashes.file_hashes([copy], memory) != first[:1]
    for illegible in ("not legible", "[]", json.dumps({os.path.abspath(clips[0]): [1, 2]})):
        memory.write_text(illegible)
        assert content_hashes.file_hashes([clips[0]], memory) == first[1:]
    assert content_hashes.file_hashes([clips[0]], memory) == first[1:]
