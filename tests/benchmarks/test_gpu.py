"""`benchmarks/gpu.py`: every encoder runs, and its FLOPs are those that can be counted by hand."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import gpu

    return gpu


def test_flops_are_those_of_the_matrix_products(gpu):
    """32 tokens of width 32: patches, then two blocks with four maps and two products of attention, an MLP, LoRA of rank 8."""
    options = argparse.Namespace(tiny=True, device="cpu", precision="auto")
    found = gpu.Bench("videomae", options, 3).flops()
    patches = 3 * 2 * 8 * 8 * 32
    maps = 4 * 32 * 32 + 2 * 32 * 64
    adapters = 8 * (4 * (32 + 32) + 2 * (32 + 64))
    attention = 2 * 32 * 32
    assert found["forward"] == 2 * 32 * (patches + 2 * (maps + adapters + attention))
    assert 1.5 * found["forward"] < found["forward and backward"] < 3 * found["forward"]


@pytest.mark.parametrize(
    ("name", "peak"),
    [("NVIDIA H100 80GB HBM3", 989), ("NVIDIA H100 PCIe", 756), ("NVIDIA L40S", 362), ("NVIDIA L4", 121), ("cpu", None)],
)  # fmt: skip
def test_the_peak_of_a_device_is_found_by_its_name(gpu, name, peak):
    assert gpu.known_peak(name) == peak


def test_no_gpu_is_one_line(gpu, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out.json"
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--device", "cuda:99", "--json", str(out)])
    with pytest.raises(SystemExit) as done:
        gpu.main()
    assert done.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("gpu.py: device cuda:99: cannot use this device")
    assert len(told.splitlines()) == 1
    assert not out.exists()


@pytest.mark.slow
def test_every_encoder_is_measured(tmp_path):
    out = tmp_path / "out.json"
    command = [
        sys.executable,
        str(SCRIPTS / "gpu.py"),
        "--device",
        "cpu",
        "--tiny",
        "--peak",
        "1",
        "--json",
        str(out),
    ]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = json.loads(out.read_text())["encoders"]
    assert list(found) == ["VideoMAE-B", "TimeSformer-B", "V-JEPA 2 L", "V-JEPA 2.1 L"]
    for name, one in found.items():
        assert 0 < one["forward"]["mfu"] < 1, name
        assert one["update"]["tflops"] == pytest.approx(
            one["update"]["clips"]
            / one["update"]["seconds"]
            * one["flops_per_clip"]["forward and backward"]
            / 1e12
        )
        assert f"| {name} |" in ran.stdout
