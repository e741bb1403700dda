"""Several processes compute what one computes: gradients, runs; and all end when one cannot go on."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import sys
import time

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from bgs import BgsError
from bgs.backbones.processes import TIMEOUT, Processes, current, joined, launched, require_alone
from bgs.runs.run import run_training
from bgs.training import load_config
from several_processes import HERE, ended, start

#: What is asked for, what one process is told besides, and what the first one says.
REFUSED = [
    ([], {1: ["--set", "seed=7"]}, "the settings differ between the processes of this run"),
    (["micro_batch=500"], {}, "more processes than micro-batches"),
    (["lora=null", "transform={}"], {}, "a transform is trained in one process"),
    (["gradient=per-trial"], {}, "only full-geometry gradients can be shared"),
    (["cross_validation={folds: 3}"], {}, "folds are trained in one process, and 2 were started"),
    ([], {1: ["--mirror", "nowhere", "--set", "data=nothing"]}, "process 1 failed: "),
    ([], {1: ["--set", "nonsense=3"]}, "process 1 failed: "),
]
NO_LAYER = {
    "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
    "fsdp_transformer_layer_cls_to_wrap": "NoLayer",
}
#: A `sitecustomize` of Python, with which the evaluation of a run waits for a file.
_WAITING = """
import os, time

import bgs.evaluation

at_once = bgs.evaluation.evaluate


def evaluate(*given, **more):
    while not os.path.exists(os.environ["GO_ON"]):
        time.sleep(0.1)
    return at_once(*given, **more)


