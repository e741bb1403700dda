"""The log of decoded clips: read on as it grows, read anew where it was changed, and never half a line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bgs.stimuli import frame_pack
from bgs.stimuli.frame_pack import FramePack, Record, add_records

CLIPS = {f"clip {i}": np.full((2, 2, 2, 3), i, np.uint8) for i in range(6)}
SIZE = 24


def fill(folder: Path, *names: str) -> None:
    list(add_records(folder, [(name, CLIPS[name]) for name in names], SIZE))


@pytest.fixture
def parsed(monkeypatch):
    """The clips of every line that is parsed."""
    seen: list[str] = []
    loads = json.loads

    def counted(line):
        entry = loads(line)
        seen.append(entry["clip"])
        return entry

    monkeypatch.setattr(frame_pack.json, "loads", counted)
    return seen


def test_a_line_is_parsed_once_but_the_last(tmp_path, parsed):
    fill(tmp_path, "clip 0", "clip 1", "clip 2")
    assert list(FramePack.open(tmp_path).records) == ["clip 0", "clip 1", "clip 2"]
    parsed.clear()
    fill(tmp_path, "clip 3")
    assert list(FramePack.open(tmp_path).records) == ["clip 0", "clip 1", "clip 2", "clip 3"]
    assert parsed == ["clip 2", "clip 3"]


def test_a_pack_is_what_there_was_when_it_was_opened(tmp_path):
    fill(tmp_path, "clip 0")
    before = FramePack.open(tmp_path)
    fill(tmp_path, "clip 1")
    assert (len(before.records), len(FramePack.open(tmp_path).records)) == (1, 2)
    assert before.missing(["clip 1"], (2, 2, 2, 3)) == ["clip 1"]


def test_a_half_written_line_counts_once_it_is_whole(tmp_path):
    fill(tmp_path, "clip 0")
    log = tmp_path / "clips.jsonl"
    line = "\n" + json.dumps({"clip": "clip 1", "offset": 24, "bytes": 24, "crc32": 7})
    with log.open("a") as stream:
        stream.write(line[:30])
    assert list(FramePack.open(tmp_path).records) == ["clip 0"]
    with log.open("a") as stream:
        stream.write(line[30:])
    assert FramePack.open(tmp_path).records["clip 1"] == Record(24, 24, 7)


def test_a_log_that_was_changed_or_is_gone_is_read_anew(tmp_path):
    fill(tmp_path, "clip 0", "clip 1", "clip 2")
    FramePack.open(tmp_path)
    log = tmp_path / "clips.jsonl"
    log.write_text(log.read_text().replace("clip 0", "clip x"))
    assert list(FramePack.open(tmp_path).records) == ["clip x", "clip 1", "clip 2"]
    log.unlink()
    assert FramePack.open(tmp_path).records == {}
    fill(tmp_path, "clip 5")
    assert list(FramePack.open(tmp_path).records) == ["clip 5"]
