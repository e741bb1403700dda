"""Time and memory of the loss and its gradient, as trials and clips grow; the embeddings are given, so nothing is encoded.

    python benchmarks/objective_step.py [--json OUT]

Each case runs in a process of its own: peak memory is that of the process, Python and torch included. Times are medians of
five updates, after one that is not counted. The loss over all pairs is quadratic in clips by nature; that over trials is linear.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bgs._files import write_json

CASES = [
    *((clips, 100_000) for clips in (50, 200, 800, 3200)),
    *((800, trials) for trials in (1_000, 10_000, 1_000_000, 10_000_000)),
]
WIDTH, UPDATES, LIMIT_MB = 384, 5, 3000


def measure(clips: int, trials: int) -> dict[str, float]:
    """One case, in this process."""
    import torch

    from bgs.objective import HybridObjective, ObjectiveSettings, Target

    torch.manual_seed(0)
    first, second = torch.triu_indices(clips, clips, 1)
    start = torch.randint(clips, (trials,))
    triplets = torch.stack([start, (start + 1) % clips, (start + 2) % clips], dim=1)
    pairs = torch.stack([first, second], dim=1)
    target = Target(
        triplets, torch.randint(3, (trials,)), pairs, torch.rand(len(pairs)), torch.ones(len(pairs))
    )
    embeddings = torch.randn(clips, WIDTH, requires_grad=True)
    objective, times = HybridObjective(ObjectiveSettings()), []
    for _ in range(UPDATES + 1):
        begin = time.perf_counter()
        objective(embeddings, target, 0).total.backward()
        times.append(time.perf_counter() - begin)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"clips": clips, "trials": trials, "ms": 1000 * statistics.median(times[1:]), "peak MB": peak}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--case", nargs=2, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measure(*options.case)))
        return
    found = []
    for clips, trials in CASES:
        command = [sys.executable, __file__, "--case", str(clips), str(trials)]
        found.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        print(
            "{clips:5,} clips, {trials:10,} trials: {ms:8.1f} ms, peak {peak MB:,.0f} MB".format(**found[-1])
        )
    print(f"Target: 10,000,000 trials within {LIMIT_MB:,} MB")
    if options.json:
        write_json(options.json, {"figures": found})


if __name__ == "__main__":
    main()
