"""What the file system does for a while is not remembered as what a clip is."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from bgs import BgsError
from bgs.stimuli import FrameCache, StimulusSet, pack_builder
from bgs.stimuli.sampling import Sampling
from clips import write_clip


def test_clips_that_were_away_for_a_while_are_read_when_they_are_back(tmp_path, monkeypatch):
    """A network drive that goes away while clips are decoded."""
    folder, away = tmp_path / "clips", tmp_path / "away"
    folder.mkdir()
    paths = tuple(
        write_clip(folder / f"{k}.mp4", [np.full((64, 64, 3), 40 * k, np.uint8)] * 8) for k in range(3)
    )
    stimuli, cache = StimulusSet(("a", "b", "c"), videos=paths), FrameCache(tmp_path / "cache")
    decode_all = pack_builder.decode_all

    def gone(*given):
        shutil.move(folder, away)
        return decode_all(*given)

    monkeypatch.setattr(pack_builder, "decode_all", gone)
    with pytest.raises(BgsError, match="No such file or directory") as error:
        cache.open_frames(stimuli, Sampling(2, 32), skip_bad=True)
    assert "BGS_CACHE" not in str(error.value)
    monkeypatch.setattr(pack_builder, "decode_all", decode_all)
    shutil.move(away, folder)
    assert len(cache.open_frames(stimuli, Sampling(2, 32)).ids) == 3


def test_frames_of_a_file_that_changes_before_it_is_decoded_are_not_kept_as_its_old_content(
    tmp_path, monkeypatch
):
    """A copy of the old content, elsewhere, would get the new frames."""
    dark, bright = (
        write_clip(tmp_path / f"{value}.mp4", [np.full((64, 64, 3), value, np.uint8)] * 8)
        for value in (20, 200)
    )
    path, copy = tmp_path / "clip.mp4", tmp_path / "copy.mp4"
    for name in (path, copy):
        shutil.copy(dark, name)
    cache, decode_all = FrameCache(tmp_path / "cache"), pack_builder.decode_all

    def overwritten(*given):
        shutil.copy(bright, path)
        return decode_all(*given)

    with monkeypatch.context() as patch:
        patch.setattr(pack_builder, "decode_all", overwritten)
        with pytest.raises(
            BgsError, match=r"clip\.mp4: it changed while it was read.*run the same command again"
        ):
            cache.open_frames(StimulusSet(("a",), videos=(path,)), Sampling(2, 32), skip_bad=True)
    found = cache.open_frames(StimulusSet(("new", "old"), videos=(path, copy)), Sampling(2, 32)).array[:]
    assert found[0].mean() > 150
    assert found[1].mean() < 50


@pytest.mark.parametrize("line", ['{"clip": "x", "offset": Infinity, "bytes": 1, "crc32": 0}', "[" * 100_000])
def test_no_line_of_the_log_is_a_traceback(tmp_path, line):
    path = write_clip(tmp_path / "a.mp4", 8)
    stimuli, cache = StimulusSet(("a",), videos=(path,)), FrameCache(tmp_path / "cache")
    cache.open_frames(stimuli, Sampling(2, 32))
    (log,) = (tmp_path / "cache").glob("*/clips.jsonl")
    log.write_text(f"{log.read_text()}\n{line}\n")
    assert len(cache.open_frames(stimuli, Sampling(2, 32)).ids) == 1
