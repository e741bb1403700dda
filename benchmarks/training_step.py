"""One pass over all human judgments: full-geometry gradients beside the published per-trial procedure.

Both are timed in this process, in turn, on the same clips, trials and encoder; the per-trial pass is timed on
batches spread over the epoch and scaled up to it. The floor is one forward and backward of every caption drawn.

    python benchmarks/training_step.py [--rounds 3] [--json FILE]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from bgs._files import write_json
from bgs.runs.quiet import quiet_libraries

CONFIG = Path(__file__).parents[1] / "configs" / "garcia-isik-2025-minilm.yaml"
BATCHES = 20


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Time both, print medians and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    quiet_libraries()
    import numpy as np

    from bgs.runs.study import load_study
    from bgs.runs.trainer import new_backbone, new_trainer
    from bgs.training import TrainingLog, load_config

    methods = {}
    for name, overrides in {
        "full-geometry": ["keep_graphs=0"],
        "full-geometry, graphs kept": ["keep_graphs=99"],
        "per-trial": ["gradient=per-trial", "keep_graphs=0"],
    }.items():
        config = load_config(CONFIG, overrides)
        backbone = new_backbone(config)
        methods[name] = new_trainer(config, backbone, load_study(config), TrainingLog("unused")).method

    baseline = methods["per-trial"]
    updates = np.linspace(0, baseline.updates_per_epoch - 1, BATCHES).astype(int)
    times: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(arguments.rounds):
        for name, method in methods.items():
            if name == "per-trial":
                spent = seconds(lambda: [baseline.accumulate(0, int(u)) for u in updates])
                times[name].append(spent * baseline.updates_per_epoch / BATCHES)
            else:
                times[name].append(seconds(lambda method=method: method.accumulate(0, 0)))
    medians = {name: statistics.median(values) for name, values in times.items()}
    clips = len(baseline.positions)
    trials = baseline.trials_per_epoch
    encodings = {
        "full-geometry": clips,
        "full-geometry, graphs kept": clips,
        "per-trial": 3 * trials + baseline.settings.rsa_updates * baseline.settings.rsa_clips,
    }
    print(
        f"{clips} clips, {trials} trials, {len(baseline.target.pairs)} observed pairs; median of {arguments.rounds}"
    )
    for name, median in medians.items():
        ratio = medians["per-trial"] / median
        print(
            f"{name:28s} {encodings[name]:7d} clip encodings   {median:8.1f} s a pass   {ratio:6.1f} × per-trial"
        )
    if arguments.json:
        write_json(arguments.json, {"seconds": medians, "encodings": encodings, "rounds": times})


if __name__ == "__main__":
    main()
