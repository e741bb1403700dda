"""How fast is evaluation beside rsatoolbox, beside a plain loop and beside one line of numpy, and how much memory does it take?

- A clip bootstrap of a Spearman RSA: one fixed model against one RDM of human dissimilarities with the ties of counts.
  rsatoolbox's ``eval_bootstrap_pattern`` runs with ``method="spearman"`` and without its noise ceiling; like ours it leaves
  out the pairs of an item with its own copy. The loop is what one would write with scipy: it draws clips, lists their
  pairs, and ranks both sides. All three include all preparation.
- Odd-one-out accuracy of 47,126 trials, three-way and two-way, beside one line that scores three-way and ignores ties.
- ``evaluate`` as a whole, with a p-value from 1,000 permutations, on SIMULATED choices about 250 clips, and of 1,854 clips
  in a million trials (10 permutations), in a process of its own whose peak memory is read at the end.

Competitors alternate within a run; ratios are of processor time, which a busy machine distorts least.

    python benchmarks/evaluation.py [--runs 5] [--json FILE]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import os
import platform
import resource
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bgs._files import write_json
from bgs._rng import generator
from bgs.embeddings import Embeddings
from bgs.evaluation import evaluate, model_rdm, pair_vector, trial_scores
from bgs.evaluation.resampled_spearman import ResampledSpearman
from bgs.evaluation.resampling import multiplicities
from bgs.evaluation.rsa import dense_ranks
from bgs.judgments import Trials
from bgs.stimuli import StimulusSet

#: Clips -> resamples that each of the three takes.
BOOTSTRAPS = {50: 1000, 250: 100}
CLIPS, TRIALS = 250, 47_126
LARGE_CLIPS, LARGE_TRIALS = 1854, 1_000_000


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
    ranked = ResampledSpearman.of(dense_ranks(pair_vector(model))[None], dense_ranks(pair_vector(human)))
    copies = multiplicities(generator(0, "bootstrap"), len(model), resamples)
    return ranked.over_clips(copies, first, second)[:, 0]


def plain_loop(model: np.ndarray, human: np.ndarray, resamples: int) -> np.ndarray:
    """The same, a resample after the other, with its pairs written out."""
    from scipy.stats import rankdata

    rng, draws = generator(0, "bootstrap"), np.empty(resamples)
    first, second = np.triu_indices(len(model), 1)
    for k in range(resamples):
        clips = rng.integers(len(model), size=len(model))
        a, b = clips[first], clips[second]
        a, b = a[a != b], b[a != b]
        draws[k] = np.corrcoef(rankdata(model[a, b]), rankdata(human[a, b]))[0, 1]
    return draws


def rsatoolbox(model: np.ndarray, human: np.ndarray, resamples: int) -> np.ndarray:
    """The same with rsatoolbox, from its own random numbers."""
    from rsatoolbox.inference import eval_bootstrap_pattern
    from rsatoolbox.model import ModelFixed
    from rsatoolbox.rdm import RDMs

    fixed, data = ModelFixed("model", pair_vector(model)), RDMs(pair_vector(human)[None])
    with contextlib.redirect_stderr(io.StringIO()):  # its progress bar
        result = eval_bootstrap_pattern(fixed, data, method="spearman", N=resamples, boot_noise_ceil=False)
    return np.asarray(result.evaluations).ravel()


def choices(n_clips: int, n_trials: int) -> tuple[StimulusSet, Trials, Embeddings]:
    """SIMULATED choices by 1 participant for each 200 trials, and embeddings that know something of them."""
    rng = generator(0, "choices", n_clips)
    points = rng.normal(size=(n_clips, 8))
    a = rng.integers(n_clips, size=n_trials)
    b = (a + rng.integers(1, n_clips // 2, size=n_trials)) % n_clips
    c = (b + rng.integers(1, n_clips // 2, size=n_trials)) % n_clips  # the third is never the first again
    apart = [((points[x] - points[y]) ** 2).sum(axis=1) for x, y in ((b, c), (a, c), (a, b))]
    odd = (np.stack(apart) + 4 * rng.normal(size=(3, n_trials))).argmin(axis=0)
    people = np.array([f"p{k:05}" for k in range(n_trials // 200 + 1)])[np.arange(n_trials) // 200]
    block, nothing = np.full(n_trials, "b"), np.full(n_trials, np.nan)
    stimuli = np.stack([a, b, c], axis=1)
    trials = Trials(people, block, np.arange(n_trials), stimuli, odd, nothing, n_clips)
    ids = tuple(f"clip {k:04}" for k in range(n_clips))
    values = (points + rng.normal(size=points.shape)).astype(np.float32)
    return StimulusSet(ids), trials, Embeddings(values, ids, "made up")


def one_line(rdm: np.ndarray, i: np.ndarray, j: np.ndarray, k: np.ndarray, odd: np.ndarray) -> float:
    """Three-way accuracy as one would write it."""
    return float(np.mean(np.argmin([rdm[j, k], rdm[i, k], rdm[i, j]], axis=0) == odd))


def processor_seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def side_by_side(
    competitors: Mapping[str, Callable[[], object]], runs: int, times: int = 1
) -> dict[str, Any]:
    """Processor seconds of each, and their ratios to ``bgs``, over runs in which they alternate."""
    for run in competitors.values():
        run()  # warms up
    spent: dict[str, list[float]] = {name: [] for name in competitors}
    for _ in range(runs):
        for name, run in competitors.items():
            spent[name].append(processor_seconds(lambda run=run: [run() for _ in range(times)]) / times)
    ratios = {
        name: [other / own for other, own in zip(others, spent["bgs"], strict=True)]
        for name, others in spent.items()
        if name != "bgs"
    }
    return {
        "seconds": {name: median(values) for name, values in spent.items()},
        "ratio": {name: {"median": median(r), "low": min(r), "high": max(r)} for name, r in ratios.items()},
    }


def bootstraps(runs: int) -> dict[str, Any]:
    """Of each size, with mean and standard deviation of the draws, which show that all three compute the same."""
    return {str(n): bootstrap(n, resamples, runs) for n, resamples in BOOTSTRAPS.items()}


def bootstrap(n: int, resamples: int, runs: int) -> dict[str, Any]:
    sides, ways = made_up(n), {"bgs": ours, "loop": plain_loop, "rsatoolbox": rsatoolbox}
    competitors = {name: partial(way, *sides, resamples) for name, way in ways.items()}
    draws = {name: run() for name, run in competitors.items()}
    if not np.allclose(draws["bgs"], draws["loop"], atol=1e-12):
        raise AssertionError("the fast bootstrap differs from the loop")
    moments = {name: [float(np.nanmean(d)), float(np.nanstd(d))] for name, d in draws.items()}
    timed = side_by_side(competitors, runs)
    return {"clips": n, "resamples": resamples, **timed, "mean_and_sd": moments}


def odd_one_out(runs: int) -> dict[str, Any]:
    _, trials, embeddings = choices(CLIPS, TRIALS)
    rdm = model_rdm(embeddings.values)
    shown = trials.stimuli.T
    competitors = {
        "bgs": lambda: trial_scores(rdm, trials.stimuli, trials.odd),
        "numpy": lambda: one_line(rdm, *shown, trials.odd),
    }
    return {"clips": CLIPS, "trials": TRIALS, **side_by_side(competitors, runs, times=20)}


def whole(n_clips: int, n_trials: int, permutations: int) -> dict[str, Any]:
    """Processor seconds and peak memory of this process, start included, after one evaluation."""
    stimuli, trials, embeddings = choices(n_clips, n_trials)
    spent = processor_seconds(
        lambda: evaluate(embeddings, stimuli, trials, protocol="all", permutations=permutations)
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sizes = {"clips": n_clips, "trials": n_trials, "permutations": permutations}
    return {**sizes, "seconds": spent, "peak_megabytes": peak * 1024 / 1e6}


def alone(*arguments: int) -> dict[str, Any]:
    """:func:`whole` in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(whole, arguments)


