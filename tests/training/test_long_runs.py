"""Long runs: checkpoints within an epoch, signals, faults, full disks; each goes on to the very same numbers."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import torch

from bgs import BgsError
from bgs.cli.main import main
from bgs.objective import HybridObjective
from bgs.runs import cross_validate
from bgs.runs.fitting import fit
from bgs.runs.run import run_training
from bgs.runs.run_folder import RunFolder
from bgs.runs.study import load_study
from bgs.training import FullGeometry, PerTrial, TrainingLog, load_config
from bgs.training.determinism import deterministic
from bgs.training.stopping import SIGNALS, Stopped, signals_stop_training, watched_signals
from no_room import no_room

ROOT = Path(__file__).parents[2]
CHECKPOINT = "checkpoint.safetensors"
METHODS = {"full-geometry": FullGeometry, "per-trial": PerTrial}
#: Four updates an epoch, by either method; validation after the second epoch and the last.
SETTINGS = """
epochs: 3
validation: {every: 2}
lora: {rank: 2}
optimizer: {learning_rate: 0.01}
evaluation: {resamples: 100, permutations: 0}
checkpoints: {every: 2, keep: 3}
"""
OF_METHOD = {
    "full-geometry": "gradient: full-geometry\nclips_per_update: 4\n",
    "per-trial": "gradient: per-trial\nper_trial: {trials: 15, batch: 4, rsa_updates: 2, rsa_clips: 6, rsa_gradient_clips: 3}\n",
}


@pytest.fixture(autouse=True)
def _heard():
    """Signals that were ignored where the tests were started (`nohup`) are not ignored meanwhile; SIGINT: see conftest."""
    ignored = [number for number in SIGNALS if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture
def write(tiny_text, small_study, tmp_path):
    def _write(gradient: str = "full-geometry", more: str = "") -> Path:
        path = tmp_path / "config.yaml"
        path.write_text(
            f"model: text:{tiny_text}\ndata: {small_study}\n{SETTINGS}{OF_METHOD[gradient]}{more}",
            encoding="utf-8",
        )
        return path

    return _write


def train(path: Path, out: Path, *overrides: str) -> None:
    """A run without its evaluation."""
    config = load_config(path, overrides)
    fit(config, load_study(config), RunFolder(out))


def same(broken: Path, whole: Path) -> None:
    for name in ("metrics.jsonl", CHECKPOINT, "adapter/adapter_model.safetensors"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes(), name


class _Killed(Exception):
    pass


def at(monkeypatch, gradient: str, epoch: int, update: int, act) -> None:
    """Do something before one update."""
    method = METHODS[gradient]
    original = method.accumulate

    def accumulate(self, e, u):
        if (e, u) == (epoch, update):
            act(self)
        return original(self, e, u)

    monkeypatch.setattr(method, "accumulate", accumulate)


def kill(_: object) -> None:
    raise _Killed


def state_of(path: Path) -> dict:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["state"])


@pytest.mark.parametrize("gradient", METHODS)
def test_a_run_killed_within_an_epoch_goes_on_to_the_same_bytes(write, tmp_path, monkeypatch, gradient):
    path = write(gradient)
    train(path, tmp_path / "whole")
    places = [(s["epoch"], s["update"]) for s in map(state_of, TrainingLog(tmp_path / "whole").checkpoints())]
    assert len(places) == 3
    assert places == sorted(places, reverse=True)
    for place in ((0, 1), (1, 1), (2, 3)):
        with monkeypatch.context() as patch:
            at(patch, gradient, *place, kill)
            with pytest.raises(_Killed):
                train(path, tmp_path / "broken")
    train(path, tmp_path / "broken")
    same(tmp_path / "broken", tmp_path / "whole")


def test_a_process_killed_while_checkpoints_grow_older_leaves_a_whole_one(tmp_path):
    log = TrainingLog(tmp_path)
    names = [CHECKPOINT, "checkpoint-1.safetensors", "checkpoint-2.safetensors"]
    for number, name in enumerate(names):
        (tmp_path / name).write_text(str(number))
    (tmp_path / "checkpoint-x.safetensors").touch()
    assert [path.name for path in log.checkpoints()] == names
    original, moved = os.replace, []
    for fatal in (0, 1):
        with pytest.MonkeyPatch.context() as patch:

            def replace(a, b, fatal=fatal):
                if len(moved) == fatal:
                    raise _Killed
                moved.append(a)
                original(a, b)

            patch.setattr(os, "replace", replace)
            with pytest.raises(_Killed):
                log.age_checkpoints(3)
        moved.clear()
        assert log.checkpoints()[0].read_text() == "0"
    log.age_checkpoints(3)
    assert log.checkpoints()[0].read_text() == "0"
    assert len(log.checkpoints()) <= 3


def test_a_damaged_checkpoint_says_what_to_delete_and_an_older_one_is_then_gone_on_from(write, tmp_path):
    path = write()
    train(path, tmp_path / "whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "broken")
    newest = tmp_path / "broken" / CHECKPOINT
    data = bytearray(newest.read_bytes())
    data[-2] ^= 1
    newest.write_bytes(data)
    with pytest.raises(
        BgsError,
        match=r"checkpoint\.safetensors: damaged.*delete this file to go on from checkpoint-1\.safetensors",
    ):
        train(path, tmp_path / "broken")
    assert newest.read_bytes() == data
    newest.unlink()
    train(path, tmp_path / "broken")
    same(tmp_path / "broken", tmp_path / "whole")


def rewritten(path: Path, change) -> None:
    """Replace the state of a checkpoint."""
    from safetensors.torch import load_file, save_file

    state = state_of(path)
    change(state)
    save_file(load_file(path), path, {"state": json.dumps(state)})


def test_checkpoints_of_other_versions(write, tmp_path, monkeypatch):
    """Those of before there were checkpoints within an epoch are read; those of the future, and changed states, are refused."""
    path = write()
    train(path, tmp_path / "whole", "checkpoints={every: null, keep: 1}")
    with monkeypatch.context() as patch:
        at(patch, "full-geometry", 2, 0, kill)
        with pytest.raises(_Killed):
            train(path, tmp_path / "run", "checkpoints={every: null, keep: 1}")
    kept = (tmp_path / "run" / CHECKPOINT).read_bytes()

    def first_version(state):
        for key in ("version", "run", "sha256", "update", "totals", "counts"):
            del state[key]

    for change, message in (
        (lambda state: state.update(version=3), "another version; expected 2, or 1, got 3"),
        (lambda state: state.update(best_value=0.5), "the values do not match their hash"),
    ):
        (tmp_path / "run" / CHECKPOINT).write_bytes(kept)
        rewritten(tmp_path / "run" / CHECKPOINT, change)
        with pytest.raises(BgsError, match=message):
            train(path, tmp_path / "run", "checkpoints={every: null, keep: 1}")
    (tmp_path / "run" / CHECKPOINT).write_bytes(kept)
    rewritten(tmp_path / "run" / CHECKPOINT, first_version)
    train(path, tmp_path / "run", "checkpoints={every: null, keep: 1}")
    same(tmp_path / "run", tmp_path / "whole")


def test_a_checkpoint_of_another_run_is_refused(write, tmp_path):
    path = write()
    train(path, tmp_path / "other", "epochs=4")
    train(path, tmp_path / "run")
    shutil.copy(tmp_path / "other" / CHECKPOINT, tmp_path / "run" / CHECKPOINT)
    kept = {file: file.read_bytes() for file in (tmp_path / "run").iterdir() if file.is_file()}
    with pytest.raises(BgsError, match=r"checkpoint\.safetensors: the checkpoint of another run"):
        train(path, tmp_path / "run")
    assert kept == {file: file.read_bytes() for file in kept}
    (tmp_path / "run" / CHECKPOINT).unlink()
    (tmp_path / "run" / CHECKPOINT).mkdir()
    with pytest.raises(BgsError, match=r"checkpoint\.safetensors: a checkpoint that is no file"):
        train(path, tmp_path / "run")


def test_a_configuration_from_before_these_settings_is_that_of_their_defaults(write, tmp_path):
    path = write()
    out = tmp_path / "run"
    config = load_config(path, ["checkpoints={}"])
    old = config.to_yaml().split("checkpoints:")[0]
    out.mkdir()
    (out / "config.yaml").write_text(old, encoding="utf-8")
    RunFolder(out).check(load_config(path, ["checkpoints={every: null, keep: 1}"]))
    with pytest.raises(BgsError, match=r"other settings: checkpoints\.keep; expected 1, got 3"):
        RunFolder(out).check(load_config(path, ["checkpoints={every: null, keep: 3}"]))


def command(path: Path, out: Path) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["--quiet", "train", str(path), "--out", str(out)])
    return caught.value.code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP])
def test_a_signal_ends_training_with_a_checkpoint(write, tmp_path, monkeypatch, capsys, number):
    path, out = write("per-trial"), tmp_path / "run"
    before = [signal.getsignal(each) for each in SIGNALS]
    with monkeypatch.context() as patch:
        at(patch, "per-trial", 1, 2, lambda _: signal.raise_signal(number))
        assert command(path, out) == 128 + number
    assert [signal.getsignal(each) for each in SIGNALS] == before
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        f"bgs: stopped by {number.name} after epoch 1, update 2, {out / CHECKPOINT} is written"
    )
    assert line.endswith("(the same command with the same folder goes on from there)")
    assert (state_of(out / CHECKPOINT)["epoch"], state_of(out / CHECKPOINT)["update"]) == (1, 3)
    assert not list(out.rglob(".*"))  # neither lock nor scraps
    if number == signal.SIGUSR1:
        assert command(path, out) == 0
        train(path, tmp_path / "whole")
        # how many checkpoints were written differs, and nothing else
        same(out, tmp_path / "whole")


def test_a_signal_during_validation_does_not_wait_for_its_end(write, tmp_path, monkeypatch):
    from bgs.training import loop

    path, out = write(), tmp_path / "run"
    original = loop.embed

    def embed(*given):
        signal.raise_signal(signal.SIGTERM)
        return original(*given)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "embed", embed)
        assert command(path, out) == 128 + signal.SIGTERM
    assert state_of(out / CHECKPOINT)["epoch"] == 1  # validation comes after the second epoch
    assert len(RunFolder(out).read_metrics()) == 1
    train(path, out)
    train(path, tmp_path / "whole")
    same(out, tmp_path / "whole")


def test_a_second_interrupt_ends_at_once(write, tmp_path, monkeypatch, capsys):
    def twice(_: object) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        at(patch, "full-geometry", 0, 1, twice)
        assert command(write(), tmp_path / "run") == 128 + signal.SIGINT
    assert "stopped" not in capsys.readouterr().err
    assert not (tmp_path / "run" / CHECKPOINT).exists()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_python_code_keeps_its_interrupts(write, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        at(patch, "full-geometry", 0, 1, lambda _: signal.raise_signal(signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            run_training(load_config(write()), tmp_path / "run")


def test_signals_are_watched_only_where_they_may_be(monkeypatch):
    monkeypatch.setattr(os, "write", lambda *_: 0)
    earlier = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with signals_stop_training(), watched_signals() as asked:
            signal.raise_signal(signal.SIGHUP)
            assert asked.number == 0
    finally:
        signal.signal(signal.SIGHUP, earlier)
    found = []

    def elsewhere() -> None:
        with signals_stop_training(), watched_signals() as asked:
            found.append(asked.watched)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [False]
    with pytest.raises(KeyboardInterrupt), signals_stop_training(), watched_signals():
        signal.raise_signal(signal.SIGINT)  # nothing heeds it, so it is sent again


def test_a_signal_ends_a_cross_validation_and_the_same_call_goes_on(write, tmp_path, monkeypatch):
    path = write(more="cross_validation: {folds: 3}\n")
    config = load_config(path)
    count = []

    def stop(_: object) -> None:
        count.append(1)
        if len(count) == 2:  # the second fold
            signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patch, signals_stop_training():
        at(patch, "full-geometry", 1, 1, stop)
        with pytest.raises(Stopped) as caught:
            cross_validate(config, tmp_path / "broken")
    assert caught.value.status == 143
    assert (tmp_path / "broken/repeat-0/fold-1" / CHECKPOINT).is_file()
    broken = cross_validate(config, tmp_path / "broken")
    whole = cross_validate(config, tmp_path / "whole")
    assert broken.folds == whole.folds


EXPERIMENT = """
models: {{tiny: {{model: "text:{model}"}}}}
data: {data}
conditions: [hybrid]
seeds: [0]
training:
  epochs: 3
  lora: {{rank: 2}}
  validation: {{fraction: 0}}
  evaluation: {{permutations: 0}}
