"""What limits agreement with the real judgments: captions, clips, or noise? docs/limits.md and docs/results/limits.json.

    python reproduce/limits.py [--parts recipes curves people worlds test] [--mpnet FOLDER_OR_HUB_ID]

Four minutes of one core, embeddings included (they are kept in runs/limits). Everything but ``test`` is cross-validated
within the 200 training clips and reads no judgment that shows a test clip; ``test`` measures finished recipes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from limits_maps import pair_maps, score, upper
from limits_page import write_page
from limits_task import (
    BEST,
    BOTH,
    FOLDS,
    RECIPES,
    REPEATS,
    ROOT,
    SEEDS,
    Inputs,
    Task,
    gradient,
    pair_map,
    pooled,
    untuned,
)

from bgs import Embeddings
from bgs._files import write_json
from bgs._rng import generator
from bgs.evaluation import rsa_ceiling, select_protocol
from bgs.evaluation.comparison import Comparison
from bgs.evaluation.resampling import t_quantile
from bgs.judgments import Trials, ordinal_embedding, split_folds
from bgs.simulation import WORLDS
from bgs.stimuli import StimulusSet

SIZES, SHARES, CAPTIONS = (40, 60, 80, 120, 160), (0.1, 0.25, 0.5, 1.0), (1, 2, 3, 5)


def summary(values: np.ndarray, ratio: float = 1 / (FOLDS - 1)) -> dict[str, float]:
    """Mean over folds with a 95 % interval that allows for their overlap (Nadeau & Bengio 2003)."""
    reach = t_quantile(len(values) - 1) * float(np.sqrt((1 / len(values) + ratio) * values.var(ddof=1)))
    mean = float(values.mean())
    return {"mean": mean, "low": mean - reach, "high": mean + reach, "n": len(values)}


def fit_line(sizes: Sequence[float], values: np.ndarray, power: float) -> dict[str, Any]:
    """a + b · size^−power for each row of (folds, sizes): by how much more it is further on than at the last size."""
    x = np.array(sizes, float)
    slope = np.polynomial.polynomial.polyfit(x**-power, values.T, 1)[1]
    ends = {"twice": 2 * x[-1], "four times": 4 * x[-1], "limit": np.inf}
    return {name: summary(slope * (end**-power - x[-1] ** -power)) for name, end in ends.items()}


def curve(sizes: Sequence[float], values: np.ndarray) -> dict[str, Any]:
    """Means by size, and what two extrapolations add to the last."""
    means = {str(size): summary(values[:, k]) for k, size in enumerate(sizes)}
    return {"means": means, "1/n": fit_line(sizes, values, 1.0), "1/sqrt(n)": fit_line(sizes, values, 0.5)}


def recipes(task: Task) -> dict[str, Any]:
    """Cross-validated value of each recipe, its share of the ceiling, and its difference from the best simple one."""
    ceilings = np.array([task.ceiling(held) for _, held in task.folds()])
    values = {name: task.cross_validate(learner) for name, learner in RECIPES.items()}
    found = {name: {**summary(v), "share": float(v.mean() / ceilings.mean()), "difference": summary(v - values[BEST])}
             for name, v in values.items()}  # fmt: skip
    return {"ceiling": summary(ceilings), "recipes": found}


def some_clips(task: Task, names: str, sizes: Sequence[int], repeats: int = REPEATS) -> np.ndarray:
    """(folds, sizes) with fewer clips to learn from."""
    learner, rows = pair_map(names), []
    for k, (train, held) in enumerate(task.folds(repeats)):
        order = generator(k, "limits clips").permutation(train)
        rows.append([score(learner(task, np.sort(order[:n]), held), task.human, held) for n in sizes])
    return np.array(rows)


def some_judgments(task: Task, shares: Sequence[float]) -> np.ndarray:
    """(folds, shares) with fewer judgments to learn from, the same clips."""
    learner, rows = pair_map(BOTH), []
    for k, (train, held) in enumerate(task.folds()):
        order = generator(k, "limits judgments").permutation(len(task.trials))
        fewer = [Task.of(task.clips, task.features, task.trials.where(np.isin(np.arange(len(order)),
                 order[: round(share * len(order))]))) for share in shares]  # fmt: skip
        rows.append([score(learner(part, train, held), task.human, held) for part in fewer])
    return np.array(rows)


def curves(task: Task, captions: dict[str, Embeddings], stimuli: StimulusSet) -> dict[str, Any]:
    """Over clips, judgments, and captions a clip."""
    fewer = [replace(task, features=pooled(captions, stimuli, most, 0)) for most in CAPTIONS]
    said = np.stack([part.cross_validate(pair_map(BOTH)) for part in fewer], axis=1)
    return {
        "clips": curve(SIZES, some_clips(task, BOTH, SIZES)),
        "judgments": curve(SHARES, some_judgments(task, SHARES)),
        "captions per clip": curve(CAPTIONS, said),
        "clips, ratings only": curve(SIZES, some_clips(task, "ratings", SIZES)),
    }


def people(task: Task) -> dict[str, Any]:
    """What four fifths of the people say of held-out clips foretells of the other fifth, beside what captions do."""
    names = np.unique(task.trials.participant)
    rows: dict[str, list[float]] = {
        name: [] for name in ("ceiling", "others", "ordinal", "captions", "with ordinal")
    }
    for fold in split_folds(len(names), FOLDS, 0):
        mine = np.isin(task.trials.participant, names[fold])
        others = Task.of(task.clips, task.features, task.trials.where(~mine))
        wanted = Task.of(task.clips, task.features, task.trials.where(mine)).human
        ordinal = ordinal_embedding(others.trials, dimensions=20, penalty=2.0, starts=1).rdm()
        for train, held in task.folds(1):
            grid = np.ix_(held, held)
            captions, known = pair_map(BOTH)(others, train, held), ordinal[grid]
            mixed = sum((rdm - upper(rdm).mean()) / upper(rdm).std() for rdm in (captions, known))
            found = {
                "ordinal": known,
                "captions": captions,
                "with ordinal": mixed,
                "others": others.human[grid],
            }
            for name, rdm in found.items():
                rows[name].append(score(rdm, wanted, held))
            rows["ceiling"].append(task.ceiling(held, lambda t, f=fold: np.isin(t.participant, names[f])))  # type: ignore[misc]
    values = {name: np.array(row) for name, row in rows.items()}
    return {name: {**summary(v), "share": float(v.mean() / values["ceiling"].mean()),
                   "difference": summary(v - values["captions"])} for name, v in values.items()}  # fmt: skip


def in_world(task: Task, clips: np.ndarray, features: dict[str, np.ndarray], seed: int) -> Task:
    """The same design, judged by simulated people who go by ``clips``."""
    return Task.of(task.clips, features, WORLDS["matched"].judge(task.trials, clips, seed))


def hidden(clips: np.ndarray, known: int, strength: float, like: np.ndarray, seed: int) -> np.ndarray:
    """Features that hold some dimensions of the clips among nuisance with the spectrum of ``like``."""
    spectrum = np.linalg.svd(like - like.mean(axis=0), compute_uv=False) ** 2
    noise = generator(seed, "limits nuisance").normal(size=(len(clips), len(spectrum)))
    return np.hstack([strength * clips[:, :known], noise * np.sqrt(spectrum / spectrum.sum())])


def world_curve(tasks: Sequence[Task], names: str) -> dict[str, Any]:
    """Shares of the ceiling over clips learned from, and of the untuned features."""
    ceiling = np.mean([[task.ceiling(held) for _, held in task.folds(1)] for task in tasks])
    base = np.mean([task.cross_validate(untuned(names), 1) for task in tasks]) / ceiling
    values = np.concatenate([some_clips(task, names, SIZES, 1) for task in tasks]) / ceiling
    return {"ceiling": float(ceiling), "untuned": float(base), **curve(SIZES, values)}


def worlds(task: Task, sets: int = 5) -> dict[str, Any]:
    """Where features are known to hold all that people go by, or a part: how far does the same learning come?"""
    found = {"real people": world_curve([task], BOTH)}
    goal = found["real people"]["untuned"]
    drawn = [WORLDS["matched"].draw_clips(seed, task.trials.n_stimuli) for seed in range(sets)]
    perfect = [in_world(task, clips, {"known": clips}, seed) for seed, clips in enumerate(drawn)]
    found["the dimensions themselves"] = world_curve(perfect, "known")
    for known in (8, 7, 6, 5):
        low, high = 0.0, 2.0
        for _ in range(9):
            strength = (low + high) / 2
            tasks = [replace(t, features={"mixed": hidden(clips, known, strength, task.features["minilm"], seed)})
                     for seed, (t, clips) in enumerate(zip(perfect, drawn, strict=True))]  # fmt: skip
            ceiling = np.mean([[t.ceiling(held) for _, held in t.folds(1)] for t in tasks[:1]])
            base = np.mean([t.cross_validate(untuned("mixed"), 1) for t in tasks]) / ceiling
            low, high = (strength, high) if base < goal else (low, strength)
        found[f"{known} of 8 among nuisance dimensions"] = {
            **world_curve(tasks, "mixed"),
            "strength": strength,
        }
    everyone = np.arange(task.trials.n_stimuli)
    kernel = task.kernel(BOTH, task.clips)
    learned = -pair_maps(kernel, task.human, task.clips, everyone, (10.0,))[0]
    values, vectors = np.linalg.eigh(
        learned - learned.mean(axis=0) - learned.mean(axis=1)[:, None] + learned.mean()
    )
    planted = vectors[:, -8:] * np.sqrt(np.maximum(values[-8:], 0.0))
    tasks = [in_world(task, planted, task.features, seed) for seed in range(sets)]
    found["planted in the real captions"] = world_curve(tasks, BOTH)
    return found


def test(task: Task, stimuli: StimulusSet, trials: Trials) -> dict[str, Any]:
    """Finished recipes on the test clips, trained on all training clips; the only part that reads their judgments."""
    finished = {
        "both encoders, untuned": untuned(BOTH),
        "MiniLM, closed form": pair_map("minilm"),
        **{f"both, closed form, seed {s}": pair_map(BOTH, seed=s) for s in SEEDS},
        **{f"both, gradients, full rank, seed {s}": gradient(BOTH, 999, seed=s) for s in SEEDS},
        "ratings alone, radial": pair_map("ratings", radial=True),
        "both + ratings": pair_map(BOTH + "+ratings"),
    }
    held = np.flatnonzero(stimuli.test)
    rdms = np.stack([learner(task, task.clips, held) for learner in finished.values()])
    found: dict[str, Any] = {}
    for name in ("held-out-pairs", "held-out-trials"):
        protocol = select_protocol(name, stimuli, trials)
        comparison, ceiling = Comparison.of(protocol, rdms), rsa_ceiling(protocol)[0]["rsa_ceiling"]
        rows = {}
        for k, recipe in enumerate(finished):
            rho, odd = (comparison.metrics(k)[m] for m in ("rsa_spearman", "odd_one_out_3afc"))
            rows[recipe] = {"value": rho.value, "low": rho.low, "high": rho.high, "share": rho.value / ceiling.value,
                            "3afc": odd.value}  # fmt: skip
        limits = {"value": ceiling.value, "low": ceiling.low, "high": ceiling.high}
        found[name] = {"ceiling": limits, "recipes": rows, "pairs": comparison.metrics(0)["rsa_spearman"].n}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", default=["recipes", "curves", "people", "worlds", "test"])
    parser.add_argument("--mpnet", default="sentence-transformers/all-mpnet-base-v2", help="hub id or folder")
    options = parser.parse_args()
    inputs, path = Inputs(options.mpnet), ROOT / "docs/results/limits.json"
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "recipes": lambda: recipes(inputs.task),
        "curves": lambda: curves(inputs.task, inputs.captions, inputs.stimuli),
        "people": lambda: people(inputs.task),
        "worlds": lambda: worlds(inputs.task),
        "test": lambda: test(inputs.task, inputs.stimuli, inputs.trials),
    }
    found = json.loads(path.read_text()) if path.exists() else {}
    for name in options.parts:
        found[name] = parts[name]()
        write_json(path, found)
    if all(name in found for name in parts):
        write_page(ROOT / "docs/limits.md", found)


if __name__ == "__main__":
    main()
