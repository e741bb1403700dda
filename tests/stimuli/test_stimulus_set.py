"""Stimulus sets: aligned columns, known by id."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bgs._errors import DataError
from bgs.stimuli import StimulusSet

STIMULI = StimulusSet(
    ids=("a", "b", "c"),
    captions=(("one", "two"), (), ("three",)),
    videos=(Path("a.mp4"), None, Path("c.mp4")),
    split=("train", "test", "train"),
    ratings={"valence": np.array([0.1, np.nan, 0.3])},
    labels={"place": ("park", "", "office")},
)


def test_positions_masks_and_index() -> None:
    assert STIMULI.positions(["c", "a"]).tolist() == [2, 0]
    assert STIMULI.test.tolist() == [False, True, False]
    assert STIMULI.train.tolist() == [True, False, True]
    assert len(STIMULI) == 3
    assert not replace(STIMULI, split=None).test.any()


def test_subset_keeps_every_column_aligned() -> None:
    subset = STIMULI.subset(np.array([2, 0]))
    assert subset.ids == ("c", "a")
    assert subset.captions == (("three",), ("one", "two"))
    assert subset.videos == (Path("c.mp4"), Path("a.mp4"))
    assert subset.split == ("train", "train")
    assert subset.ratings["valence"].tolist() == [0.3, 0.1]
    assert subset.labels["place"] == ("office", "park")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ids": ("a", "b", "a")}, "stimulus listed twice: a"),
        ({"split": ("train", "test")}, "column 'split' is not aligned; expected 3 rows, got 2"),
        ({"ratings": {"valence": np.zeros(4)}}, "column 'valence' is not aligned"),
        ({"split": ("train", "dev", "test")}, "expected train or test, got dev"),
    ],
)
def test_columns_that_contradict_each_other_are_refused(change: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        replace(STIMULI, **change)


def test_unknown_ids_are_named() -> None:
    with pytest.raises(DataError, match="unknown stimulus: x, y"):
        STIMULI.positions(["a", "x", "y"])


def test_hash_covers_what_is_said_about_stimuli() -> None:
    changed = [
        replace(STIMULI, ids=("a", "b", "d")),
        replace(STIMULI, captions=None),
        replace(STIMULI, split=None),
        replace(STIMULI, ratings={}),
        replace(STIMULI, labels={}),
    ]
    assert len({STIMULI.hash(), *(other.hash() for other in changed)}) == 6
    assert replace(STIMULI, videos=None).hash() == STIMULI.hash()


def test_from_folder_takes_every_video_below_it(tmp_path: Path) -> None:
    for name in ("b.MP4", "a/z.mkv", "a/y.webm", "a/notes.txt", ".hidden/x.mp4", "a/.x.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.mp4").mkdir()
    stimuli = StimulusSet.from_folder(tmp_path)
    assert stimuli.ids == ("a/y.webm", "a/z.mkv", "b.MP4")
    assert stimuli.videos == tuple(tmp_path / name for name in stimuli.ids)
    assert stimuli.captions is None


def test_from_folder_without_clips(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no video file in this folder"):
        StimulusSet.from_folder(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        StimulusSet.from_folder(tmp_path / "absent")
