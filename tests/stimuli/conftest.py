"""Fixtures of tests of clips."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

import pytest
from av.video.stream import VideoStream

from bgs.stimuli import pyav_stream
from bgs.stimuli.picture_tally import PictureTally


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A clip is added each time it is decoded."""
    found: list[Path] = []

    class Counted(PictureTally):
        def __init__(self, path: Path, stream: VideoStream, needless: Set[int] = frozenset()) -> None:
            found.append(path)
            super().__init__(path, stream, needless)

    monkeypatch.setattr(pyav_stream, "PictureTally", Counted)
    return found
