"""Killed runs and two writers at once: no row is lost or doubled, and the table can always be opened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from moving_clips import moving_square

from bgs.library import open_index
from bgs.library.place import Place
from bgs.library.table import ClipTable
from clips import write_clip

CLIPS, KILLS = 96, 20
#: Small chunks, so that most kills come between two changes of the table, and some within one.
INDEX = """
import sys
import bgs.library.indexing as indexing
from bgs.runs.opened_model import open_model
indexing._SMALLEST, indexing._PARTS = 2, 1000
model = open_model("tiny:videomae", device="cpu")
print("ready", flush=True)
found = indexing.index_folder(sys.argv[1], model, sys.argv[2])
print(found.clips, flush=True)
"""


@pytest.fixture(scope="module")
def many_clips(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    for seed in range(CLIPS):
        write_clip(folder / f"{seed:03}.mp4", list(moving_square(seed)), 12)
    return folder


def begin(folder: Path, out: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", INDEX, str(folder), str(out)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def require_whole(out: Path) -> int:
    if not ClipTable.exists(Place.of(out)):
        return 0
    index = open_index(out)
    assert len({*index.ids}) == len(index.ids)
    return len(index)


@pytest.mark.slow
def test_twenty_kills(many_clips, tmp_path):
    out, draw, before, inside = tmp_path / "index", random.Random(0), 0, 0
    for _ in range(KILLS):
        with begin(many_clips, out) as process:
            assert process.stdout.readline() == "ready\n"
            deadline = time.monotonic() + 60
            # Kill once it has added something (or has finished), at a moment of its own.
            while process.poll() is None and require_whole(out) == before and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(draw.uniform(0, 0.1))
            inside += process.poll() is None
            os.kill(process.pid, signal.SIGKILL)
        now = require_whole(out)
        assert now >= before  # nothing that was kept is lost
        before = now
    assert inside >= KILLS / 2
    with begin(many_clips, out) as process:
        stdout, stderr = process.communicate()
    assert stdout == f"ready\n{CLIPS}\n", stderr
    assert open_index(out).ids == tuple(f"{seed:03}.mp4" for seed in range(CLIPS))
    assert not [path for path in out.iterdir() if path.name not in ("clips.lance", ".lock")]


@pytest.mark.slow
def test_two_writers_at_once(many_clips, tmp_path):
    out = tmp_path / "index"
    with begin(many_clips, out) as first, begin(many_clips, out) as second:
        ended = [process.communicate() for process in (first, second)]
    refused = [text for (_, text), process in zip(ended, (first, second), strict=True) if process.returncode]
    assert len(refused) <= 1  # one may have come after the other had finished
    for text in refused:
        assert f"another process is using this folder: process {first.pid}" in text or (
            f"another process is using this folder: process {second.pid}" in text
        )
    assert require_whole(out) == CLIPS
