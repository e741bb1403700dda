"""The frame cache: what it gives, what it remembers, two builders at once, and every way a disk can refuse."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from bgs._errors import DataError, MissingExtraError
from bgs.stimuli import (
    FrameCache,
    Frames,
    Sampling,
    StimulusSet,
    UnreadableClips,
    decode,
    decode_pool,
    frame_sets,
)
from clips import number_of, numbered, write_clip

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
    original = frame_sets.decode_all

    def counting(paths: list[Path], *rest: object) -> object:
        seen.extend(paths)
        return original(paths, *rest)

    monkeypatch.setattr(frame_sets, "decode_all", counting)
    return seen


def numbers(frames: Frames) -> list[list[int]]:
    return [[number_of(picture) for picture in clip] for clip in frames.array]


# --- what it gives -------------------------------------------------------------------------------------------


def test_frames_are_those_of_decode_in_the_order_of_the_set(tmp_path: Path, clips: list[Path]) -> None:
    frames = FrameCache(tmp_path).open_frames(stimulus_set(*reversed(clips)), SAMPLING)
    assert frames.array.shape == (5, 4, 64, 64, 3)
    assert isinstance(frames.array, np.memmap)
    assert not frames.array.flags.writeable
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


def test_clips_of_another_set_are_copied_not_decoded(
    tmp_path: Path, clips: list[Path], counted: list[Path]
) -> None:
    cache = FrameCache(tmp_path)
    cache.open_frames(stimulus_set(*clips[:3]), SAMPLING)
    frames = cache.open_frames(stimulus_set(clips[4], clips[1], clips[1], clips[3]), SAMPLING)
    assert counted == [*clips[:3], clips[4], clips[3]]
    assert numbers(frames) == [[10 * i + k for k in (1, 3, 5, 7)] for i in (4, 1, 1, 3)]


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
    assert (entry.sets, entry.clips) == (1, 1)
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


def _build(folder: Path, clips: list[Path], results: object) -> None:
    frames = FrameCache(folder).open_frames(stimulus_set(*clips), SAMPLING, workers=1)
    results.put(int(frames.array.sum()))


def test_two_builders_at_once(tmp_path: Path, clips: list[Path]) -> None:
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    builders = [context.Process(target=_build, args=(tmp_path, clips, results)) for _ in range(2)]
    for builder in builders:
        builder.start()
    sums = {results.get(timeout=60) for _ in builders}
    for builder in builders:
        builder.join()
        assert builder.exitcode == 0
    assert sums == {int(sum(decode(path, SAMPLING).sum(dtype=int) for path in clips))}
    assert leftovers(tmp_path) == []


def leftovers(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.endswith(".part")]


_SLOW_BUILDER = """
import sys, time
from pathlib import Path
from bgs.stimuli import FrameCache, Sampling, StimulusSet, decode_pool
decode = decode_pool.decode
def slow(path, *rest):
    frames = decode(path, *rest)
    if path.name == "3.mp4":
        print("half way", flush=True)
        time.sleep(60)
    return frames
