"""Cells in processes of their own: the same results as in turn, whatever is killed on the way."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from bgs import BgsError, Embeddings
from bgs.cli.main import main
from bgs.experiments.config import validated_experiment
from bgs.experiments.experiment import open_experiment
from bgs.experiments.grid import run_cell, run_experiment
from bgs.experiments.launching import new_launcher
from bgs.experiments.launching.local import LocalJob, LocalLauncher
from program import fails

CELLS = ["base/seed-0", "hybrid/seed-0", "hybrid/seed-1"]
needs_submitit = pytest.mark.skipif(
    find_spec("submitit") is None, reason="skipped: submitit is not installed"
)


@pytest.fixture(scope="module")
def in_turn(config, tmp_path_factory):
    """What an experiment in one process measures."""
    folder = tmp_path_factory.mktemp("in-turn") / "out"
    assert run_experiment(config, folder).failed == {}
    return measured(folder)


def measured(folder: Path) -> dict:
    """Every number of every cell and of the table, and every vector."""
    found = {"table": json.loads((folder / "results.json").read_text())}
    for name in CELLS:
        cell = folder / "cells/tiny" / name
        evaluation = json.loads((cell / "evaluation.json").read_text())
        found[name] = [[result["metrics"], result.get("differences")] for result in evaluation.values()]
        if (cell / "tuned.safetensors").is_file():
            found[f"{name} vectors"] = Embeddings.load(cell / "tuned.safetensors").hash()
    return found | {path.name: Embeddings.load(path).hash() for path in (folder / "shared").iterdir()}


def test_side_by_side_is_bitwise_as_in_turn(config, in_turn, tmp_path):
    assert run_experiment(config, tmp_path / "out", launcher=LocalLauncher(2)).failed == {}
    assert measured(tmp_path / "out") == in_turn
    assert not list((tmp_path / "out").rglob(".*"))  # neither locks nor scraps
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out/cells").rglob("*")}
    run_experiment(config, tmp_path / "out", launcher=LocalLauncher(2))
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out/cells").rglob("*")} == before


@needs_submitit
@pytest.mark.slow
def test_jobs_are_bitwise_as_in_turn(config, in_turn, tmp_path):
    """submitit's own local executor: there is no Slurm here."""
    launcher = new_launcher("submitit", slurm={"cluster": "local", "timeout_min": 10, "partition": "gpu"})
    assert launcher.jobs is None
    assert run_experiment(config, tmp_path / "out", launcher=launcher).failed == {}
    assert measured(tmp_path / "out") == in_turn


class _Killing(LocalLauncher):
    """Kills the process of one cell, after its first checkpoint or at once."""

    victim, trained = "tiny/hybrid/seed-0", True

    def start(self, work):
        job = super().start(work)
        if work.name == self.victim:
            cell = Path(work.out) / "cells" / work.name
            wait_for(lambda: not self.trained or (cell / "checkpoint.safetensors").is_file(), job.process)
            job.process.kill()
        return job


def wait_for(condition, process: subprocess.Popen | None = None) -> None:
    end = time.monotonic() + 300  # three processes import torch, perhaps on a busy machine
    while not condition():
        assert time.monotonic() < end
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.01)


@pytest.mark.slow
def test_a_killed_process_is_named_and_goes_on_another_time(config, in_turn, tmp_path):
    outcome = run_experiment(config, tmp_path / "out", launcher=_Killing(1))
    ((name, problem),) = outcome.failed.items()
    assert name == "tiny/hybrid/seed-0"
    assert problem.startswith("its process was ended by signal 9, Killed (too little memory?")
    cell = tmp_path / "out/cells" / name
    assert json.loads((cell / "error.json").read_text())["message"] == problem
    assert (cell.with_name("seed-1") / "done.json").is_file()
    assert run_experiment(config, tmp_path / "out").failed == {}  # in turn, this time
    assert measured(tmp_path / "out") == in_turn


def test_what_rests_on_a_killed_base_model_is_not_tried(config, tmp_path):
    launcher = _Killing(2)
    object.__setattr__(launcher, "victim", "tiny/base/seed-0")
    object.__setattr__(launcher, "trained", False)
    failed = run_experiment(config, tmp_path / "out", launcher=launcher).failed
    assert [*failed] == [f"tiny/{name}" for name in CELLS]
    assert failed["tiny/hybrid/seed-1"] == f"its base model failed: {failed['tiny/base/seed-0']}"


