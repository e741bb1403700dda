"""Whole frames one at a time: which ones, of which size, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from bgs.stimuli import Sampling, UnreadableClip, decode, pyav_decoder
from bgs.stimuli.decoding import whole_frames
from clips import number_of, numbered, write_clip


@pytest.mark.parametrize("kept", [1 << 28, 0])
def test_every_frame_or_those_of_an_encoder(tmp_path, monkeypatch, kept):
    """Whether a clip is kept in memory or decoded a second time."""
    monkeypatch.setattr(pyav_decoder, "KEPT_BYTES", kept)
    path = write_clip(tmp_path / "a.mp4", 12)
    assert [number_of(frame) for frame in whole_frames(path, 64)] == list(range(12))
    for count in (1, 5, 12, 20):
        seen = decode(path, Sampling(count, 64, "none"))
        assert [number_of(frame) for frame in whole_frames(path, 64, count)] == [number_of(x) for x in seen]


def test_frames_of_unequal_duration_share_the_time(tmp_path):
    """Of ten frames, the first is shown for half of the clip."""
    path = write_clip(tmp_path / "a.mkv", 10, times_ms=[0, *range(900, 1800, 100)])
    seen = [number_of(frame) for frame in whole_frames(path, 64)]
    assert seen[:5] == [0] * 5
    assert seen == [number_of(frame) for frame in decode(path, Sampling(10, 64, "none"))]
    assert seen[5:] == sorted(set(seen[5:]))


def test_larger_frames_are_resized_whole(tmp_path):
    path = write_clip(tmp_path / "a.mp4", [numbered(5)] * 2)
    assert [frame.shape for frame in whole_frames(path, 32)] == [(32, 64, 3)] * 2
    assert [frame.shape for frame in whole_frames(path, 500)] == [(64, 128, 3)] * 2
    assert number_of(next(whole_frames(path, 32))) == 5
    turned = write_clip(tmp_path / "b.mp4", [numbered(5)] * 2, rotation=90)
    np.testing.assert_array_equal(next(whole_frames(turned, 32)).shape, (64, 32, 3))


def test_damage_is_told_before_the_first_frame(tmp_path):
    path = write_clip(tmp_path / "a.mkv", 30)
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(UnreadableClip):
        next(whole_frames(path, 64))
    with pytest.raises(UnreadableClip, match="No such file"):
        next(whole_frames(tmp_path / "none.mp4", 64))