def measure(runs: int) -> dict[str, Any]:
    return {
        "bootstrap": bootstraps(runs),
        "odd_one_out": odd_one_out(runs),
        "evaluate": [alone(CLIPS, TRIALS, 1000), alone(LARGE_CLIPS, LARGE_TRIALS, 10)],
        "runs": runs,
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version(), "numpy": np.__version__},
    }


def print_table(result: Mapping[str, Any]) -> None:
    print(f"processor time, medians of {result['runs']} runs; ratios to bgs with their range")
    for row in (*result["bootstrap"].values(), result["odd_one_out"]):
        what = f"{row['resamples']:,} resamples" if "resamples" in row else f"{row['trials']:,} trials"
        print(f"{row['clips']} clips, {what}")
        for name, seconds in row["seconds"].items():
            ratio = row["ratio"].get(name)
            beside = f"{ratio['median']:7.2f} × [{ratio['low']:.2f}, {ratio['high']:.2f}]" if ratio else ""
            print(f"  {name:11}{1000 * seconds:10.2f} ms {beside}")
        for name, (mean, sd) in row.get("mean_and_sd", {}).items():
            print(f"  draws of {name:11} mean {mean:.3f}, sd {sd:.3f}")
    for row in result["evaluate"]:
        sizes = f"{row['clips']:,} clips, {row['trials']:,} trials, {row['permutations']:,} permutations"
        print(f"evaluate {sizes}: {row['seconds']:.1f} s, at most {row['peak_megabytes']:,.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    result = measure(arguments.runs)
    print_table(result)
    if arguments.json:
        write_json(arguments.json, result)


if __name__ == "__main__":
    main()
