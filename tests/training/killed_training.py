"""Trainings in processes that are killed at random times, and go on: CONFIG OUT KILLS SEED.

Processes are forked, since importing torch anew would take longer than the training. Prints a line of JSON for each kill: place
of the newest checkpoint, whether a file was half written, and whether the end was that of the unbroken training, byte by byte.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path

import torch
from safetensors import safe_open

from bgs.runs.fitting import fit
from bgs.runs.run_folder import RunFolder
from bgs.runs.study import load_study
from bgs.runs.trainer import new_backbone
from bgs.training import TrainingConfig, load_config

FILES = ("metrics.jsonl", "checkpoint.safetensors", "adapter/adapter_model.safetensors")


def start(config: TrainingConfig, out: Path) -> int:
    """A training in a process of its own; its number."""
    process = os.fork()
    if process:
        return process
    try:
        fit(config, load_study(config), RunFolder(out))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def begun(out: Path) -> float:
    """Wait until a training has loaded its model; the time then."""
    while not (out / "config.yaml").is_file():
        time.sleep(0.001)
    return time.monotonic()


def ended(process: int) -> int:
    """How a process ended: its status, or minus the signal."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def kill(config: TrainingConfig, whole: Path, out: Path, after: float) -> dict | None:
    """Kill a training, and go on with it; None if it had finished before."""
    process = start(config, out)
    begun(out)
    time.sleep(after)
    os.kill(process, signal.SIGKILL)
    if ended(process) != -signal.SIGKILL:
        return None
    scraps = len(list(out.rglob(".*.part"))) if out.is_dir() else 0
    found = RunFolder(out).checkpoints()
    place = None
    if found:
        with safe_open(found[0], framework="pt") as file:
            state = json.loads(file.metadata()["state"])
        place = [state["epoch"], state["update"]]
    assert ended(start(config, out)) == 0
    same = all((out / name).read_bytes() == (whole / name).read_bytes() for name in FILES)
    return {"after": round(after, 3), "place": place, "half written": scraps, "exact": same}


def main(path: str, folder: str, kills: int, seed: int) -> None:
    torch.set_num_threads(1)
    config, out, times = load_config(path), Path(folder), random.Random(seed)
    new_backbone(config)  # imports what it needs, once for all processes
    process = start(config, out / "whole")
    began, status = begun(out / "whole"), ended(process)
    assert status == 0
    took, done = time.monotonic() - began, 0
    while done < kills:
        name = (
            f"broken-{done}-{times.random()}"  # a training that had finished before the kill leaves its own
        )
        found = kill(config, out / "whole", out / name, times.uniform(0, took))
        if found is not None:
            done += 1
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