def started(config_path: Path, out: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "bgs.cli.main", "experiment", str(config_path), "--out", str(out)]
    return subprocess.Popen(
        [*command, "--launcher", "local", "--no-report"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def children(process: subprocess.Popen) -> list[int]:
    return [
        int(text) for text in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    ]


def at_work(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="skipped: reads /proc")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_processes_end_with_the_one_that_started_them(settings, in_turn, tmp_path, sent):
    out, path = tmp_path / "out", tmp_path / "grid.yaml"
    path.write_text(yaml.safe_dump(settings))
    process = started(path, out)
    wait_for(lambda: list((out / "cells/tiny/hybrid").glob("*/metrics.jsonl")), process)
    mine = children(process)
    assert mine
    process.send_signal(sent)
    _, error = process.communicate(timeout=60)
    assert process.returncode == (130 if sent == signal.SIGINT else -sent)
    assert "Traceback" not in error
    wait_for(lambda: not any(map(at_work, mine)))
    assert not (out / "results.json").exists()
    again = started(path, out)
    again.communicate(timeout=300)
    assert again.returncode == 0
    assert measured(out) == in_turn


def test_failed_cells_are_named_and_the_exit_code_is_1(settings, tmp_path, capsys):
    models = {"film": {"model": "scratch:videomae-tiny"}}  # there are no clips
    path = tmp_path / "grid.yaml"
    training = settings["training"] | {"lora": None}
    path.write_text(yaml.safe_dump(settings | {"models": models, "training": training}))
    with pytest.raises(SystemExit) as done:
        main(
            ["experiment", str(path), "--out", str(tmp_path / "out"), "--launcher", "local", "--no-report"],
        )
    error = capsys.readouterr().err
    assert done.value.code == 1
    assert "cell 1/3: film/base/seed-0 failed: " in error
    assert "3 failed; the rest is finished" in error
    assert "  film/hybrid/seed-1: its base model failed: " in error


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--launcher", "slurm"], "--launcher: unknown launcher; expected local or submitit, got slurm"),
        (["--launcher", "local", "--jobs", "0"], "--jobs: how many cells at once; expected 1 or more, got 0"),
        (["--jobs", "2"], "--jobs: nothing to start side by side (add --launcher local)"),
        (["--slurm", "partition=gpu"], "--slurm: these are parameters of a job (add --launcher submitit)"),
        (["--launcher", "submitit", "--slurm", "gpu"], "--slurm gpu: not an override; expected key=value"),
        pytest.param(
            ["--launcher", "submitit"], 'submitit: Could not detect "srun"', marks=needs_submitit
        ),
        pytest.param(
            ["--launcher", "submitit", "--slurm", "cluster=local", "--slurm", "partitoin=gpu"],
            "--slurm partitoin=gpu: submitit: Unknown argument 'partitoin'", marks=needs_submitit,
        ),
        pytest.param(
            ["--launcher", "submitit", "--slurm", "cluster=pbs"], "any executor named pbs", marks=needs_submitit
        ),
        pytest.param(
            ["--launcher", "submitit", "--slurm", "cluster=local", "--slurm", "timeout_min=long"],
            'Parameter "timeout_min" expected type', marks=needs_submitit,
        ),
    ],
)  # fmt: skip
def test_bad_options_are_one_line_and_write_nothing(settings, tmp_path, capsys, monkeypatch, options, said):
    monkeypatch.chdir(tmp_path)
    Path("grid.yaml").write_text(yaml.safe_dump(settings))
    assert said in fails(capsys, "experiment", "grid.yaml", "--out", "out", "--no-report", *options)
    assert [path.name for path in tmp_path.iterdir()] == ["grid.yaml"]


def test_without_submitit_the_extra_is_named(settings, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "submitit", None)
    path = tmp_path / "grid.yaml"
    path.write_text(yaml.safe_dump(settings))
    line = fails(
        capsys, "experiment", path, "--out", tmp_path / "out", "--no-report", "--launcher", "submitit"
    )
    assert line == "bgs: this needs the package 'submitit' (pip install 'bgs-video[submitit]')"


def test_a_cell_of_no_experiment_is_refused(config, tmp_path):
    with pytest.raises(BgsError, match="no such configuration file"):
        run_cell(tmp_path / "out", "tiny/hybrid/seed-0")
    small = validated_experiment(config.model_dump(mode="json") | {"conditions": ["base"], "seeds": [0]}, "x")
    run_experiment(small, tmp_path / "out")
    with pytest.raises(BgsError, match="no such cell; expected tiny/base/seed-0, got tiny/hybrid/seed-0"):
        run_cell(tmp_path / "out", "tiny/hybrid/seed-0")


def test_a_cell_waits_for_a_process_that_works_on_it_and_leaves_it_as_it_is(config, tmp_path, monkeypatch):
    small = validated_experiment(config.model_dump(mode="json") | {"conditions": ["base"], "seeds": [0]}, "x")
    run_experiment(small, tmp_path / "out")
    (cell,) = open_experiment(tmp_path / "out").planned
    marker = cell.marker.read_text()
    cell.marker.unlink()
    launcher = LocalLauncher(1)
    with cell.held():
        job = launcher.start(replace(work_of(tmp_path / "out"), name=cell.name))
        wait_for(lambda: "waiting for process" in job.work.log.read_text(), job.process)
        cell.marker.write_text(marker)  # finished meanwhile
    assert isinstance(job, LocalJob)
    assert job.process.wait(30) == 0
    job.ended()
    assert cell.marker.read_text() == marker


@pytest.mark.parametrize(
    ("visible", "seen"), [("3, 5", ["3", "5", "3", "5"]), ("3", ["3"] * 4), ("", [""] * 4)]
)
def test_cells_at_work_have_different_gpus(tmp_path, monkeypatch, visible, seen):
    """By what their processes are told; the second ends before the fourth begins."""
    told, ended = [], [False] * 4

    class Started(subprocess.Popen):
        def __init__(self, command, env, **_):
            self.number = len(told)
            told.append(env["CUDA_VISIBLE_DEVICES"])

        def poll(self):
            return 0 if ended[self.number] else None

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr(subprocess, "Popen", Started)
    launcher = LocalLauncher(3)
    for number in range(4):
        launcher.start(replace(work_of(tmp_path), name=f"tiny/hybrid/seed-{number}"))
        ended[1] = number == 2
    assert told == seen


@needs_submitit
def test_a_job_is_submitted_again_more_often_than_submitit_does_by_itself(tmp_path, monkeypatch):
    from submitit.slurm.slurm import SlurmExecutor

    monkeypatch.setattr(SlurmExecutor, "affinity", classmethod(lambda cls: 2))
    monkeypatch.setattr("shutil.which", lambda *_: "/bin/true")
    launcher = new_launcher("submitit", slurm={"timeout_min": 10})
    assert launcher._executor_in(tmp_path)._executor.max_num_timeout == 100


def work_of(out: Path):
    from bgs.experiments.launching.launcher import CellWork

    return CellWork(str(out), "")
