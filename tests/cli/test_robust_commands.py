"""Bad files and impossible figures at the command line: one line, exit code 2, nothing changed, found before the work."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bgs.cli.main import main
from bgs.runs import run
from bgs.runs.embedder import Embedder
from bgs.runs.run_folder import RunFolder


def fails(capsys, *arguments: object) -> str:
    """Run a command that must fail; its one line."""
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    error = "".join(
        line for line in capsys.readouterr().err.splitlines(True) if not line.startswith("note: ")
    )
    assert caught.value.code == 2, error
    assert error.startswith("bgs: ")
    assert error.count("\n") == 1
    return error


TABLE = "model: lookup:3\nepochs: 3\nlora: null\nvalidation: {fraction: 0}\nevaluation: {resamples: 100, permutations: 0}\n"


@pytest.fixture
def config(small_study, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(f"{TABLE}data: {small_study}\n")
    return path


@pytest.fixture(scope="module")
def table_run(small_study, tmp_path_factory):
    """A finished run of a lookup table."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "config.yaml").write_text(f"{TABLE}data: {small_study}\n")
    with pytest.raises(SystemExit) as caught:
        main(["train", str(folder / "config.yaml"), "--out", str(folder / "run")])
    assert caught.value.code == 0
    return folder / "run"


@pytest.fixture
def broken_run(table_run, tmp_path):
    shutil.copytree(table_run, tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "bgs-adapter/1"}', "\0\0\0"])
def test_a_broken_adapter(broken_run, small_study, tmp_path, capsys, text):
    (broken_run / "adapter/bgs.json").write_text(text)
    out = tmp_path / "e.safetensors"
    error = fails(capsys, "embed", "--model", f"run:{broken_run}", "--data", small_study, "--out", out)
    assert "bgs.json: " in error
    assert not out.exists()


@pytest.mark.parametrize(
    ("file", "data", "message"),
    [
        ("metrics.jsonl", b'{"epoch": 0}\n{"epo\n', "metrics.jsonl, line 2: damaged"),
        ("metrics.jsonl", b"[]\n", "metrics.jsonl, line 1: damaged"),
        ("metrics.jsonl", b"\xff\xfe\n", "metrics.jsonl: not UTF-8 text"),
        ("metrics.jsonl", b"", "metrics.jsonl: damaged: epochs are missing"),
        ("metrics.jsonl", b'{"epoch": true}\n', "metrics.jsonl, line 1: damaged: epoch is not an integer"),
        ("provenance.json", b"", "provenance.json: damaged"),
        ("provenance.json", b'{"a":', "provenance.json: damaged"),
        ("provenance.json", b"[]", "provenance.json: damaged: not a JSON object"),
        ("provenance.json", b'{"origin": null}', "provenance.json: damaged"),
        ("provenance.json", b'{"origin": [1]}', "provenance.json: damaged"),
        ("provenance.json", b'{"origin": {"trials": 3}}', "differ from those that this run was started with"),
        ("provenance.json", '{"origin": {}}'.encode("utf-16"), "provenance.json: not UTF-8 text"),
        ("config.yaml", b"model: [", "config.yaml, line 1: not YAML"),
        ("config.yaml", b"3", "config.yaml: not a configuration"),
        ("config.yaml", "model: lookup:3".encode("utf-16"), "config.yaml: not UTF-8 text"),
        ("checkpoint.safetensors", b"\0" * 30, "checkpoint.safetensors: damaged checkpoint"),
    ],
)  # fmt: skip
def test_a_broken_run_is_not_gone_on_with(broken_run, config, capsys, file, data, message):
    (broken_run / file).write_bytes(data)
    assert message in fails(capsys, "train", config, "--out", broken_run)


@pytest.mark.parametrize("change", [{"epoch": "x"}, {"stale": None}, {"rate_factors": 3}, {"unknown": 1}])
def test_a_checkpoint_whose_state_makes_no_sense(broken_run, config, capsys, change):
    from safetensors import safe_open
    from safetensors.torch import save_file

    path = broken_run / "checkpoint.safetensors"
    with safe_open(path, framework="pt") as file:
        state = json.loads(file.metadata()["state"]) | change
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    save_file(tensors, path, {"state": json.dumps(state)})
    assert "checkpoint.safetensors: damaged: " in fails(capsys, "train", config, "--out", broken_run)


def test_a_flipped_bit_in_a_checkpoint_or_embeddings(broken_run, config, small_study, capsys):
    for file in ("checkpoint.safetensors", "tuned.safetensors"):
        data = bytearray((broken_run / file).read_bytes())
        data[-2] ^= 1
        (broken_run / file).write_bytes(data)
    assert "damaged checkpoint: the values do not match" in fails(
        capsys, "train", config, "--out", broken_run
    )
    arguments = ("evaluate", "--embeddings", broken_run / "tuned.safetensors", "--data", small_study)
    assert "tuned.safetensors: damaged: the values do not match their hash" in fails(capsys, *arguments)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("model=lookup:9999999999999", "not a lookup table; expected lookup:<dimensions>, from 1 to 99999"),
        ("model=lookup:0", "not a lookup table"), ("model=lookup:²", "not a lookup table"),
        ("model='text:a\\0b'", "a\\x00b"), ("data='a\\0b'", "a\\x00b: no such data set"),
        ("optimizer.learning_rate=1e300", "optimizer.learning_rate: Input should be less than or equal to 1000"),
        ("optimizer.learning_rate=.inf", "optimizer.learning_rate: Input should be a finite number"),
        ("optimizer.learning_rate=.nan", "optimizer.learning_rate"),
        ("objective.margin=.inf", "objective.margin: Input should be a finite number"),
        ("epochs=1e400", "epochs: Input should be"),
        ("optimizer={warmup: 1, warmup: 2}", "--set optimizer={warmup: 1, warmup: 2}, line 1: key 'warmup' is given twice"),
    ],
)  # fmt: skip
def test_impossible_settings(config, tmp_path, capsys, setting, message):
    if "\\0" in setting:
        setting = setting.replace("'", '"')  # YAML reads escapes in double quotes
    assert message in fails(capsys, "train", config, "--out", tmp_path / "run", "--set", setting)


