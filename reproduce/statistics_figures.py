"""Are ceilings and intervals right? Measured in known worlds with the design of the published data.

    python reproduce/statistics_figures.py [--sets 200]

Writes the tables of docs/statistics.md and docs/results/statistics.json. Needs the published trial table, of which only
participants, triplets, blocks and split are used: clips, people and answers are SIMULATED (bgs.simulation.WORLDS). Each set
draws all three anew. The slow tests of tests/evaluation/test_known_worlds.py hold the same figures.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from page_tables import between, number

from bgs import load_dataset
from bgs._files import write_json, write_text
from bgs._rng import generator
from bgs.evaluation import Comparison, model_rdm, pearson, rsa_ceiling, select_protocol, spearman
from bgs.evaluation.comparison import MEASURES
from bgs.evaluation.showings import Showings
from bgs.judgments import Trials
from bgs.simulation.judging_worlds import WORLDS
from bgs.stimuli import StimulusSet

ROOT = Path(__file__).parents[1]
PROTOCOLS = ("held-out-pairs", "held-out-trials")
DENSE = "54 clips, 20–96 judgments a pair"
#: Noise of the two models: normal deviations from the clips' places. They differ by about .05 in 3AFC.
NOISE = (0.5, 0.75)
#: Seeds of the sets that truths are means over begin here; those that intervals are tried on begin at 0.
TRUTH_FROM = 1_000_000


@cache
def real_design() -> tuple[StimulusSet, Trials]:
    """The judgments that show two test clips or more: all that the two protocols use."""
    study = load_dataset("garcia-isik-2025")
    judgments = study.need_trials().judgments
    return study.stimuli, judgments.where(judgments.count_in(study.stimuli.test) >= 2)


@cache
def dense_design() -> tuple[StimulusSet, Trials]:
    """585 people with 45 random triplets of 54 clips each."""
    rng, n = generator(0, "dense design"), 585 * 45
    shown = np.argsort(rng.random((n, 54)), axis=1)[:, :3]
    people = np.repeat(np.arange(585), 45).astype(str)
    numbers = np.tile(np.arange(45), 585)
    trials = Trials(people, np.full(n, "1"), numbers, shown, np.zeros(n, int), np.full(n, np.nan), 54)
    return StimulusSet(ids=tuple(f"clip{i:02d}" for i in range(54))), trials


def ceilings_of(world: str, dense: bool, seed: int) -> list[tuple[float, ...]]:
    """A protocol each: ceiling, its interval, and what expected shares reach (Spearman, Pearson)."""
    stimuli, design = dense_design() if dense else real_design()
    clips = WORLDS[world].draw_clips(seed, len(stimuli))
    trials, found = WORLDS[world].judge(design, clips, seed), []
    for name in ("all",) if dense else PROTOCOLS:
        protocol = select_protocol(name, stimuli, trials)
        metric = rsa_ceiling(protocol)[0]["rsa_ceiling"]
        pairs = Showings.of(protocol)
        first, second = protocol.positions[pairs.first], protocol.positions[pairs.second]
        apart = 1.0 - WORLDS[world].expected_shares(clips, first, second, seed=seed)
        human = pairs.dissimilarity
        found.append((metric.value, metric.low, metric.high, spearman(apart, human), pearson(apart, human)))
    return found


def comparisons_of(world: str, seed: int) -> list[Comparison]:
    """Two noisy models of the clips against the people of a set, a protocol each."""
    stimuli, design = real_design()
    clips = WORLDS[world].draw_clips(seed, len(stimuli))
    trials = WORLDS[world].judge(design, clips, seed)
    noise = generator(seed, "models").normal(size=(len(NOISE), *clips.shape))
    rdms = np.stack([model_rdm((clips + k * n)[stimuli.test]) for k, n in zip(NOISE, noise, strict=True)])
    return [Comparison.of(select_protocol(name, stimuli, trials), rdms) for name in PROTOCOLS]


def values_of(world: str, seed: int) -> np.ndarray:
    """(protocol, measure, model) without intervals."""
    return np.stack([comparison.values for comparison in comparisons_of(world, seed)])


def intervals_of(world: str, seed: int) -> list[list[tuple[float, float, float]]]:
    """A protocol each: value and interval of the first model's measures, then of the differences."""
    found = []
    for comparison in comparisons_of(world, seed):
        metrics = [
            found[name] for found in (comparison.metrics(0), comparison.difference(0, 1)) for name in MEASURES
        ]
        found.append([(metric.value, metric.low, metric.high) for metric in metrics])
    return found


