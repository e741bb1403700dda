"""`bgs masks`: files that `bgs attention` reads, counts, and refusals; on drawn clips."""

from __future__ import annotations

import json

import numpy as np
import pytest

import bgs
from bgs._errors import BgsError
from bgs.cli.main import main
from bgs.stimuli import RegionMasks, masks_of, read_masks, write_masks
from bgs.stimuli.masks import mask_path
from clips import write_clip

FRAMES = 5


def triangle(frame: np.ndarray, x: int, y: int, size: int) -> None:
    """A black equilateral triangle that stands on its base."""
    for row in range(round(size * 0.866)):
        half = (row + 0.5) / 0.866 / 2
        frame[y + row, round(x - half) : round(x + half)] = 0


def picture(t: int, both: bool = True) -> np.ndarray:
    frame = np.full((120, 160, 3), 255, np.uint8)
    if both:
        triangle(frame, 40 + 3 * t, 50, 16)
        triangle(frame, 110 - 3 * t, 46, 24)
    return frame


@pytest.fixture
def clips(tmp_path):
    """Two clips of triangles, one in a subfolder, and one of nothing."""
    folder = tmp_path / "clips"
    (folder / "more").mkdir(parents=True)
    for name in ("a.mp4", "more/b.mp4", "blank.mp4"):
        write_clip(folder / name, [picture(t, name != "blank.mp4") for t in range(FRAMES)], rate=50)
    return folder


def run(capsys, code: int, *arguments: object) -> str:
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    assert left.value.code == code, captured.err
    return captured.out if code == 0 else captured.err.splitlines()[-1]


def test_masks_are_written_counted_and_read(clips, tmp_path, capsys):
    start = ("masks", "--data", clips, "--detector", "triangles", "--out", clips)
    out = run(capsys, 0, *start, "--json", tmp_path / "found.json")
    assert "Regions in 15 masks of 3 clips" in out
    assert "1 of 3 clips are all background: blank.mp4" in out
    assert max(len(line) for line in out.splitlines() if str(tmp_path) not in line) <= 80
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["masks"] == {"a.mp4": 5, "blank.mp4": 5, "more/b.mp4": 5}
    assert (found["empty"], found["failures"]) == (["blank.mp4"], [])
    for name, size in (("small triangle", 16), ("large triangle", 24)):
        assert found["regions"][name]["clips"] == 2
        assert found["regions"][name]["frames"] == pytest.approx(2 / 3)
        assert found["regions"][name]["area"] == pytest.approx(size**2 * 0.433 / (120 * 160), rel=0.08)
    masks = masks_of(clips, "more/b.mp4")
    assert masks.labels.shape == (FRAMES, 120, 160)
    for t, labels in enumerate(masks.labels):
        assert (labels[58, 40 + 3 * t], labels[58, 110 - 3 * t], labels[5, 5]) == (1, 2, 0)
    attention = (
        "--resamples",
        "20",
        "--permutations",
        "20",
        "--strips",
        "0",
        "--out",
        tmp_path / "attention",
    )
    out = run(capsys, 0, "attention", "--model", "scratch:videomae-tiny", "--data", clips, *attention)
    assert "small triangle" in out


def test_the_call_is_that_of_the_command_and_continues(clips, tmp_path, capsys):
    """A file that is gone is written again, the others are left as they are."""
    run(capsys, 0, "masks", "--data", clips, "--detector", "triangles", "--out", tmp_path / "out")
    files = sorted((tmp_path / "out" / "masks").rglob("*.safetensors"))
    before = [(read_masks(path).labels, path.stat().st_mtime_ns) for path in files]
    assert [path.name for path in files] == ["a.safetensors", "blank.safetensors", "b.safetensors"]
    files[0].unlink()
    found = bgs.detect_regions(clips, "triangles", tmp_path / "out")
    np.testing.assert_array_equal(read_masks(files[0]).labels, before[0][0])
    assert [path.stat().st_mtime_ns for path in files[1:]] == [time for _, time in before[1:]]
    assert "Regions in 15 masks of 3 clips" in str(found)
    assert found.summary.empty == ("blank.mp4",)
    record = json.loads((tmp_path / "out" / "masks.json").read_text())
    assert record == {
        "bgs": bgs.__version__, "detector": {"name": "triangles", "version": 1}, "frames": "all", "side": 320,
    }  # fmt: skip


