"""How long does a clip bootstrap of a Spearman RSA take, alone and beside rsatoolbox?

Alone: 10,000 resamples for 250 clips (31,125 pairs), human dissimilarities with the ties of counts.

Side by side: one fixed model against one 50-item RDM (1,225 pairs), the same number of resamples of items, both
giving a Spearman correlation a resample. rsatoolbox's ``eval_bootstrap_pattern`` runs with ``method="spearman"`` and
without its noise ceiling; like ours it leaves out the pairs of an item with its own copy. Both include all preparation.
Runs alternate; the table has medians over runs. Processor time is given too: on a busy machine it says more.

    python benchmarks/clip_bootstrap.py [--runs 5] [--json OUT]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import platform
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from bgs._files import write_json
from bgs._rng import generator
from bgs.evaluation import model_rdm, pair_vector
from bgs.evaluation.resampling import multiplicities
from bgs.evaluation.rsa import dense_ranks, weighted_spearman

ALONE_CLIPS, ALONE_RESAMPLES = 250, 10_000
BESIDE_CLIPS, BESIDE_RESAMPLES = 50, 1_000


def made_up(n: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, n) model distances, and human dissimilarities from 1 to 12 showings of each pair."""
    rng = generator(0, "clip bootstrap", n)
    positions = rng.normal(size=(n, 5))
    model = model_rdm(positions + rng.normal(size=positions.shape))
    shown = rng.integers(1, 13, size=(n, n))
    human = 1 - rng.binomial(shown, 1 - model_rdm(positions) / 2) / shown
    return model, np.triu(human, 1) + np.triu(human, 1).T


def ours(model: np.ndarray, human: np.ndarray, resamples: int) -> np.ndarray:
    """(resamples,) Spearman correlations over resamples of clips."""
    first, second = np.triu_indices(len(model), 1)
    x, y = dense_ranks(pair_vector(model))[None], dense_ranks(pair_vector(human))
    rng, draws = generator(0, "bootstrap"), np.empty(resamples)
    for k in range(resamples):
        clips = multiplicities(rng, len(model))
        draws[k] = weighted_spearman(x, y, clips[first] * clips[second])[0]
    return draws


def rsatoolbox(model: np.ndarray, human: np.ndarray, resamples: int) -> np.ndarray:
    """The same with rsatoolbox."""
    from rsatoolbox.inference import eval_bootstrap_pattern
    from rsatoolbox.model import ModelFixed
    from rsatoolbox.rdm import RDMs

    fixed, data = ModelFixed("model", pair_vector(model)), RDMs(pair_vector(human)[None])
    with contextlib.redirect_stderr(io.StringIO()):  # its progress bar
        result = eval_bootstrap_pattern(fixed, data, method="spearman", N=resamples, boot_noise_ceil=False)
    return np.asarray(result.evaluations).ravel()


def seconds(run: Callable[[], np.ndarray]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def measure(runs: int) -> dict[str, Any]:
    large, small = made_up(ALONE_CLIPS), made_up(BESIDE_CLIPS)
    draws = (
        ours(*small, BESIDE_RESAMPLES),
        rsatoolbox(*small, BESIDE_RESAMPLES),
    )  # warms up, and shows they agree
    before = time.process_time()
    alone = [seconds(lambda: ours(*large, ALONE_RESAMPLES)) for _ in range(runs)]
    processor = (time.process_time() - before) / runs
    beside = [
        (
            seconds(lambda: ours(*small, BESIDE_RESAMPLES)),
            seconds(lambda: rsatoolbox(*small, BESIDE_RESAMPLES)),
        )
        for _ in range(runs)
    ]
    mine, theirs = (median(column) for column in zip(*beside, strict=True))
    return {
        "alone": {
            "clips": ALONE_CLIPS,
            "resamples": ALONE_RESAMPLES,
            "seconds": median(alone),
            "processor_seconds": processor,
        },
        "beside": {
            "clips": BESIDE_CLIPS,
            "resamples": BESIDE_RESAMPLES,
            "seconds": mine,
            "rsatoolbox_seconds": theirs,
            "ratio": median(their / our for our, their in beside),
            "mean_and_sd": [float(draws[0].mean()), float(draws[0].std())],
            "rsatoolbox_mean_and_sd": [float(np.nanmean(draws[1])), float(np.nanstd(draws[1]))],
        },
        "runs": runs,
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version(), "numpy": np.__version__},
    }


def print_table(result: dict[str, Any]) -> None:
    alone, beside = result["alone"], result["beside"]
    print(f"clip bootstrap of a Spearman RSA, median of {result['runs']} runs")
    print(
        f"  {alone['clips']} clips, {alone['resamples']:,} resamples   bgs        {alone['seconds']:8.2f} s"
    )
    print(f"                                processor  {alone['processor_seconds']:8.2f} s")
    print(
        f"   {beside['clips']} clips,  {beside['resamples']:,} resamples   bgs        {beside['seconds']:8.3f} s"
    )
    print(f"                                rsatoolbox {beside['rsatoolbox_seconds']:8.3f} s")
    print(f"                                ratio      {beside['ratio']:8.1f}")
    for name, key in (("bgs", "mean_and_sd"), ("rsatoolbox", "rsatoolbox_mean_and_sd")):
        mean, sd = beside[key]
        print(f"  draws of {name:11} mean {mean:.3f}, sd {sd:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", help="write the figures here")
    arguments = parser.parse_args()
    result = measure(arguments.runs)
    print_table(result)
    if arguments.json:
        write_json(arguments.json, result)


if __name__ == "__main__":
    main()
