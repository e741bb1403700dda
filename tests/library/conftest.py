"""A folder of short clips and a tiny video model, opened once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from moving_clips import NAMES, moving_square

from bgs.runs.opened_model import OpenedModel, open_model
from clips import write_clip


@pytest.fixture(scope="session")
def four_clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed."""
    folder = tmp_path_factory.mktemp("four-clips")
    (folder / "deep").mkdir()
    for seed, name in enumerate(NAMES):
        write_clip(folder / name, list(moving_square(seed)), 12)
    return folder


@pytest.fixture
def folder(four_clips: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(four_clips, tmp_path / "clips"))


@pytest.fixture(scope="session")
def model() -> OpenedModel:
    return open_model("tiny:videomae", device="cpu")
