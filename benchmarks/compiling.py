"""Whether `torch.compile` pays: passes of small encoders with compiled blocks beside the same passes without.

    python benchmarks/compiling.py [--models tiny-videomae text:minilm] [--device cpu] [--json FILE]

A pass takes 32 clips of noise, or 32 captions of equal length. Compiled and plain blocks take turns, so that whatever else the
machine does meets both; medians. On processors, seconds are those of one core, compiler included; on GPUs they are those of a
clock. `passes` is after how many of them the time of compiling is made up for.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from parts.timing import in_turns, seconds
from torch import nn

from bgs._errors import BgsError
from bgs._files import write_json
from bgs.backbones import Backbone, VideoBackbone
from bgs.runs.quiet import quiet_libraries
from bgs.runs.trainer import new_backbone
from bgs.stimuli import StimulusSet
from bgs.training import TrainingConfig

UNITS, ROUNDS = 32, 7


def blocks_of(module: nn.Module) -> list[nn.Module]:
    """The blocks of a transformer: its longest list of modules."""
    return list(max((one for one in module.modules() if isinstance(one, nn.ModuleList)), key=len))


def batch_of(backbone: Backbone) -> Any:
    """The input of a pass."""
    if isinstance(backbone, VideoBackbone):
        frames, size = backbone.spec.frames, backbone.spec.preprocessing.size
        noise = np.random.default_rng(0).integers(0, 256, (UNITS, frames, size, size, 3), dtype=np.uint8)
        return torch.from_numpy(noise)
    ids = tuple(f"clip {i}" for i in range(UNITS))
    captions = tuple(("one person helps another person to carry a box up the stairs",) for _ in ids)
    inputs = backbone.prepare(StimulusSet(ids, captions))
    return inputs.batch(np.arange(UNITS))


def now(device: torch.device) -> float:
    """Processor time with that of child processes, or on GPUs the time of a clock, in seconds."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        return time.perf_counter()
    return sum(os.times()[:4])


def measure(model: str, device: str, train: bool) -> dict[str, float]:
    """Seconds a pass of plain and of compiled blocks, and of the first compiled pass."""
    backbones = {}
    for name in ("plain", "compiled"):
        config = TrainingConfig(model=model, data="noise", device=device)
        backbones[name] = new_backbone(config)
        backbones[name].train(train)
    batch = batch_of(backbones["plain"])
    for block in blocks_of(backbones["compiled"].module):
        block.compile()

    passes = {name: partial(_pass, backbone, batch, train) for name, backbone in backbones.items()}
    clock = partial(now, backbones["plain"].device)
    passes["plain"]()
    first = seconds(passes["compiled"], clock)
    spent = in_turns(passes, ROUNDS, clock)
    plain, compiled = (statistics.median(spent[name]) for name in ("plain", "compiled"))
    saved = plain - compiled
    return {
        "plain": plain, "compiled": compiled, "ratio": plain / compiled, "compiling": first - compiled,
        "passes": (first - compiled) / saved if saved > 0 else float("inf"),
    }  # fmt: skip


def _pass(backbone: Backbone, batch: Any, train: bool) -> None:
    with torch.set_grad_enabled(train):
        vectors = backbone.forward(batch)
    if train:
        vectors.sum().backward()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=["tiny-videomae", "text:minilm"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    quiet_libraries()
    torch.set_num_threads(1)
    results: dict[str, dict[str, float]] = {}
    for model in options.models:
        for name, train in ("forward", False), ("forward and backward", True):
            try:
                found = measure(model, options.device, train)
            except BgsError as error:
                parser.error(str(error))
            results[f"{model}, {name}"] = found
            print(
                f"{model}, {name}: {UNITS / found['plain']:.1f} units/s plain, {UNITS / found['compiled']:.1f} compiled "
                f"({found['ratio']:.2f} ×), compiling {found['compiling']:.1f} s, made up for after {found['passes']:.0f} passes",
                flush=True,
            )
    if options.json:
        write_json(options.json, results)


if __name__ == "__main__":
    main()