decode_pool.decode = slow
clips = [Path(name) for name in sys.argv[2:]]
stimuli = StimulusSet(ids=tuple(sys.argv[2:]), videos=tuple(clips))
FrameCache(sys.argv[1]).open_frames(stimuli, Sampling(4, 64, crop="none"), workers=1)
"""


def test_a_killed_builder_leaves_nothing_that_counts(tmp_path: Path, clips: list[Path]) -> None:
    command = [sys.executable, "-c", _SLOW_BUILDER, str(tmp_path), *map(str, clips)]
    builder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert builder.stdout is not None
    assert builder.stdout.readline() == "half way\n"
    builder.send_signal(signal.SIGKILL)
    builder.wait()
    builder.stdout.close()
    assert leftovers(tmp_path), "it was killed in the middle of writing"
    assert [entry.sets for entry in FrameCache(tmp_path).entries()] == [0]
    frames = FrameCache(tmp_path).open_frames(stimulus_set(*clips), SAMPLING)
    assert numbers(frames)[4] == [41, 43, 45, 47]
    assert leftovers(tmp_path) == []


def test_a_failing_builder_leaves_nothing(
    tmp_path: Path, clips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(done: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        FrameCache(tmp_path).open_frames(stimulus_set(*clips), SAMPLING, progress=stop)
    assert leftovers(tmp_path) == []
    assert [entry.sets for entry in FrameCache(tmp_path).entries()] == [0]


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

    monkeypatch.setattr(frame_sets.shutil, "disk_usage", lambda folder: SimpleNamespace(free=100_000))
    with pytest.raises(DataError, match=r"not enough disk space .* 0 MB free .*bgs cache clear"):
        FrameCache(tmp_path).open_frames(stimulus_set(*clips), SAMPLING)
    assert leftovers(tmp_path) == []


def test_a_disk_that_fills_up_while_writing(tmp_path: Path, clips: list[Path]) -> None:
    """The system refuses to let files grow beyond 100 kB: two clips fit, the third does not."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(DataError, match=r"frame cache cannot be used: .*bgs cache clear"):
            FrameCache(tmp_path).open_frames(stimulus_set(*clips), SAMPLING, workers=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert leftovers(tmp_path) == []


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


def test_a_cache_of_another_version(tmp_path: Path, clips: list[Path]) -> None:
    for written in ('{"format": "bgs-frames/0"}', "[]", "no JSON"):
        (tmp_path / "format.json").write_text(written)
        with pytest.raises(
            DataError, match=r"frame cache from another version.*expected bgs-frames/1.*bgs cache clear"
        ):
            FrameCache(tmp_path).open_frames(stimulus_set(*clips), SAMPLING)
    FrameCache(tmp_path).clear()
    FrameCache(tmp_path).open_frames(stimulus_set(*clips), SAMPLING)


def damage(folder: Path, kind: str) -> None:
    """Spoil what is kept of a set of clips."""
    array, about = folder / "frames.u8", folder / "about.json"
    content = json.loads(about.read_text())
    if kind == "a bit":
        with array.open("r+b") as stream:
            stream.seek(12_345)
            (byte,) = stream.read(1)
            stream.seek(12_345)
            stream.write(bytes([byte ^ 8]))
    elif kind == "short":
        os.truncate(array, 1000)
    elif kind in ("frames.u8", "about.json"):
        (folder / kind).unlink()
    elif kind == "no JSON":
        about.write_text("{")
    elif kind == "shape":
        about.write_text(json.dumps(content | {"shape": [1, 128, 128, 3]}))
    elif kind == "order":
        about.write_text(json.dumps(content | {"hashes": content["hashes"][::-1]}))
    else:
        del content[kind]
        about.write_text(json.dumps(content))


@pytest.mark.parametrize(
    "kind",
    ["a bit", "short", "frames.u8", "about.json", "no JSON", "shape", "order", "checksums", "failures"],
)
def test_a_damaged_entry_is_made_anew_and_told(
    tmp_path: Path, clips: list[Path], counted: list[Path], kind: str
) -> None:
    cache = FrameCache(tmp_path)
    whole = np.array(cache.open_frames(stimulus_set(*clips), SAMPLING).array)
    (about,) = tmp_path.rglob("about.json")
    counted.clear()
    damage(about.parent, kind)
    frames = cache.open_frames(stimulus_set(*clips), SAMPLING)
    np.testing.assert_array_equal(frames.array, whole)
    (note,) = frames.notes
    assert note.startswith("damaged cache entry")
    assert "rebuilt" in note
    assert "\n" not in note
    assert counted
    assert cache.open_frames(stimulus_set(*clips), SAMPLING).notes == ()


def test_a_damaged_entry_does_not_stop_others_and_gives_them_no_frames(
    tmp_path: Path, clips: list[Path], counted: list[Path]
) -> None:
    cache = FrameCache(tmp_path)
    cache.open_frames(stimulus_set(*clips[:3]), SAMPLING)
    (about,) = tmp_path.rglob("about.json")
    damage(about.parent, "a bit")  # of the first clip
    counted.clear()
    frames = cache.open_frames(stimulus_set(*clips[:2]), SAMPLING)
    assert counted == clips[:1]
    np.testing.assert_array_equal(frames.array[0], decode(clips[0], SAMPLING))
    damage(about.parent, "no JSON")
    counted.clear()
    cache.open_frames(stimulus_set(*clips[1:3]), SAMPLING)
    assert counted == clips[2:3]
    (entry,) = cache.entries()
    assert (entry.sets, entry.clips, entry.damaged) == (3, 4, 1)


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
