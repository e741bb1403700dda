"""Embeddings from judgments alone: how well do they foretell answers that they never saw, and how long do they take?

    python benchmarks/ordinal.py [--seeds 5] [--data garcia-isik-2025] [--json OUT]

Planted: points in a few dimensions; the pair at Euclidean distance d is kept with probability (1 − lapse) softmax(−d) +
lapse / 3; 20,000 fresh answers without lapses are foretold. ``ideal`` knows the points. People: judgments among the
training clips only; five folds of judgments, each foretold from the others, with all that is chosen chosen from these.

Soft ordinal embedding (SOE: Terada & von Luxburg 2014) is cblearn's, with its default of ten starts and with one, told
the number of dimensions; it is left out where cblearn is not installed (``pip install cblearn``). Each judgment becomes
two triplets: either of the two kept is closer to the other one than to the odd one. All run on one core of the same
process; seconds are those of the processor.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.spatial.distance import pdist, squareform
from scipy.stats import spearmanr

from bgs._files import write_json
from bgs._rng import generator
from bgs.evaluation import find_dimensions
from bgs.judgments import PairCounts, Trials, choice_model_rdm, human_rdm, ordinal_embedding
from bgs.judgments.rated import choice_probabilities, draw_trials

Estimate = Callable[[Trials], np.ndarray]
FRESH = 20_000


@dataclass(frozen=True)
class Planted:
    """Points whose coordinates are normal about the middle of a cluster, distances in units of the temperature."""

    items: int
    dimensions: int
    trials: int
    temperature: float
    clusters: int = 0
    lapse: float = 0.0

    def rdm(self, seed: int) -> np.ndarray:
        random = generator(seed, "benchmark", "points")
        points = random.normal(size=(self.items, self.dimensions))
        if self.clusters:
            middles = random.normal(size=(self.clusters, self.dimensions))
            points = 0.3 * points + middles[random.integers(self.clusters, size=self.items)]
        return squareform(pdist(points)) / self.temperature

    def draw(self, seed: int) -> Trials:
        trials = draw_trials(self.rdm(seed), self.trials, seed, temperature=1.0)
        random = generator(seed, "benchmark", "lapses")
        guess = random.random(len(trials)) < self.lapse
        return replace(trials, odd=np.where(guess, random.integers(3, size=len(trials)), trials.odd))


PLANTED = {
    "60 items, 3 dimensions, 6,000 trials": Planted(60, 3, 6000, 0.5),
    "60 items in 6 clusters, 3 dimensions, 6,000 trials": Planted(60, 3, 6000, 0.5, clusters=6),
    "250 items, 5 dimensions, 24,000 trials, 10 % lapses": Planted(250, 5, 24_000, 0.6, lapse=0.1),
}


def soft_ordinal(trials: Trials, dimensions: int, starts: int) -> np.ndarray:
    """Distances of cblearn's SOE."""
    from cblearn.embedding import SOE

    first, second = trials.kept.T
    odd = trials.stimuli[np.arange(len(trials)), trials.odd]
    closer = np.concatenate([np.column_stack([first, second, odd]), np.column_stack([second, first, odd])])
    fitted = SOE(n_components=dimensions, n_init=starts, random_state=0).fit(
        closer, n_objects=trials.n_stimuli
    )
    return squareform(pdist(fitted.embedding_))


def dimensions_rdm(trials: Trials) -> np.ndarray:
    """1 − similarity by `find_dimensions` of the shares kept together."""
    shares = human_rdm(PairCounts.from_trials(trials))
    loadings = find_dimensions(shares, list(map(str, range(trials.n_stimuli)))).loadings
    return 1.0 - loadings @ loadings.T


def estimators(dimensions: int, slow: bool) -> dict[str, Estimate]:
    """What is compared; ``dimensions`` is told to those that have to be told."""
    found: dict[str, Estimate] = {
        "ordinal, all chosen": lambda trials: ordinal_embedding(trials).rdm(),
        "ordinal, dimensions told": lambda trials: ordinal_embedding(trials, dimensions=dimensions).rdm(),
        "ordinal, penalty .5, one start": lambda trials: ordinal_embedding(
            trials, dimensions=dimensions, penalty=0.5, starts=1
        ).rdm(),
        "choice model": choice_model_rdm,
        "shares": lambda trials: human_rdm(PairCounts.from_trials(trials)),
    }
    if find_spec("cblearn"):
        found["SOE, dimensions told"] = partial(soft_ordinal, dimensions=dimensions, starts=10)
        found["SOE, one start"] = partial(soft_ordinal, dimensions=dimensions, starts=1)
    if slow:
        found["find_dimensions"] = dimensions_rdm
    return found


def told(rdm: np.ndarray, trials: Trials) -> float:
    """3AFC: share of the judgments that keep the closest pair; a pair that is not known is an average one."""
    known = np.where(np.isnan(rdm), np.nanmean(rdm), rdm)
    return float((choice_probabilities(known, trials.stimuli, 1.0).argmax(axis=1) == trials.odd).mean())


def timed(estimate: Estimate, trials: Trials) -> tuple[np.ndarray, float]:
    begin = time.process_time()
    rdm = estimate(trials)
    return rdm, time.process_time() - begin