analyses: {{variance: null, probes: null, dimensions: null, disagreement: null}}
"""


def test_a_signal_ends_an_experiment_and_no_cell_counts_as_failed(
    tiny_text, small_study, tmp_path, monkeypatch
):
    path, out = tmp_path / "grid.yaml", tmp_path / "out"
    path.write_text(EXPERIMENT.format(model=tiny_text, data=small_study), encoding="utf-8")
    arguments = ["--quiet", "experiment", str(path), "--out", str(out), "--no-report"]
    with monkeypatch.context() as patch:
        at(patch, "full-geometry", 1, 0, lambda _: signal.raise_signal(signal.SIGUSR2))
        with pytest.raises(SystemExit) as caught:
            main(arguments)
    assert caught.value.code == 128 + signal.SIGUSR2
    (kept,) = out.rglob(CHECKPOINT)
    assert state_of(kept)["epoch"] == 2 or state_of(kept)["update"] == 1
    assert not list(out.rglob("error.json"))
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 0


def test_a_fault_names_clips_parts_and_step_and_keeps_the_last_checkpoint(small_study, tmp_path, monkeypatch):
    path = tmp_path / "config.yaml"
    path.write_text(f"model: lookup:4\nlora: null\nepochs: 4\ndata: {small_study}\n", encoding="utf-8")

    def break_down(method) -> None:
        (table,) = method.backbone.trainable().values()
        table.data[[2, 7]] = float("nan")

    with monkeypatch.context() as patch:
        at(patch, "full-geometry", 2, 0, break_down)
        with pytest.raises(BgsError) as caught:
            train(path, tmp_path / "run")
    message = str(caught.value)
    assert "epoch 2, update 0: the loss is not finite" in message
    assert "loss nan, local nan, rsa nan" in message
    assert "2 of 20 clips have no finite embedding: clip02, clip07" in message
    assert "the checkpoint after epoch 1 is kept" in message
    train(path, tmp_path / "run")
    train(path, tmp_path / "whole")
    for name in ("metrics.jsonl", CHECKPOINT):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize("local", ["choice", "hinge"])
def test_the_loss_is_bounded_so_that_it_cannot_explode_and_stay_finite(small_study, local):
    """docs/training.md: 2/temperature + ln 3, or margin + 2, and 1 for the correlation; embeddings are of any length."""
    from bgs.objective import ObjectiveSettings
    from bgs.training import target_of
    from tiny_training import planted_geometry

    settings = ObjectiveSettings(local=local)
    largest = (
        2 / settings.temperature + torch.log(torch.tensor(3.0)) if local == "choice" else settings.margin + 2
    )
    target = target_of(planted_geometry(12))
    torch.manual_seed(0)
    for scale in (1e-6, 1.0, 1e6):
        parts = HybridObjective(settings)(torch.randn(12, 4) * scale, target, 0)
        assert 0 <= parts.local <= largest
        assert -1.0001 <= parts.rsa <= 1.0001


def test_a_checkpoint_that_finds_no_room_leaves_the_last_one_whole_and_is_one_line(
    write, tmp_path, monkeypatch
):
    path, out = write(), tmp_path / "run"
    with monkeypatch.context() as patch, ExitStack() as meanwhile:
        at(patch, "full-geometry", 1, 3, lambda _: meanwhile.enter_context(no_room(10_000)))
        with pytest.raises(BgsError) as caught:
            train(path, out)
    message = str(caught.value)
    assert "\n" not in message
    assert f"{out / CHECKPOINT}: cannot write" in message
    assert os.strerror(errno.EFBIG) in message
    assert (
        "the checkpoint after epoch 1, update 1 is kept; make room, then call the same command again"
        in message
    )
    assert not list(out.rglob(".*.part"))
    train(path, out)
    train(path, tmp_path / "whole")
    same(out, tmp_path / "whole")


def test_a_full_disk_at_the_metrics_is_said_too(write, tmp_path, monkeypatch):
    path, out = write(), tmp_path / "run"

    def full(self, record):
        if record["epoch"] == 1:
            raise BgsError("cannot write: No space left on device", where=self.metrics)
        original(self, record)

    original = TrainingLog.append_metrics
    with monkeypatch.context() as patch:
        patch.setattr(TrainingLog, "append_metrics", full)
        with pytest.raises(
            BgsError, match=r"metrics\.jsonl: cannot write: No space.*the checkpoint after .* is kept"
        ):
            train(path, out)
    train(path, out)
    train(path, tmp_path / "whole")
    same(out, tmp_path / "whole")


def test_determinism_is_switched_on_for_the_training_alone(write, tmp_path, monkeypatch):
    seen = []
    with monkeypatch.context() as patch:
        at(patch, "full-geometry", 0, 0, lambda _: seen.append(torch.are_deterministic_algorithms_enabled()))
        train(write(), tmp_path / "run", "deterministic=true")
        train(write(), tmp_path / "other")
    assert seen == [True, False]
    assert not torch.are_deterministic_algorithms_enabled()
    with (
        pytest.raises(BgsError, match="no deterministic algorithm here; got put_ does not"),
        deterministic(True),
    ):
        raise RuntimeError("put_ does not have a deterministic implementation")
    with pytest.raises(RuntimeError, match="something else"), deterministic(True):
        raise RuntimeError("something else")


def programs(folder: Path, **lines: str) -> Path:
    """A folder of shell scripts of one line each, to be found before others of their names."""
    folder.mkdir()
    for name, line in lines.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.slow
def test_the_job_script_requeues_itself_and_goes_on(write, tmp_path):
    path, out, log = write(), tmp_path / "run", tmp_path / "scontrol.log"
    tools = programs(
        tmp_path / "bin",
        scontrol=f'echo "$@" >> {log}',
        bgs=f'exec "{sys.executable}" "{ROOT}/tests/training/scheduled_training.py" "$@"',
    )
    environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}", "SLURM_JOB_ID": "17"}

    def job() -> subprocess.CompletedProcess:
        script = ["bash", str(ROOT / "examples/train.sbatch"), str(path), str(out), "--set", "seed=0"]
        return subprocess.run(script, env=environment, capture_output=True, text=True, timeout=500)

    first = job()
    assert first.returncode == 138, first.stderr
    assert "bgs: stopped by SIGUSR1 after epoch " in first.stderr
    assert log.read_text() == "requeue 17\n"
    second = job()
    assert second.returncode == 0, second.stderr
    assert log.read_text() == "requeue 17\n"
    train(path, tmp_path / "whole")
    same(out, tmp_path / "whole")


@pytest.mark.slow
def test_the_job_script_of_several_processes_passes_a_signal_on_and_requeues_itself(write, tmp_path):
    """torchrun with two processes, where ``srun`` does no more than start it."""
    path, out, log = write(more="micro_batch: 2\n"), tmp_path / "run", tmp_path / "log"
    tools = programs(
        tmp_path / "bin",
        srun='exec "$@"',
        scontrol=f'[ "$1" = show ] && echo localhost || echo "$@" >> {log}',
        torchrun=f'exec "{sys.executable}" -m torch.distributed.run "$@"',
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    environment = os.environ | {
        "PATH": f"{tools}:{os.environ['PATH']}", "SLURM_JOB_ID": "17", "SLURM_JOB_NODELIST": "here",
        "SLURM_NNODES": "1", "SLURM_GPUS_ON_NODE": "2", "BGS_PORT": port, "OMP_NUM_THREADS": "1",
    }  # fmt: skip

    script = ["bash", str(ROOT / "examples/train_processes.sbatch"), str(path), str(out), "--set"]
    job = subprocess.Popen([*script, "epochs=2000"], env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 300
    while not (out / CHECKPOINT).is_file() and time.monotonic() < deadline:
        time.sleep(0.05)
    job.send_signal(signal.SIGUSR1)
    _, errors = job.communicate(timeout=300)
    assert job.returncode != 0
    assert "bgs: stopped by SIGUSR1 after epoch " in errors
    assert log.read_text() == "requeue 17\n"
    assert state_of(out / CHECKPOINT)["epoch"] == len(RunFolder(out).read_metrics())


@pytest.mark.slow
@pytest.mark.parametrize(("gradient", "kills"), [("full-geometry", 15), ("per-trial", 15)])
def test_random_kills_go_on_exactly(write, tmp_path, gradient, kills):
    """Real processes, killed by SIGKILL at random times, while they write checkpoints included."""
    path = write(gradient)
    path.write_text(path.read_text().replace("every: 2, keep", "every: 1, keep"))
    script = str(ROOT / "tests/training/killed_training.py")
    ran = subprocess.run(
        [sys.executable, script, str(path), str(tmp_path), str(kills), "0"],
        capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    assert len(found) == kills
    assert all(one["exact"] for one in found), found


@pytest.mark.slow
def test_a_signal_to_one_of_two_processes_ends_both_and_one_goes_on(write, tmp_path):
    from several_processes import ended
    from several_processes import start as start_several

    path, out = write(more="micro_batch: 2\n"), tmp_path / "run"
    longer = ["--set", "epochs=2000"]
    started = start_several(2, "-m", "bgs", "train", str(path), "--out", str(out), *longer)
    deadline = time.monotonic() + 300
    while not (out / CHECKPOINT).is_file() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(started[1].pid, signal.SIGTERM)
    first, other = ended(started)
    assert (first.code, other.code) == (143, 143), first.errors + other.errors
    assert first.errors.strip().splitlines()[-1].startswith("bgs: stopped by SIGTERM after epoch ")
    assert "stopped" not in other.errors
    state, done = state_of(out / CHECKPOINT), len(RunFolder(out).read_metrics())
    assert state["epoch"] == done