def excluded_of(n_clips: int, n_trials: int, seed: int) -> list[bool]:
    """Of each measure, whether the interval of a difference that is 0 leaves 0 out: two noisy copies of one model."""
    rng = generator(seed, "small study", n_clips, n_trials)
    shown = np.argsort(rng.random((n_trials, n_clips)), axis=1)[:, :3]
    people, numbers = (np.arange(n_trials) % 8).astype(str), np.arange(n_trials)
    nothing = np.zeros(n_trials, int), np.full(n_trials, np.nan)
    design = Trials(people, np.full(n_trials, "1"), numbers, shown, *nothing, n_clips)
    clips = WORLDS["matched"].draw_clips(seed, n_clips)
    model = clips + 0.3 * rng.normal(size=clips.shape)
    rdms = np.stack([model_rdm(model + 0.6 * rng.normal(size=clips.shape)) for _ in range(2)])
    stimuli = StimulusSet(ids=tuple(f"clip{i}" for i in range(n_clips)))
    protocol = select_protocol("all", stimuli, WORLDS["matched"].judge(design, clips, seed))
    found = Comparison.of(protocol, rdms).difference(0, 1)
    return [found[name].low > 0 or found[name].high < 0 for name in MEASURES]


def over(pool: ProcessPoolExecutor, job: Callable[..., Any], seeds: range, *args: Any) -> np.ndarray:
    """(set, …) what ``job`` gives for each seed."""
    columns = [[arg] * len(seeds) for arg in args]
    return np.array(list(pool.map(job, *columns, seeds, chunksize=4)))


def ceiling_figures(found: np.ndarray) -> dict[str, float]:
    """Of (set, 5): ceiling over what is reached, and how often the interval holds it."""
    value, low, high, by_ranks, by_values = found.T
    held = [(low <= truth) & (truth <= high) for truth in (by_ranks.mean(), by_values.mean(), by_ranks)]
    return {
        "sets": len(found), "ceiling": value.mean(), "reached": by_ranks.mean(),
        "ratio_spearman": value.mean() / by_ranks.mean(), "ratio_pearson": value.mean() / by_values.mean(),
        "coverage": held[0].mean(), "coverage_pearson": held[1].mean(), "coverage_of_this_rdm": held[2].mean(),
    }  # fmt: skip


def interval_figures(found: np.ndarray, truth: float, spread: float) -> dict[str, float]:
    """Of (set, 3): how often the interval holds the truth, lies below or above it, excludes 0; and the best possible."""
    value, low, high = found.T
    return {
        "sets": len(found), "truth": truth, "coverage": ((low <= truth) & (truth <= high)).mean(),
        "below": (high < truth).mean(), "above": (low > truth).mean(), "power": (low > 0).mean(),
        "power_ideal": (value > 1.96 * spread).mean(), "width": (high - low).mean() / (2 * 1.96 * spread),
    }  # fmt: skip


