"""Clips of a data set are found by name, checked, and remembered."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bgs._errors import DataError
from bgs._files import cache_folder
from bgs.datasets.links import link_clips, linked_clips, search_clips
from bgs.stimuli import StimulusSet
from clips import write_clip


def test_found_missing_and_refused(tmp_path: Path) -> None:
    """Names are found at any depth; another duration, a broken file and two files of one name are refused."""
    for folder in ("a/deep", "b"):
        (tmp_path / folder).mkdir(parents=True)
    good = write_clip(tmp_path / "a/deep/good.mp4", 30)
    write_clip(tmp_path / "b/long.mp4", 60)
    (tmp_path / "b/broken.mp4").write_text("no video")
    write_clip(tmp_path / "a/twice.mp4", 30)
    write_clip(tmp_path / "b/twice.mp4", 29)
    copied = write_clip(tmp_path / "a/copied.mp4", 30)
    (tmp_path / "b/copied.mp4").write_bytes(copied.read_bytes())
    os.mkfifo(tmp_path / "a/pipe.mp4")
    done: list[int] = []
    names = ("good.mp4", "long.mp4", "broken.mp4", "twice.mp4", "copied.mp4", "pipe.mp4", "absent.mp4")
    search = search_clips(tmp_path, names, seconds=1.0, progress=done.append)
    assert search.found == {"good.mp4": good, "copied.mp4": copied}
    assert search.missing == ("absent.mp4",)
    refused = dict(search.refused)
    assert refused["long.mp4"] == "lasts 2.00 s, not 1 s"
    assert refused["broken.mp4"].startswith("not a video")
    assert refused["twice.mp4"].startswith("2 different files of this name")
    assert refused["pipe.mp4"] == "a pipe, not a file"
    assert sum(done) == len(names)
    assert "long.mp4" in search_clips(tmp_path, names).found, "unchecked where no duration is known"


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        search_clips(tmp_path / "absent", ["a.mp4"])


def test_links_are_remembered_by_id(tmp_path: Path) -> None:
    stimuli = StimulusSet(ids=("b.mp4", "a.mp4", "c.mp4"))
    assert linked_clips("some-set", stimuli) is None
    link_clips("some-set", {"a.mp4": tmp_path / "a.mp4", "c.mp4": tmp_path / "c.mp4"})
    assert linked_clips("some-set", stimuli) == (None, tmp_path / "a.mp4", tmp_path / "c.mp4")
    link_clips("some-set", {"b.mp4": tmp_path / "b.mp4"})
    assert linked_clips("some-set", stimuli) == (tmp_path / "b.mp4", None, None)


def test_a_damaged_memory_is_an_error() -> None:
    link_clips("damaged-set", {}).write_text("no JSON")
    with pytest.raises(DataError, match="bgs data link damaged-set"):
        linked_clips("damaged-set", StimulusSet(ids=("a",)))


@pytest.mark.real
def test_a_loaded_data_set_knows_its_clips(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bgs.datasets import load_dataset

    monkeypatch.setenv("BGS_CACHE", str(tmp_path))
    stimuli = load_dataset("garcia-isik-2025", mirror=mirror).stimuli
    assert stimuli.videos is None
    link_clips("garcia-isik-2025", {stimuli.ids[7]: tmp_path / "clip.mp4"})
    videos = load_dataset("garcia-isik-2025", mirror=mirror).stimuli.videos
    assert videos is not None
    assert videos[7] == tmp_path / "clip.mp4"
    assert videos.count(None) == 249
    assert json.loads((cache_folder() / "clips" / "garcia-isik-2025.json").read_text())
