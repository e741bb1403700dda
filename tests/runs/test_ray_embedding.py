"""`bgs embed --engine ray`: bitwise as one process, with an actor killed on the way and a clip left out."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from bgs import BgsError, Embeddings
from bgs.runs import ray_embedding
from bgs.runs.embedder import Embedder, open_backbone
from bgs.runs.ray_embedding import BlockEmbedder, RayEmbedder
from bgs.stimuli import StimulusSet
from clips import write_clip
from program import fails

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="skipped: ray is not installed")
MODEL = "scratch:videomae-tiny?seed=1"


class Mortal(BlockEmbedder):
    """Killed by its first block; whoever is given it again lives."""

    def __call__(self, row):
        died = self.task.shards.with_name("died")
        if not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(row)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """14 clips, two shards, of which the last but one cannot be read."""
    folder = tmp_path_factory.mktemp("clips")
    for number in range(14):
        pictures = np.random.default_rng(number).integers(0, 255, (4, 32, 32, 3))
        write_clip(folder / f"clip{number:02d}.mp4", list(pictures.astype(np.uint8)), rate=8)
    (folder / "clip12.mp4").write_bytes(b"no video")
    return folder


@pytest.fixture
def ray(monkeypatch):
    """Ray, whose actors are not to wait for everything else that this machine does."""
    monkeypatch.setenv("RAY_worker_niceness", "0")
    import ray

    yield ray
    ray.shutdown()


def command(clips: Path, out: Path, *more: str) -> list[str]:
    return [
        "embed", "--model", MODEL, "--data", str(clips), "--out", str(out), "--micro-batch", "2", "--engine", "ray", *more
    ]  # fmt: skip


def one_process(stimuli: StimulusSet) -> Embeddings:
    return Embedder(open_backbone(MODEL), stimuli, 2, skip_bad=True).embed(MODEL)


def assert_same(found: Embeddings, one: Embeddings) -> None:
    assert found.stimulus_ids == one.stimulus_ids
    assert np.array_equal(found.values, one.values)
    assert found.details == one.details


@needs_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray Data warns of its own defaults
def test_two_actors_of_which_one_is_killed_are_bitwise_as_one_process(clips, tmp_path, monkeypatch, ray):
    monkeypatch.setattr(ray_embedding, "BlockEmbedder", Mortal)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # actors find Mortal here
    stimuli = StimulusSet.from_folder(clips).subset(np.arange(12))
    embedder = RayEmbedder(MODEL, stimuli, tmp_path / "shards", micro_batch=2)
    found = embedder.embed()
    assert (tmp_path / "died").exists()
    assert_same(found, one_process(stimuli))
    assert len(list((tmp_path / "shards").iterdir())) == 2
    monkeypatch.delattr(ray, "init")  # all shards are there: Ray is not started again
    assert embedder.embed().hash() == found.hash()


@needs_ray
@pytest.mark.slow
def test_a_running_cluster_leaves_out_bad_clips_and_keeps_shards(clips, tmp_path, ray):
    out = tmp_path / "out.safetensors"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    address = ray.get_runtime_context().gcs_address
    arguments = command(clips, out, "--skip-bad", "--actors", "1", "--address", address)
    done = subprocess.run([sys.executable, "-m", "bgs.cli.main", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert_same(Embeddings.load(out), one_process(StimulusSet.from_folder(clips)))
    assert "clip12.mp4" in (tmp_path / "failures.csv").read_text()
    assert "note: 1 of 2 shards are there" in done.stderr.splitlines()


@needs_ray
@pytest.mark.parametrize(("gpus", "device"), [(2.0, "cuda"), (0, "cpu")])
def test_auto_is_what_the_cluster_has_whatever_this_machine_has(clips, tmp_path, monkeypatch, gpus, device):
    """A machine without a GPU asks a cluster of which it knows no more than what it tells."""
    stimuli, settled = StimulusSet.from_folder(clips), []
    monkeypatch.setattr(RayEmbedder, "_connect", lambda self: None)
    monkeypatch.setattr(RayEmbedder, "_gpus", lambda self: int(gpus))
    monkeypatch.setattr(
        RayEmbedder, "_run", lambda self, blocks: settled.append((self._task.device, [*blocks])) or []
    )
    one = RayEmbedder(MODEL, stimuli, tmp_path / "shards", micro_batch=2, address="head:6379")
    with pytest.raises(BgsError):  # no shard was made
        one.embed()
    other = RayEmbedder(
        MODEL, stimuli, tmp_path / "shards", micro_batch=2, address="head:6379", device=device
    )
    with pytest.raises(BgsError):
        other.embed()
    assert settled[0] == settled[1]
    assert settled[0][0] == device


@needs_ray
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray Data warns of its own defaults
def test_a_gpu_that_the_cluster_lacks_is_an_error_and_no_wait(clips, tmp_path, monkeypatch):
    monkeypatch.setattr(RayEmbedder, "_connect", lambda self: None)
    monkeypatch.setattr(RayEmbedder, "_gpus", lambda self: 0)
    stimuli = StimulusSet.from_folder(clips)
    embedder = RayEmbedder(MODEL, stimuli, tmp_path / "shards", address="head:6379", device="cuda")
    with pytest.raises(BgsError, match=r"device cuda: Ray knows no GPU \(use cpu\)"):
        embedder.embed()


@needs_ray
def test_what_listens_and_is_not_ray_is_one_line(clips, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(ray_embedding, "_PATIENCE", 5.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = "127.0.0.1:{1}".format(*server.getsockname())
        line = fails(capsys, *command(clips, tmp_path / "out.safetensors", "--address", address))
    assert line.startswith(
        f"bgs: --address {address}: cannot reach Ray: no answer within 5 seconds; expected "
    )
    assert not (tmp_path / "out.safetensors").exists()


@needs_ray
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--address", "127.0.0.1:1"],
            "--address 127.0.0.1:1: cannot reach Ray: [Errno 111] Connection refused",
        ),
        (["--address", "nowhere"], "--address nowhere: cannot reach Ray: "),
        (["--actors", "0"], "--actors: how many actors; expected 1 or more, got 0"),
        (["--model", "lookup:3"], "lookup:3: --engine ray is for models that read clips"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_no_file(clips, tmp_path, capsys, options, said):
    assert said in fails(capsys, *command(clips, tmp_path / "out.safetensors", *options))
    assert not list(tmp_path.glob("out.*"))


@needs_ray
def test_a_cluster_that_does_not_start_in_time_is_one_line_and_no_folder(
    clips, tmp_path, capsys, monkeypatch, ray
):
    def slow(**_):
        raise Exception("The current node timed out during startup.\nThe raylet may be at fault.")

    monkeypatch.setattr(ray, "init", slow)
    line = fails(capsys, *command(clips, tmp_path / "out.safetensors"))
    assert "ray: cannot start: The current node timed out during startup." in line
    assert not list(tmp_path.glob("out.*"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--engine", "spark"], "--engine: unknown engine; expected local or ray, got spark"),
        (["--all-layers"], "--all-layers conflicts with --engine ray"),
        (["--micro-batch", "auto"], "--micro-batch auto conflicts with --engine ray (give a number)"),
        (["--engine", "local", "--actors", "2"], "--actors and --address are for --engine ray"),
    ],
)
def test_options_that_do_not_go_together_are_refused(clips, tmp_path, capsys, options, said):
    assert said in fails(capsys, *command(clips, tmp_path / "out.safetensors", *options))


def test_without_ray_the_extra_is_named(clips, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    line = fails(capsys, *command(clips, tmp_path / "out.safetensors"))
    assert line == "bgs: this needs the package 'ray' (pip install 'bgs-video[ray]')"
