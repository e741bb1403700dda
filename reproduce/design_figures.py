"""Forecasts beside what was found, and adaptive against random triplets: `python reproduce/design_figures.py`.

Half a minute on one core. Writes docs/results/design.json and the tables of docs/design.md; `--parts` runs single
parts. Forecasts are from SIMULATED studies; what was found is measured on the published judgments.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from page_tables import between, number
from scipy.special import stdtrit

import bgs
from bgs._files import read_json, write_json, write_text
from bgs._rng import generator
from bgs.collection.design import people_ensemble
from bgs.collection.design.adaptive import informative_triplets
from bgs.collection.design.balanced import balanced_triplets
from bgs.collection.forecast.simulated_study import expected_rdm_of
from bgs.collection.forecast.tuning import spearman, upper
from bgs.evaluation import rsa_ceiling, select_protocol
from bgs.judgments import PairCounts, Trials, human_rdm, ordinal_embedding
from bgs.judgments.agreement import repeat_agreement
from bgs.simulation import WORLDS, JudgingWorld

ROOT = Path(__file__).parents[1]
PAGE, RESULTS = ROOT / "docs/design.md", ROOT / "docs/results/design.json"
#: Data set -> the settings of its study.
STUDIES = {
    "garcia-isik-2025": {"trials": 49_484, "block_trials": 231, "checks": 2_358 / 49_484, "studies": 4},
    "heider-simmel-triplets": {"trials": 26_325, "block_trials": 45, "checks": 0.0, "studies": 4},
}
PILOT = 0.125
CLIPS, START, BATCH, BATCHES, SEEDS = 40, 400, 400, 2, 10


def metric(found: Any) -> dict[str, float]:
    return {"value": found.value, "low": found.low, "high": found.high}


def found_in(dataset: bgs.Dataset) -> dict[str, Any]:
    """Reliability, ceilings and agreement of the published judgments."""
    trials = dataset.need_trials()
    ceilings = rsa_ceiling(select_protocol("all", dataset.stimuli, trials))[0]
    found = {"reliability": metric(ceilings["rsa_reliability"]), "ceiling": metric(ceilings["rsa_ceiling"])}
    found["repeat_agreement"] = {"value": repeat_agreement(trials).over_pairs}
    if dataset.stimuli.test.any():
        held = rsa_ceiling(select_protocol("held-out-pairs", dataset.stimuli, trials))[0]["rsa_ceiling"]
        found["held_out_ceiling"] = metric(held)
    return found


def pilot_of(dataset: bgs.Dataset) -> bgs.Dataset:
    """The judgments of a random eighth of the participants."""
    trials = dataset.need_trials()
    people = np.unique(trials.participant)
    some = generator(0, "design pilot").permutation(people)[: round(PILOT * len(people))]
    chosen = trials.where(np.isin(trials.participant, some))
    return bgs.Dataset(dataset.stimuli, chosen, simulated=False, name=f"{len(some)} participants")


def forecasts(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """A forecast that has not seen the judgments, one from a pilot, and what was found."""
    dataset = bgs.load_dataset(name)
    blind = bgs.design(dataset, **settings).to_json()["forecast"]
    piloted = bgs.design(dataset, judgments=pilot_of(dataset), **{**settings, "studies": 0}).to_json()
    forecast = {
        **blind["curve"][-1],
        "repeat_agreement": blind["repeat_agreement"],
        "studies": blind["studies"],
    }
    return {"forecast": forecast, "pilot": piloted["existing"], "found": found_in(dataset)}


def published() -> dict[str, Any]:
    """Every study; the agreement of MiniLM on held-out pairs is that of the README."""
    found = {name: forecasts(name, settings) for name, settings in STUDIES.items()}
    minilm = read_json(ROOT / "docs/results/minilm.json")
    found["garcia-isik-2025"]["found"] |= of_minilm(minilm)
    return found


def of_minilm(results: dict[str, Any]) -> dict[str, Any]:
    """Agreement with people before and after tuning, seed 0."""
    pairs = next(one for one in results["seed 0"] if one["protocol"] == "held-out-pairs")
    return {
        "untuned": pairs["against_metrics"]["rsa_spearman"],
        "tuned": pairs["metrics"]["rsa_spearman"],
    }


def adaptive() -> dict[str, Any]:
    """Recovered geometry after the same number of judgments, chosen adaptively or at random."""
    found: dict[str, Any] = {"clips": CLIPS, "start": START, "batch": BATCH, "worlds": {}}
    for name, world in WORLDS.items():
        runs = np.array(
            [recovered(world, seed) for seed in range(SEEDS)]
        )  # (seeds, batches, measures, designs)
        found["worlds"][name] = [
            {measure: row(runs[:, step, k]) for k, measure in enumerate(("ordinal", "shares"))}
            for step in range(BATCHES)
        ]
    return found


def row(runs: np.ndarray) -> dict[str, Any]:
    difference = runs[:, 1] - runs[:, 0]
    return {"random": mean_of(runs[:, 0]), "adaptive": mean_of(runs[:, 1]), "difference": mean_of(difference)}


def mean_of(values: np.ndarray) -> dict[str, float]:
    mean, reach = values.mean(), stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) / len(values) ** 0.5
    return {"value": float(mean), "low": float(mean - reach), "high": float(mean + reach)}


def recovered(world: JudgingWorld, seed: int) -> list[list[list[float]]]:
    """For each batch, the agreement with the planted distances, and with expected shares, of either design."""
    clips = world.draw_clips(seed, CLIPS)
    planted = world.distances(clips, np.ones(world.dimensions))
    expected = expected_rdm_of(world, clips)
    both = [grown(world, clips, seed, informed) for informed in (False, True)]
    return [
        [[spearman(upper(ordinal_embedding(t, dimensions=5, penalty=1.0, starts=1).rdm()), upper(planted)) for t in step],
         [spearman(upper(human_rdm(PairCounts.from_trials(t))), upper(expected)) for t in step]]
        for step in zip(*both, strict=True)
    ]  # fmt: skip


def grown(world: JudgingWorld, clips: np.ndarray, seed: int, informed: bool) -> list[Trials]:
    """All judgments after each batch; the first ones are the same for both designs."""
    rng = generator(seed, "adaptive figures", "start")
    trials = judged(world, clips, balanced_triplets(CLIPS, START, rng), seed, 0)
    steps = []
    for batch in range(1, BATCHES + 1):
        rng = generator(seed, "adaptive figures", batch)
        if informed:
            triplets = informative_triplets(people_ensemble(trials, seed), BATCH, rng)
        else:
            triplets = balanced_triplets(CLIPS, BATCH, rng)
        trials = trials.followed_by(judged(world, clips, triplets, seed, batch))
        steps.append(trials)
    return steps


def judged(world: JudgingWorld, clips: np.ndarray, triplets: np.ndarray, seed: int, batch: int) -> Trials:
    """Answers of new people, 40 judgments each."""
    people = np.array([f"{batch}-{k // 40}" for k in range(len(triplets))])
    zeros = np.zeros(len(triplets), dtype=np.int64)
    asked = Trials(people, people, zeros, triplets, zeros, np.full(len(triplets), np.nan), CLIPS)
    return world.judge(asked, clips, 1000 * seed + batch)


def interval(found: dict[str, float] | None, signed: bool = False) -> str:
    if found is None:
        return "–"
    text = number(found["value"], signed)
    return (
        f"{text} [{number(found['low'], signed)}, {number(found['high'], signed)}]"
        if "low" in found
        else text
    )


#: Figure -> its name in the table.
ROWS = {
    "reliability": "reliability, all pairs",
    "ceiling": "ceiling, all pairs",
    "held_out_ceiling": "ceiling, held-out pairs",
    "untuned": "untuned, held-out pairs",
    "tuned": "tuned, held-out pairs",
}


def published_table(results: dict[str, Any]) -> str:
    lines = ["| | forecast | Spearman–Brown from a pilot | found |", "|---|---|---|---|"]
    for data, one in results.items():
        lines.append(f"| **{data}** | | | |")
        found = one["found"]
        pilot = one["pilot"]["expected"]
        piloted = {"reliability": pilot, "ceiling": {key: value**0.5 for key, value in pilot.items()}}
        for key, label in ROWS.items():
            cells = (one["forecast"]["overall"][key], piloted.get(key), found.get(key))
            lines.append(f"| {label} | {' | '.join(map(interval, cells))} |")
        agreement = one["forecast"]["repeat_agreement"].values()
        span = f"{number(min(agreement))} to {number(max(agreement))}"
        lines.append(f"| same answer to a triplet | {span} | – | {interval(found['repeat_agreement'])} |")
    return "\n".join(lines)


def adaptive_table(results: dict[str, Any]) -> str:
    lines = [
        "| world | judgments | estimate | random | adaptive | adaptive − random |",
        "|---|---|---|---|---|---|",
    ]
    for name, steps in results["worlds"].items():
        for k, step in enumerate(steps):
            n = results["start"] + (k + 1) * results["batch"]
            lines += [
                f"| {name} | {n:,} | {measure} | {interval(cells['random'])} | {interval(cells['adaptive'])} | "
                f"{interval(cells['difference'], True)} |"
                for measure, cells in step.items()
            ]
    return "\n".join(lines)


PARTS = {"published": (published, published_table), "adaptive": (adaptive, adaptive_table)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    chosen = parser.parse_args().parts
    results = read_json(RESULTS) if RESULTS.exists() else {}
    for part in chosen:
        results[part] = PARTS[part][0]()
        write_json(RESULTS, results)
        page = PAGE.read_text(encoding="utf-8")
        write_text(PAGE, between(page, part, PARTS[part][1](results[part])))


if __name__ == "__main__":
    main()