bgs.evaluation.evaluate = evaluate
"""
FAST = ["evaluation.permutations=0", "epochs=4", "validation.every=2", "lora.rank=2", "micro_batch=5"]


@given(st.integers(0, 200), st.integers(1, 9))
def test_shares_are_all_there_is_in_order_and_of_nearly_equal_size(n, size):
    shares = [Processes(rank, size).own(n) for rank in range(size)]
    assert [piece for share in shares for piece in share] == list(range(n))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_one_process_needs_no_other():
    with joined() as processes:
        assert processes == current() == Processes(0, 1)
        rows = torch.ones(2, 3)
        assert processes.gather(rows, [2]) is rows
        assert processes.exchange("x") == ["x"]
        processes.require_same({"trials": "a"})
        with pytest.raises(BgsError, match="mine"), processes.together():
            raise BgsError("mine")


@pytest.mark.parametrize(("rank", "size"), [("2", "2"), ("-1", "2"), ("0", "two"), ("", "2")])
def test_the_environment_of_no_launcher_is_refused(monkeypatch, rank, size):
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("WORLD_SIZE", size)
    with pytest.raises(BgsError, match="RANK below WORLD_SIZE"):
        launched()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("MASTER_ADDR", "", "the host and a free port of the first process, got none and 1234"),
        ("MASTER_PORT", "x", "the host and a free port of the first process, got 127.0.0.1 and x"),
        ("MASTER_PORT", "65536", "got 127.0.0.1 and 65536"),
        (TIMEOUT, "9" * 30, "a whole number from 1 to 10000000"),
    ],
)
def test_where_the_others_cannot_be_is_refused(monkeypatch, name, value, message):
    told = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1234", name: value}
    for key, one in told.items():
        monkeypatch.setenv(key, one)
    with pytest.raises(BgsError, match=message), joined():
        pass


def test_what_one_process_does_is_refused_in_several(monkeypatch):
    require_alone("folds are trained", "start it alone")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(BgsError, match="folds are trained in one process, and 2 were started"):
        require_alone("folds are trained", "start it alone")


@pytest.mark.parametrize("spread", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_gradients_of_two_and_three_processes_are_those_of_one(tiny_text, tmp_path, spread):
    """Dropout and gradient checkpointing are on; 2 and 3 processes get unequal shares of the micro-batches."""
    script = HERE / "training" / "gradient_of_a_process.py"
    told = _fsdp() if spread else {}
    groups = [start(size, str(script), str(tiny_text), str(tmp_path), **told) for size in (1, 2, 3)]
    for group in groups:
        for process in ended(group):
            assert process.code == 0, process.errors
    expected = load_file(tmp_path / "1-0.safetensors")
    assert expected.pop("share of the weights") == 1
    alone = expected.pop("trunk calls")
    for size in (2, 3):
        first, *others = [load_file(tmp_path / f"{size}-{rank}.safetensors") for rank in range(size)]
        share = first.pop("share of the weights")
        assert 1 / size < share < 0.9 if spread else share == 1
        assert first.pop("trunk calls") == math.ceil(alone / size)
        assert torch.equal(first["trunk"], expected["trunk"])
        for name, value in expected.items():
            assert value.abs().max() > 1e-5, name
            assert (first[name] - value).abs().max() <= 1e-6 * value.abs().max(), name
            assert all(torch.equal(other[name], first[name]) for other in others), name


@pytest.fixture
def config(tiny_text, small_study, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(f"model: text:{tiny_text}\ndata: {small_study}\noptimizer: {{learning_rate: 0.01}}\n")
    return path


def _fsdp(version: int = 2, **more: str) -> dict[str, str]:
    """What `accelerate launch` tells its processes, where it is to use FSDP."""
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from accelerate.utils.launch import prepare_multi_gpu_env

    options = [word for name, value in more.items() for word in (f"--{name}", value)]
    usual = "--use_fsdp --num_processes 2 --num_machines 1 --mixed_precision no --dynamo_backend no"
    given = [*usual.split(), "--fsdp_version", str(version), *options, "train.py"]
    asked, _, _ = _validate_launch_command(launch_command_parser().parse_args(given))
    told = prepare_multi_gpu_env(asked)
    return {name: value for name, value in told.items() if "FSDP" in name}


def _train(size: int, config, out, *overrides: str, each=None, **variables: str):
    settings = [part for setting in (*FAST, *overrides) for part in ("--set", setting)]
    arguments = ["-m", "bgs", "train", str(config), "--out", str(out), *settings]
    return start(size, *arguments, each=each, **variables)


def _figures(folder) -> dict[str, float]:
    found = json.loads((folder / "evaluation.json").read_text())
    return {
        f"{protocol} {model} {name}": metric["value"]
        for protocol, result in found.items()
        for model in ("metrics", "against_metrics")
        for name, metric in result[model].items()
    }


@pytest.mark.slow
def test_a_run_of_three_processes_is_that_of_one_and_goes_on_as_two(config, tmp_path):
    run_training(load_config(config, FAST), tmp_path / "one")
    first, *others = ended(_train(3, config, tmp_path / "three"))
    assert first.code == 0, first.errors
    assert "Run folder" in first.output
    for other in others:
        assert (other.code, other.output, other.errors) == (0, "", "")
    assert _figures(tmp_path / "three") == pytest.approx(_figures(tmp_path / "one"), abs=1e-4)
    names = [sorted(path.name for path in (tmp_path / run).iterdir()) for run in ("one", "three")]
    assert names[0] == names[1]

    shutil.copytree(tmp_path / "three", tmp_path / "two")
    before = (tmp_path / "two" / "metrics.jsonl").read_text()
    first, _ = ended(_train(2, config, tmp_path / "two"))
    assert first.code == 0, first.errors
    assert (tmp_path / "two" / "metrics.jsonl").read_text() == before
    assert _figures(tmp_path / "two") == pytest.approx(_figures(tmp_path / "one"), abs=1e-4)


@pytest.mark.slow
def test_a_run_with_spread_weights_is_that_of_one_process(config, tmp_path):
    run_training(load_config(config, FAST), tmp_path / "one")
    for process in ended(_train(2, config, tmp_path / "two", **_fsdp())):
        assert process.code == 0, process.errors
    assert _figures(tmp_path / "two") == pytest.approx(_figures(tmp_path / "one"), abs=1e-4)
    one, two = (load_file(tmp_path / run / "adapter/adapter_model.safetensors") for run in ("one", "two"))
    assert one.keys() == two.keys()  # what was trained, and nothing else


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overrides", "told", "message"),
    [
        (["micro_batch=auto"], {}, "not measured with FSDP"),
        ([], {"version": 1}, "FSDP2 is needed"),
        ([], NO_LAYER, "no blocks to spread"),
    ],
)
def test_what_cannot_be_spread_ends_all_processes_with_one_line(config, tmp_path, overrides, told, message):
    for process in ended(_train(2, config, tmp_path / "run", *overrides, **_fsdp(**told))):
        assert process.code == 2, process.errors
        assert message in process.errors.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("overrides", "each", "message"),
    [
        pytest.param(*case, marks=[pytest.mark.slow] if number else [], id=case[-1].strip())
        for number, case in enumerate(REFUSED)
    ],
)
def test_what_several_processes_cannot_do_ends_all_of_them_with_one_line(
    config, tmp_path, overrides, each, message
):
    for rank, process in enumerate(ended(_train(2, config, tmp_path / "run", *overrides, each=each))):
        assert process.code == 2, process.errors
        last = process.errors.strip().splitlines()[-1]
        assert last.startswith("bgs: process 1: " if rank else "bgs: "), last
        assert "Traceback" not in process.errors
        if rank == 0:
            assert message in last
    assert not [*(tmp_path / "run").glob("*")]


@pytest.mark.slow
def test_the_others_end_before_the_first_process_evaluates(config, tmp_path):
    """So it may take longer than they would wait for an answer."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(_WAITING)
    path = os.pathsep.join([str(tmp_path / "site"), *filter(None, sys.path)])
    first, other = _train(2, config, tmp_path / "run", PYTHONPATH=path, GO_ON=str(tmp_path / "go on"))
    other.wait(300)
    assert not (tmp_path / "run" / "evaluation.json").exists()
    (tmp_path / "go on").touch()
    for process in ended([first, other]):
        assert process.code == 0, process.errors
    assert (tmp_path / "run" / "evaluation.json").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_process_that_is_killed_ends_the_others(config, tmp_path, victim):
    started = _train(2, config, tmp_path / "run", "epochs=2000", **{TIMEOUT: "60"})
    deadline = time.monotonic() + 300
    while not (tmp_path / "run" / "metrics.jsonl").is_file() and time.monotonic() < deadline:
        time.sleep(0.1)
    os.kill(started[victim].pid, signal.SIGKILL)
    survivor = ended(started)[1 - victim]
    assert survivor.code == 2, survivor.errors
    assert "another process of this run ended or does not answer" in survivor.errors.strip().splitlines()[-1]
    assert "Traceback" not in survivor.errors


@pytest.mark.slow
def test_a_launcher_whose_other_processes_never_come(config, tmp_path):
    started = _train(3, config, tmp_path / "run", **{TIMEOUT: "3"})
    for other in started[1:]:
        other.kill()
    first = ended(started)[0]
    assert first.code == 2, first.errors
    assert "another process of this run ended or does not answer" in first.errors.strip().splitlines()[-1]