def test_outputs_are_looked_at_before_any_work(config, table_run, small_study, tmp_path, capsys, monkeypatch):
    def too_late(*given: object, **more: object) -> None:
        raise AssertionError("the output was not looked at first")

    monkeypatch.setattr(run, "load_study", too_late)
    monkeypatch.setattr(Embedder, "__init__", too_late)
    monkeypatch.setattr("bgs.evaluation.evaluate", too_late)
    monkeypatch.setattr("bgs.datasets.audit_dataset", too_late)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine").touch()
    (tmp_path / "file").touch()
    assert "this folder contains other files" in fails(capsys, "train", config, "--out", tmp_path / "full")
    assert "cannot write" in fails(capsys, "train", config, "--out", tmp_path / "file/run")
    assert "with other settings: seed" in fails(
        capsys, "train", config, "--out", table_run, "--set", "seed=5"
    )
    embed = ("embed", "--model", "lookup:3", "--data", small_study, "--out")
    for name in ("x.npy", "x.csv", "x"):
        assert "unsupported file type; expected .safetensors" in fails(capsys, *embed, tmp_path / name)
    (tmp_path / "d.safetensors").mkdir()
    assert "not a regular file" in fails(capsys, *embed, tmp_path / "d.safetensors")
    evaluate = ("evaluate", "--embeddings", table_run / "tuned.safetensors", "--data", small_study, "--json")
    for command in (evaluate, ("data", "audit", small_study, "--json")):
        assert "not a regular file" in fails(capsys, *command, tmp_path / "full")
        assert "cannot write" in fails(capsys, *command, tmp_path / "file/x.json")
    attention = ("attention", "--model", "videomae-b", "--data", small_study, "--out", tmp_path / "file")
    assert "cannot write" in fails(capsys, *attention)
    assert {path.name for path in tmp_path.iterdir()} == {"config.yaml", "full", "file", "d.safetensors"}


def test_a_report_is_html(tmp_path, capsys):
    for name in ("x.pdf", "x"):
        assert "expected .html or .htm" in fails(capsys, "report", tmp_path, "--out", tmp_path / name)


#: A run that is killed while its second checkpoint is half written.
_KILLED = """
import os, signal, sys
from bgs import _files
original, checkpoints = os.replace, []
def replace(part, target):
    if str(target).endswith("checkpoint.safetensors"):
        checkpoints.append(target)
        if len(checkpoints) == 2:
            with open(part, "r+b") as stream:
                stream.truncate(100)
            os.kill(os.getpid(), signal.SIGKILL)
    original(part, target)
_files.os.replace = replace
from bgs.cli.main import main
main(sys.argv[1:])
"""


@pytest.mark.slow
def test_a_run_killed_while_it_writes_a_checkpoint_goes_on_exactly(config, tmp_path):
    arguments = ["train", str(config), "--set", "epochs=4", "--set", "optimizer.learning_rate=0.05", "--out"]
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, *arguments, str(tmp_path / "broken")], capture_output=True
    )
    assert killed.returncode == -9
    scraps = [path.name for path in (tmp_path / "broken").glob(".*")]
    assert ".lock" in scraps
    assert any(name.startswith(".checkpoint.safetensors.") for name in scraps)
    for folder in ("whole", "broken"):
        with pytest.raises(SystemExit) as caught:
            main([*arguments, str(tmp_path / folder)])
        assert caught.value.code == 0
    assert not list((tmp_path / "broken").glob(".*"))
    for name in ("metrics.jsonl", "adapter/weights.safetensors", "checkpoint.safetensors"):
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_a_run_killed_at_its_very_beginning_leaves_no_trap(config, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/.config.yaml.abc.part").touch()
    RunFolder(tmp_path / "run").check(run_config(config))


def run_config(config: Path):
    from bgs.training import load_config

    return load_config(config)


def test_output_to_a_full_disk_is_one_line(small_study):
    """Standard output on a full device: no traceback, also not when Python ends."""
    if not Path("/dev/full").is_char_device():
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bgs.cli.main", "models", "list"], stdout=full, stderr=subprocess.PIPE, text=True
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "bgs: cannot read or write: No space left on device\n"


def test_errors_that_are_not_ours_are_still_shown_whole(monkeypatch):
    """A fault of this package must not pass for one of the user's."""

    def broken(*given: object, **more: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("bgs.datasets.load_dataset", broken)
    with pytest.raises(ZeroDivisionError):
        main(["data", "show", "anything"])


def test_the_description_of_an_adapter_holds_its_hash(table_run):
    about = json.loads((table_run / "adapter/bgs.json").read_text())
    assert set(about["sha256"]) == {"weights.safetensors"}
