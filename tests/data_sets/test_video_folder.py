"""A folder of videos alone is a data set for what needs no judgments."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bgs import Embeddings
from bgs._errors import DataError
from bgs.cli.main import main
from bgs.datasets import load_dataset
from clips import write_clip


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """Two clips, and files that are none."""
    folder = tmp_path / "mine"
    (folder / "more").mkdir(parents=True)
    write_clip(folder / "more" / "a.mkv", 16)
    write_clip(folder / "b.mp4", 16)
    for name in ("notes.txt", ".hidden.mp4", "more/b.csv"):
        (folder / name).touch()
    os.mkfifo(folder / "pipe.mp4")
    return folder


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    return int(caught.value.code or 0)


def test_ids_are_sorted_paths_and_the_rest_is_told(videos: Path) -> None:
    dataset = load_dataset(videos)
    assert dataset.name == "mine"
    assert dataset.stimuli.ids == ("b.mp4", "more/a.mkv")
    assert dataset.trials is None
    (note,) = dataset.notes
    assert "its 2 videos are the stimuli, without judgments" in note
    assert "4 other or hidden files are ignored: .hidden.mp4, more/b.csv, notes.txt and 1 more" in note
    assert load_dataset(str(videos)).stimuli.hash() == dataset.stimuli.hash()


def test_embed_takes_it(videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "e.safetensors"
    assert run("embed", "--model", "pixels:", "--data", videos, "--out", out) == 0
    assert Embeddings.load(out).stimulus_ids == ("b.mp4", "more/a.mkv")
    assert "2 videos are the stimuli" in capsys.readouterr().err


def test_what_needs_judgments_says_so_in_one_line(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "e.safetensors"
    run("embed", "--model", "pixels:", "--data", videos, "--out", out)
    config = tmp_path / "c.yaml"
    config.write_text(f"data: {videos}\nmodel: scratch:videomae-tiny\nlora: null\n")
    capsys.readouterr()
    for command in (
        ("evaluate", "--embeddings", out, "--data", videos),
        ("data", "audit", videos),
        ("train", config, "--out", tmp_path / "run"),
    ):
        assert run(*command) == 2, command
        lines = [
            line for line in capsys.readouterr().err.splitlines() if line and not line.startswith("note:")
        ]
        assert len(lines) == 1, command
        assert "this data set has no odd-one-out trials" in lines[0], command
    assert not (tmp_path / "run").exists()


def test_folders_that_are_no_data_set(tmp_path: Path, videos: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match=r"no stimuli\.csv and no video; expected stimuli\.csv .*or videos"):
        load_dataset(empty)
    (videos / "trials.csv").touch()
    with pytest.raises(DataError, match=r"it has no stimuli\.csv; expected stimuli\.csv and trials\.csv"):
        load_dataset(videos)
    (videos / "trials.csv").unlink()
    (videos / "new\nline.mp4").touch()
    with pytest.raises(DataError, match="a file name that cannot be an id"):
        load_dataset(videos)
