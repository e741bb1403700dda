"""Stretches of a file: the same frames as from the beginning, kept by content and times."""

from __future__ import annotations

import numpy as np
import pytest

from bgs.stimuli import FrameCache, Sampling, StimulusSet, UnreadableClip, decode
from bgs.stimuli.pyav_decoder import read_pictures
from bgs.stimuli.pyav_stretch import read_stretch
from clips import HEIGHT, number_of, write_clip

FRAMES = 250  # 10 s at 25 a second
KINDS = {
    "b-frames.mp4": {"codec_options": {"g": "12", "bf": "3"}},
    "open-groups.mp4": {"codec_options": {"g": "12", "bf": "3", "x264-params": "open-gop=1"}},
    "one-key-frame.mp4": {"codec_options": {"g": "1000"}},
    "matroska.mkv": {"codec_options": {"g": "25"}},
    "transport.ts": {"codec_options": {"g": "12"}},
    "old.avi": {"codec": "mpeg4", "codec_options": {"g": "12"}},
    "sound.mp4": {"sound": True, "codec_options": {"g": "30"}},
}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stretches")
    return {name: write_clip(folder / name, FRAMES, 25, **kind) for name, kind in KINDS.items()}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("span", [(2, 3), (4.97, 6.02), (9.2, 9.98)])
def test_a_stretch_has_the_frames_that_decoding_from_the_beginning_gives(clips, name, span):
    sampling = Sampling(8, HEIGHT, crop="none", span=span)
    expected = read_pictures(clips[name], sampling)
    found = read_stretch(clips[name], sampling)
    assert found is None or np.array_equal(found, expected)
    numbers = [number_of(picture) for picture in decode(clips[name], sampling)]
    assert numbers == [number_of(picture) for picture in expected]
    middles = [span[0] + (span[1] - span[0]) * (2 * i + 1) / 16 for i in range(8)]
    if name != "old.avi":
        assert numbers == [int(moment * 25 + 1e-9) for moment in middles]


def test_most_kinds_of_file_are_entered_in_the_middle(clips):
    sampling = Sampling(4, HEIGHT, crop="none", span=(6, 8))
    entered = [name for name in KINDS if read_stretch(clips[name], sampling) is not None]
    assert {"b-frames.mp4", "one-key-frame.mp4", "matroska.mkv", "sound.mp4"} <= {*entered}


def test_a_stretch_beyond_the_end_is_refused(clips):
    with pytest.raises(UnreadableClip, match="lasts only 10 s, but a frame is requested at"):
        decode(clips["matroska.mkv"], Sampling(4, 8, span=(9, 12)))


def test_pieces_of_a_file_are_kept_by_their_times(clips, tmp_path):
    path = clips["b-frames.mp4"]
    spans = (None, (3.0, 4.0), (5.0, 6.0), (3.0, 4.0))
    pieces = StimulusSet(("whole", "a", "b", "again"), videos=(path,) * 4, spans=spans)
    cache, sampling = FrameCache(tmp_path), Sampling(2, HEIGHT, crop="none")
    frames = cache.open_frames(pieces, sampling)
    shown = [[number_of(picture) for picture in clip] for clip in frames.array]
    assert shown == [[62, 187], [81, 93], [131, 143], [81, 93]]
    assert cache.entries()[0].clips == 3
    backwards = cache.open_frames(pieces.subset(np.array([2, 0])), sampling)
    assert [number_of(clip[0]) for clip in backwards.array] == [131, 62]
