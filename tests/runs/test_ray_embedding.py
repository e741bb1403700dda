"""`bgs embed --engine ray`: bitwise as one process, with an actor killed on the way and a clip left out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from bgs import Embeddings
from bgs.runs.embedder import Embedder, open_backbone
from bgs.stimuli import StimulusSet
from clips import write_clip
from program import fails

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="skipped: ray is not installed")
MODEL = "scratch:videomae-tiny?seed=1"


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """22 clips, of which one cannot be read."""
    folder = tmp_path_factory.mktemp("clips")
    for number in range(22):
        random = np.random.default_rng(number)
        pictures = list(random.integers(0, 255, (8, 64, 64, 3)).astype(np.uint8))
        write_clip(folder / f"clip{number:02d}.mp4", pictures, rate=8)
    (folder / "clip05.mp4").write_bytes(b"no video")
    return folder


def command(clips: Path, out: Path, *more: str) -> list[str]:
    return [
        "embed", "--model", MODEL, "--data", str(clips), "--out", str(out), "--micro-batch", "2", "--engine", "ray", *more
    ]  # fmt: skip


def actors_of(pid: int) -> list[int]:
    """Processes of actors among the descendants of a process."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
    found = []
    for one in parents:
        above = one
        while above not in (0, 1, pid):
            above = parents.get(above, 0)
        try:
            if above == pid and b"BlockEmbedder" in Path(f"/proc/{one}/cmdline").read_bytes():
                found.append(one)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


@needs_ray
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="skipped: reads /proc")
def test_two_actors_of_which_one_is_killed_are_bitwise_as_one_process(clips, tmp_path):
    out, shards = tmp_path / "out.safetensors", tmp_path / "out.shards"
    arguments = [sys.executable, "-m", "bgs.cli.main", *command(clips, out, "--skip-bad")]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    end = time.monotonic() + 300
    while not (victims := actors_of(process.pid)):
        assert time.monotonic() < end
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    os.kill(victims[0], signal.SIGKILL)
    said, _ = process.communicate(timeout=500)
    assert process.returncode == 0, said
    one = Embedder(open_backbone(MODEL), StimulusSet.from_folder(clips), 2, skip_bad=True).embed(MODEL)
    found = Embeddings.load(out)
    assert found.stimulus_ids == one.stimulus_ids
    assert np.array_equal(found.values, one.values)
    assert found.details == one.details
    assert "clip05.mp4" in (tmp_path / "failures.csv").read_text()
    before = {path: path.stat().st_mtime_ns for path in shards.iterdir()}
    last = max(shards.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    last.unlink()
    again = subprocess.run(arguments, capture_output=True, text=True, timeout=500)
    assert again.returncode == 0, again.stderr
    after = {path: path.stat().st_mtime_ns for path in shards.iterdir()}
    assert after.keys() == before.keys()
    assert [path for path in after if after[path] != before[path]] == [last]
    assert Embeddings.load(out).hash() == one.hash()


@needs_ray
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--address", "127.0.0.1:1"], "--address 127.0.0.1:1: cannot reach Ray: "),
        (["--address", "nowhere"], "--address nowhere: cannot reach Ray: "),
        (["--actors", "0"], "--actors: how many actors; expected 1 or more, got 0"),
        (["--model", "lookup:3"], "lookup:3: --engine ray is for models that read clips"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_no_file(clips, tmp_path, capsys, options, said):
    assert said in fails(capsys, *command(clips, tmp_path / "out.safetensors", *options))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--engine", "spark"], "--engine: unknown engine; expected local or ray, got spark"),
        (["--all-layers"], "--all-layers conflicts with --engine ray"),
        (["--engine", "local", "--actors", "2"], "--actors and --address are for --engine ray"),
    ],
)
def test_options_that_do_not_go_together_are_refused(clips, tmp_path, capsys, options, said):
    assert said in fails(capsys, *command(clips, tmp_path / "out.safetensors", *options))


def test_without_ray_the_extra_is_named(clips, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    line = fails(capsys, *command(clips, tmp_path / "out.safetensors"))
    assert line == "bgs: this needs the package 'ray' (pip install 'bgs-video[ray]')"
