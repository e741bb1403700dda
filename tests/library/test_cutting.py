"""Long videos are cut into shots and windows, with times kept."""

from __future__ import annotations

import pytest
from moving_clips import RATE, shots_of

from bgs._errors import ConfigError
from bgs.library import Cutting, index_folder, open_index
from bgs.library.clip import Piece
from bgs.stimuli import StimulusSet, UnreadableClip
from clips import write_clip


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """13 s: shots of 3, 2, and 8 s."""
    return write_clip(tmp_path_factory.mktemp("film") / "film.mp4", shots_of(3, 2, 8), RATE)


def test_shots_are_found_and_long_ones_cut_into_windows(film):
    assert Cutting("shots", whole=10).pieces(film) == [Piece(0, 3), Piece(3, 5), Piece(5, 13)]
    assert Cutting("shots", whole=4, window=4).pieces(film) == [
        Piece(0, 3),
        Piece(3, 5),
        Piece(5, 9),
        Piece(9, 13),
    ]


def test_windows_are_equally_long(film):
    assert Cutting("windows", whole=5, window=3).pieces(film) == [
        Piece(0, 3.25), Piece(3.25, 6.5), Piece(6.5, 9.75), Piece(9.75, 13),
    ]  # fmt: skip


def test_short_videos_and_all_with_none_stay_whole(film):
    for cutting in (Cutting("none"), Cutting("windows", whole=13), Cutting("shots", whole=20)):
        (piece,) = cutting.pieces(film)
        assert piece.is_whole


def test_what_is_no_video_is_not_cut(tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(UnreadableClip, match="not a video"):
        Cutting().pieces(tmp_path / "text.mp4")


def test_impossible_settings_are_refused():
    with pytest.raises(
        ConfigError, match="cut: unknown way to cut videos; expected shots or windows or none, got scenes"
    ):
        Cutting("scenes")
    for window in (0.0, 0.004, 5e-324, float("inf")):
        with pytest.raises(ConfigError, match=r"window; expected at least 0\.1 seconds"):
            Cutting(window=window)
    for whole in (-1.0, float("nan")):
        with pytest.raises(ConfigError, match="whole; expected a number of seconds above 0"):
            Cutting(whole=whole)


def test_pieces_are_indexed_with_their_times_and_frames(film, tmp_path, model):
    index_folder(film.parent, model, tmp_path / "index")
    index = open_index(tmp_path / "index")
    assert index.ids == ("film.mp4#t=0.00,3.00", "film.mp4#t=3.00,5.00", "film.mp4#t=5.00,13.00")
    assert [(clip.start, clip.end, clip.path) for clip in index.clips[:1]] == [(0.0, 3.0, film.resolve())]
    part = StimulusSet(("second",), videos=(film,), spans=((3.0, 5.0),))
    expected = model.embed(part).values[0]
    assert index.nearest(expected, 1)[0].id == index.ids[1]
    assert index.nearest(expected, 1)[0].distance == pytest.approx(0, abs=1e-6)
    # cut in the same way, a piece that changed with its file is replaced
    write_clip(film.parent / "film.mp4", shots_of(6, 6), RATE)
    index_folder(film.parent, model, tmp_path / "index")
    assert open_index(tmp_path / "index").ids == ("film.mp4#t=0.00,6.00", "film.mp4#t=6.00,12.00")
