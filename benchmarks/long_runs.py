"""What exactness depends on, and what checkpoints cost: a sentence encoder on simulated judgments, on this machine.

Trains the same run with one thread and with two, each in a process of its own, twice, and with deterministic algorithms;
compares the trained values bit by bit. Times one checkpoint beside one update of either method.

    python benchmarks/long_runs.py [--json docs/results/long_runs.json]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bgs._files import write_json

SETTINGS = {
    "model": "text:minilm", "epochs": 2, "clips_per_update": 16, "views": 1, "micro_batch": 16,
    "validation": {"fraction": 0}, "optimizer": {"warmup": 0}, "device": "cpu",
}  # fmt: skip
ROUNDS = 20


def trained(out: Path, world: Path, threads: int, deterministic: bool = False) -> dict[str, Any]:
    """Train in a process of its own; its seconds, and path of the trained values."""
    config = out.with_suffix(".yaml")
    config.write_text(
        json.dumps(SETTINGS | {"data": str(world), "deterministic": deterministic}), encoding="utf-8"
    )
    command = [sys.executable, __file__, "--train", str(config), str(out)]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    ran = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return {"seconds": float(ran.stdout.splitlines()[-1]), "path": out / "adapter/adapter_model.safetensors"}


def train(config: str, out: str) -> None:
    """Train, and print how many seconds that took."""
    from bgs.runs.fitting import fit
    from bgs.runs.run_folder import RunFolder
    from bgs.runs.study import load_study
    from bgs.training import load_config

    settings = load_config(config)
    study, start = load_study(settings), time.perf_counter()
    fit(settings, study, RunFolder(out))
    print(time.perf_counter() - start)


def compared(one: Path, other: Path) -> dict[str, Any]:
    """Whether two files have the same bits, and the largest difference relative to the largest value."""
    from safetensors.numpy import load_file

    a, b = load_file(one), load_file(other)
    largest = max(
        float(abs(a[name] - b[name]).max() / abs(a[name]).max()) for name in a if abs(a[name]).max()
    )
    return {"same_bits": one.read_bytes() == other.read_bytes(), "largest_relative_difference": largest}


def checkpoint_costs(world: Path, folder: Path) -> dict[str, float]:
    """Milliseconds of an update of either method and of a checkpoint, and the checkpoint's bytes; medians, two threads."""
    from bgs._config import validate
    from bgs.runs.run_folder import RunFolder
    from bgs.runs.study import load_study
    from bgs.runs.trainer import new_backbone, new_trainer
    from bgs.training import TrainingConfig
    from bgs.training.checkpoint import save_checkpoint

    found: dict[str, float] = {}
    for gradient in ("full-geometry", "per-trial"):
        given = SETTINGS | {"data": str(world), "gradient": gradient, "clips_per_update": None}
        config = validate(TrainingConfig, given, gradient)
        log = RunFolder(folder)
        trainer = new_trainer(config, new_backbone(config), load_study(config), log)
        trainer.state.rate_factors.append(1.0)
        times: dict[str, list[float]] = {"update": [], "checkpoint": []}
        for update in range(ROUNDS if gradient == "per-trial" else 3):
            start = time.perf_counter()
            trainer._update(0, update if gradient == "per-trial" else 0)
            between = time.perf_counter()
            save_checkpoint(log, trainer.backbone, trainer.optimizer, trainer.state, keep=3)
            times["update"].append(between - start)
            times["checkpoint"].append(time.perf_counter() - between)
        found[f"{gradient}, ms an update"] = 1000 * statistics.median(times["update"])
        found[f"{gradient}, ms a checkpoint"] = 1000 * statistics.median(times["checkpoint"])
        found["bytes of a checkpoint"] = log.checkpoint.stat().st_size
    return found


def measure() -> dict[str, Any]:
    """All of it, in a temporary folder."""
    import torch

    from bgs.api.planting import plant

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world = folder / "world"
        plant(world, clips=60, trials=2000)
        runs = {
            "one thread": trained(folder / "one", world, 1),
            "one thread, again": trained(folder / "again", world, 1),
            "two threads": trained(folder / "two", world, 2),
            "two threads, again": trained(folder / "two-again", world, 2),
            "one thread, deterministic": trained(folder / "deterministic", world, 1, True),
        }
        first = runs["one thread"]["path"]
        found: dict[str, Any] = {"torch": torch.__version__, "cores": os.cpu_count()}
        found["seconds"] = {name: run["seconds"] for name, run in runs.items()}
        found["beside one thread"] = {name: compared(first, run["path"]) for name, run in runs.items()}
        found["two threads, again, beside two threads"] = compared(
            runs["two threads"]["path"], runs["two threads, again"]["path"]
        )
        return found | checkpoint_costs(world, folder / "costs")


def main() -> None:
    """Measure, print, and write JSON where asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--train", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.train:
        train(*arguments.train)
        return
    found = measure()
    print(json.dumps(found, indent=2))
    if arguments.json:
        write_json(arguments.json, found)


if __name__ == "__main__":
    main()
