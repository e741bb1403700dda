"""Clips that browsers do not play are named before participants come, and mended."""

from __future__ import annotations

import pytest

from bgs import BgsError, load_dataset
from bgs.collection.preparing import prepare, require_playable
from bgs.collection.study_folder import open_study
from bgs.stimuli.decoding import whole_frames
from bgs.stimuli.playability import Fault, ffmpeg_line, make_playable, playback_fault
from clips import number_of, numbered, write_clip
from collection.conftest import CLIPS, write_study

FRONT = {"movflags": "faststart"}


@pytest.mark.parametrize(
    ("name", "codec", "options", "fault"),
    [
        ("a.mp4", "libx264", FRONT, None),
        ("a.webm", "libvpx-vp9", {}, None),
        ("a.mp4", "libx264", {}, "index is behind the frames"),
        ("a.mp4", "libx265", FRONT, "codec hevc"),
        ("a.mp4", "mpeg4", FRONT, "codec mpeg4"),
        ("a.avi", "mpeg4", {}, "container of the kind avi"),
        ("a.mkv", "libx264", {}, "codec h264 in webm"),
    ],
)
def test_what_browsers_do_not_play_is_named_and_mended(tmp_path, name, codec, options, fault):
    path = write_clip(tmp_path / name, frames=10, rate=25, codec=codec, options=options)
    found = playback_fault(path)
    if fault is None:
        assert found is None
        return
    assert fault in found.what
    assert "ffmpeg -i" in ffmpeg_line(path, found)
    copy = make_playable(path, found)
    assert playback_fault(copy) is None
    shown = [number_of(picture) for picture in whole_frames(copy, 64)]
    assert shown == list(range(10))


def test_ten_bits_are_named(tmp_path):
    import av

    path = tmp_path / "deep.mp4"
    with av.open(str(path), "w", options=FRONT) as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 64, "yuv444p10le"
        for k in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(k), format="rgb24")))
        container.mux(stream.encode())
    found = playback_fault(path)
    assert found == Fault("pixels as yuv444p10le")
    assert playback_fault(make_playable(path, found)) is None


def test_a_study_is_prepared_once(tmp_path):
    folder = write_study(tmp_path / "study")
    before = (folder / "clips/1.mp4").read_bytes()
    write_clip(folder / "clips/0.mp4", frames=5, rate=25, codec="mpeg4")
    with pytest.raises(
        BgsError,
        match=r"0\.mp4: browsers do not play 1 of 6 clips: the codec mpeg4.*bgs collect prepare.*ffmpeg -i",
    ):
        require_playable(open_study(folder).clips)
    assert list(prepare(folder)) == [CLIPS[0]]
    study = open_study(folder)
    require_playable(study.clips)
    assert study.clips[CLIPS[0]].name == "0.web.mp4"
    assert (folder / "clips/1.mp4").read_bytes() == before
    assert prepare(folder) == {}
    assert load_dataset(folder).stimuli.ids == CLIPS


def test_what_is_no_video_is_one_line(tmp_path):
    (tmp_path / "x.mp4").write_text("not a video")
    with pytest.raises(BgsError, match="not a video"):
        playback_fault(tmp_path / "x.mp4")


def test_a_demo_is_a_study_that_browsers_play_and_is_made_once(tmp_path):
    from bgs.api.collecting import demo_study

    study = demo_study(tmp_path / "demo", clips=16, size=32)
    folder = open_study(study.path)
    require_playable(folder.clips)
    assert load_dataset(study.path).simulated
    assert len(folder.schedule) == 20 * 16
    assert folder.settings.title.startswith("SIMULATED")
    before = {path: path.stat().st_mtime_ns for path in study.path.rglob("*")}
    demo_study(tmp_path / "demo", clips=16, size=32)
    assert {path: path.stat().st_mtime_ns for path in study.path.rglob("*")} == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/x.txt").write_text("precious")
    with pytest.raises(BgsError, match="contains other files"):
        demo_study(tmp_path / "mine")


@pytest.mark.parametrize(
    ("name", "codec", "options"), [("a.mp4", "libx264", FRONT), ("a.webm", "libvpx-vp9", {})]
)
def test_a_clip_that_is_cut_off_is_named(tmp_path, name, codec, options):
    """Its index is whole, so that everything but its end is fine."""
    path = write_clip(tmp_path / name, frames=25, rate=25, codec=codec, options=options)
    assert playback_fault(path) is None
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(BgsError, match="this clip is cut off: 100 bytes are missing at its end"):
        playback_fault(path)


def test_a_folder_of_videos_alone_is_prepared_and_keeps_its_ids(tmp_path):
    import bgs
    from collection.conftest import CONTENT

    folder = tmp_path / "videos"
    (folder / "sub").mkdir(parents=True)
    for k, content in enumerate(CONTENT[:4]):
        (folder / f"{k}.mp4").write_bytes(content)
    write_clip(folder / "sub/old.avi", frames=5, rate=25, codec="mpeg4")
    bgs.design(folder, trials=8, block_trials=4, studies=0).save(folder)
    ids = load_dataset(folder).stimuli.ids
    assert list(prepare(folder)) == ["sub/old.avi"]
    study = open_study(folder)  # with the schedule made before
    assert study.stimuli.ids == ids
    assert study.clips["sub/old.avi"] == folder / "sub/old.web.mp4"
    require_playable(study.clips)