def test_masks_of_another_origin_are_kept(clips, tmp_path, capsys):
    out = tmp_path / "out"
    mine = RegionMasks(np.ones((1, 4, 4), np.uint8), ("background", "mine"))
    write_masks(mask_path(out, "a.mp4"), mine)
    start = ("masks", "--data", clips, "--detector", "triangles", "--out")
    assert "has masks of another origin (no masks.json), and none is replaced" in run(capsys, 2, *start, out)
    assert masks_of(out, "a.mp4").names == mine.names
    run(capsys, 0, *start, tmp_path / "new")
    line = run(capsys, 2, *start, tmp_path / "new", "--side", "60")
    assert "has masks made otherwise, and none is replaced (see masks.json) (choose another folder)" in line


def test_clips_that_cannot_be_read(clips, tmp_path, capsys):
    (clips / "torn.mp4").write_bytes((clips / "a.mp4").read_bytes()[:900])
    (clips / "void.mp4").touch()
    start = ("masks", "--data", clips, "--detector", "triangles", "--out", tmp_path / "out")
    assert "1 of 5 clips cannot be read: void.mp4 (empty file)" in run(capsys, 2, *start)
    assert not (tmp_path / "out").exists()
    (clips / "void.mp4").unlink()
    line = run(capsys, 2, *start)
    assert "1 of 4 clips cannot be read: torn.mp4" in line
    assert line.endswith("(--skip-bad leaves them out)")
    out = run(capsys, 0, *start, "--skip-bad", "--json", "-")
    assert [each["stimulus_id"] for each in json.loads(out)["failures"]] == ["torn.mp4"]
    assert len(list((tmp_path / "out" / "masks").rglob("*.safetensors"))) == 3


def test_what_cannot_be(clips, tmp_path, capsys):
    start = ("masks", "--data", clips, "--out", tmp_path / "out", "--detector")
    line = run(capsys, 2, *start, "triangles", "--frames", "4")
    assert "follows regions from frame to frame; expected all frames, got 4" in line
    line = run(capsys, 2, *start, "triangles", "--models", "x.whl")
    assert "models are files of one detector only; expected detector 'mediapipe', got 'triangles'" in line
    line = run(capsys, 2, *start, "mediapipe", "--models", tmp_path / "x.whl")
    assert "no such file or folder; expected the wheel of mediapipe 0.10.21 (`pip download" in line
    (tmp_path / "vit").mkdir()
    (tmp_path / "vit" / "config.json").write_text('{"model_type": "vit"}')
    line = run(capsys, 2, *start, tmp_path / "vit")
    assert "unsupported detector; expected mediapipe, triangles, or a detr or yolos model, got vit" in line
    with pytest.raises(BgsError, match="invalid frames; expected at least 1, got 0"):
        bgs.detect_regions(clips, "triangles", tmp_path / "out", frames=0)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["../up"], r"an id that is no file name; expected .* got '\.\./up'"),
        (["x" * 300], "an id that is no file name"),
        (["a.mp4", "a.mov"], r"a\.mp4 and a\.mov would share the file a\.safetensors"),
    ],
)
def test_ids_that_name_no_file_of_their_own(clips, tmp_path, ids, message):
    stimuli = bgs.StimulusSet(tuple(ids), videos=(clips / "a.mp4",) * len(ids))
    with pytest.raises(BgsError, match=message):
        bgs.detect_regions(bgs.Dataset(stimuli, simulated=True), "triangles", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_fewer_masks_than_frames_are_those_that_an_encoder_sees(clips, tmp_path):
    """The frame in the middle of each part of a clip; with a detector that finds bright pixels."""
    from bgs.runs.region_masks import write_region_masks

    class Bright:
        names, every_frame = ("background", "bright"), False

        def settings(self):
            return {"name": "bright"}

        def __call__(self, frames):
            return RegionMasks(
                np.stack([(frame[..., 0] > 127).astype(np.uint8) for frame in frames]), self.names
            )

    pictures = [np.full((32, 32, 3), 255 * (t in (2, 7)), np.uint8) for t in range(10)]
    write_clip(tmp_path / "c.mp4", pictures, codec_options={"crf": "1"})
    stimuli = bgs.StimulusSet(("c.mp4",), videos=(tmp_path / "c.mp4",))
    for frames, bright in ((2, [1, 1]), (None, [0, 0, 1, 0, 0, 0, 0, 1, 0, 0]), (5, [0, 0, 0, 1, 0])):
        out = tmp_path / str(frames)
        found = write_region_masks(stimuli, Bright(), out, frames)
        assert masks_of(out, "c.mp4").labels[:, 16, 16].tolist() == bright
        assert found.masks == {"c.mp4": len(bright)}
    assert found.regions["bright"].frames == pytest.approx(0.2)