def summary(rows: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Median, least and greatest of each figure over seeds or folds."""
    return {
        name: {"median": statistics.median(v), "low": min(v), "high": max(v), "n": len(v)}
        for name, v in ((name, [row[name] for row in rows]) for name in rows[0])
    }


def planted(plan: Planted, seeds: int) -> dict[str, Any]:
    """Figures of one planted design, by estimator."""
    rows: dict[str, list[dict[str, float]]] = {}
    upper = np.triu_indices(plan.items, 1)
    for seed in range(seeds):
        truth, trials = plan.rdm(seed), plan.draw(seed)
        fresh = draw_trials(truth, FRESH, seed + 1000, temperature=1.0)
        rows.setdefault("ideal", []).append({"accuracy": told(truth, fresh)})
        for name, estimate in estimators(plan.dimensions, slow=plan.items <= 60).items():
            rdm, seconds = timed(estimate, trials)
            known = np.isfinite(rdm[upper])
            row = {"accuracy": told(rdm, fresh), "seconds": seconds}
            row["spearman with truth"] = float(spearmanr(rdm[upper][known], truth[upper][known])[0])
            row["accuracy − ideal"] = row["accuracy"] - rows["ideal"][-1]["accuracy"]
            rows.setdefault(name, []).append(row)
    found: dict[str, Any] = {name: summary(values) for name, values in rows.items()}
    for ours, theirs in (
        ("ordinal, dimensions told", "SOE, dimensions told"),
        ("ordinal, penalty .5, one start", "SOE, one start"),
    ):
        if theirs in rows:
            pairs = zip(rows[ours], rows[theirs], strict=True)
            found[f"{ours} / SOE"] = summary(
                [
                    {"times the seconds": a["seconds"] / b["seconds"], "more accuracy": a["accuracy"] - b["accuracy"]}
                    for a, b in pairs
                ]
            )  # fmt: skip
    return found


def people(data: str, mirror: Path | None) -> dict[str, Any]:
    """Figures of the judgments among the training clips of a data set, and the time that all judgments take."""
    from bgs.datasets import load_dataset

    dataset = load_dataset(data, mirror=mirror)
    every, train = dataset.need_trials().judgments, np.flatnonzero(dataset.stimuli.train)
    trials = every.within(dataset.stimuli.train)
    trials = replace(trials, stimuli=np.searchsorted(train, trials.stimuli), n_stimuli=len(train))
    begin = time.process_time()
    chosen = ordinal_embedding(trials)
    choosing = time.process_time() - begin
    _, fixed = timed(
        lambda t: ordinal_embedding(t, dimensions=chosen.dimensions, penalty=chosen.penalty).rdm(), every
    )
    return {
        "judgments among training clips": len(trials),
        "dimensions chosen": chosen.dimensions,
        "penalty chosen": chosen.penalty,
        "seconds, all chosen": choosing,
        f"seconds, all {len(every)} judgments, dimensions and penalty given": fixed,
        "held out, by dimensions": chosen.to_json()["held_out"],
        "five folds": five_folds(trials, rivals(chosen.dimensions)),
    }


def rivals(dimensions: int) -> dict[str, Estimate]:
    """What is compared on people: SOE has no prior, and does better with fewer dimensions than are chosen."""
    every = estimators(dimensions, slow=False)
    found = {
        name: every[name] for name in every if not name.endswith("dimensions told")
    }  # those take minutes
    if find_spec("cblearn"):
        for d in (3, 4, 6):
            found[f"SOE, {d} dimensions, one start"] = partial(soft_ordinal, dimensions=d, starts=1)
    return found


def five_folds(trials: Trials, compared: dict[str, Estimate]) -> dict[str, Any]:
    """Left-out judgments foretold, by estimator."""
    fold = generator(0, "benchmark", "folds").permutation(len(trials)) % 5
    rows: dict[str, list[dict[str, float]]] = {}
    for k in range(5):
        for name, estimate in compared.items():
            rdm, seconds = timed(estimate, trials.where(fold != k))
            row = {"accuracy": told(rdm, trials.where(fold == k)), "seconds": seconds}
            rows.setdefault(name, []).append(row)
    return {name: summary(values) for name, values in rows.items()}


def show(title: str, figures: dict[str, Any]) -> None:
    print(f"\n{title}")
    for name, row in figures.items():
        cells = (f"{key} {row[key]['median']:.3f}" for key in row)
        print(f"  {name:32s} {'   '.join(cells)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data", help="also a data set of people's judgments")
    parser.add_argument("--mirror", type=Path, help="folder with a mirror of the authors' repositories")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results: dict[str, Any] = {}
    for name, plan in PLANTED.items():
        results[name] = planted(plan, options.seeds if plan.items <= 60 else min(options.seeds, 2))
        show(name, results[name])
        keep(results, options.json)
    if options.data:
        results[options.data] = people(options.data, options.mirror)
        show(f"{options.data}, training clips, five folds", results[options.data]["five folds"])
        print({key: value for key, value in results[options.data].items() if not isinstance(value, dict)})
        keep(results, options.json)


def keep(results: dict[str, Any], path: Path | None) -> None:
    if path is not None:
        write_json(path, results)


if __name__ == "__main__":
    main()