def measure(sets: int, truths: int = 2000, worlds: Sequence[str] = tuple(WORLDS)) -> dict[str, Any]:
    """All figures: world -> ``ceilings`` (design -> figures) and ``intervals`` (protocol -> measure -> figures)."""
    result: dict[str, Any] = {}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for world in worlds:
            ceilings = over(pool, ceilings_of, range(sets), world, False)
            dense = over(pool, ceilings_of, range(sets), world, True)
            of_design = {name: ceiling_figures(ceilings[:, k]) for k, name in enumerate(PROTOCOLS)}
            known = over(pool, values_of, range(TRUTH_FROM, TRUTH_FROM + truths), world)
            known = np.concatenate([known[..., 0], known[..., 0] - known[..., 1]], axis=2)
            found = over(pool, intervals_of, range(5 * sets), world)
            names = [*MEASURES, *(f"difference in {name}" for name in MEASURES)]
            intervals = {
                protocol: {
                    name: interval_figures(found[:, k, m], known[:, k, m].mean(), known[:, k, m].std())
                    for m, name in enumerate(names)
                }
                for k, protocol in enumerate(PROTOCOLS)
            }
            result[world] = {
                "ceilings": {**of_design, DENSE: ceiling_figures(dense[:, 0])},
                "intervals": intervals,
            }
    return result


def measure_small(sets: int) -> list[dict[str, Any]]:
    """How often intervals of a difference that is 0 leave 0 out, by size of study."""
    rows = []
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for n_clips in (5, 7, 10, 15, 20, 30):
            for n_trials in (10, 30, 100):
                found = over(pool, excluded_of, range(sets), n_clips, n_trials).mean(axis=0)
                rows.append(
                    {
                        "clips": n_clips,
                        "trials": n_trials,
                        "sets": sets,
                        **dict(zip(MEASURES, found, strict=True)),
                    }
                )
    return rows


def ceiling_table(found: dict[str, Any]) -> str:
    """As Markdown."""
    lines = [
        "| world | judgments | expected shares reach | ceiling | ceiling / Spearman | ceiling / Pearson "
        "| coverage (Spearman, Pearson) | sets |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for world, figures in found.items():
        for design, row in figures["ceilings"].items():
            cells = [world, design, *(number(row[key]) for key in ("reached", "ceiling"))]
            cells += [f"{row[key]:.3f}" for key in ("ratio_spearman", "ratio_pearson")]
            cells += [f"{row['coverage']:.1%}, {row['coverage_pearson']:.1%}", f"{row['sets']:,}"]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def interval_table(found: dict[str, Any]) -> str:
    """As Markdown; odd-one-out accuracy is the same under both protocols, and stands once."""
    lines = [
        "| world | figure | truth | coverage | truth above | truth below | width / ideal | power (ideal) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for world, figures in found.items():
        for protocol, rows in figures["intervals"].items():
            for name, row in rows.items():
                if "odd_one_out" in name and protocol != PROTOCOLS[0]:
                    continue
                where = "" if "odd_one_out" in name else f", {protocol}"
                power = (
                    f"{row['power']:.0%} ({row['power_ideal']:.0%})" if name.startswith("difference") else ""
                )
                shares = [f"{row[key]:.1%}" for key in ("coverage", "below", "above")]
                cells = [world, name.replace("_", " ") + where, number(row["truth"]), *shares]
                lines.append("| " + " | ".join([*cells, f"{row['width']:.2f}", power]) + " |")
    return "\n".join(lines)


def small_table(rows: list[dict[str, Any]]) -> str:
    """As Markdown."""
    names = ("rsa_spearman", "odd_one_out_3afc", "odd_one_out_two_way")
    lines = [
        "| clips | trials | RSA, Spearman | odd one out, 3AFC | two-way | sets |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        shares = [f"{row[name]:.1%}" for name in names]
        lines.append(f"| {row['clips']} | {row['trials']} | {' | '.join(shares)} | {row['sets']:,} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sets", type=int, default=200, help="for ceilings; five times as many for intervals"
    )
    sets = parser.parse_args().sets
    found, small = measure(sets), measure_small(5 * sets)
    write_json(ROOT / "docs/results/statistics.json", {"worlds": found, "small studies": small})
    page = ROOT / "docs/statistics.md"
    text = between(page.read_text(encoding="utf-8"), "ceilings", ceiling_table(found))
    text = between(text, "intervals", interval_table(found))
    write_text(page, between(text, "small", small_table(small)))
    print(ceiling_table(found), interval_table(found), small_table(small), sep="\n\n")


if __name__ == "__main__":
    main()
