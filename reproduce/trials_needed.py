"""How do the judgments that training needs grow with the clips? `python reproduce/trials_needed.py` (half an hour, one core).

SIMULATED: clips with independent latents, judged by the default observers. An encoder's features hold the latents among many
other, larger directions. Two learners meet the same judgments:

- ``map``: a linear map of the features, trained by the hybrid objective; measured on 200 clips that nobody judged.
- ``table``: an embedding of the judged clips alone, without features (behaviour only); measured on these clips.

Writes docs/results/trials_needed.json and the table of docs/scaling.md.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from page_tables import between, number, table

from bgs._files import write_json, write_text
from bgs._rng import generator
from bgs.evaluation import pair_vector, spearman
from bgs.experiments.chapters.learning_curve.enough import enough_for
from bgs.judgments import Geometry
from bgs.objective import HybridObjective, ObjectiveSettings
from bgs.simulation import simulate_judgments
from bgs.simulation.observers import DEFAULT_WEIGHTS
from bgs.stimuli import StimulusSet
from bgs.training import target_of

ROOT = Path(__file__).parents[1]
PAGE, RESULTS = ROOT / "docs/scaling.md", ROOT / "docs/results/trials_needed.json"
CLIPS = (100, 300, 1_000, 3_000)
TRIALS = (300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000)
FRESH, FEATURES, LATENT_SHARE, UPDATES = 200, 64, 0.5, 100
#: Steps of AdamW: the map begins near its end, the table anywhere.
RATES = {"map": 1e-2, "table": 1e-1}
DIMENSIONS = 16
OBJECTIVE = HybridObjective(ObjectiveSettings())


class World:
    """Judged clips, fresh clips, and features of all of them."""

    def __init__(self, clips: int, seed: int) -> None:
        random, total = generator(seed, "needed", clips), clips + FRESH
        ratings = random.random((total, len(DEFAULT_WEIGHTS)))
        self.clips, self.seed = clips, seed
        self.stimuli = StimulusSet(
            ids=tuple(f"clip-{i:05d}" for i in range(total)),
            ratings=dict(zip(DEFAULT_WEIGHTS, ratings.T, strict=True)),
            split=("train",) * clips + ("test",) * FRESH,
        )
        latents = LATENT_SHARE * (ratings - 0.5) / np.sqrt(1 / 12)
        other = random.normal(size=(total, FEATURES - latents.shape[1]))
        turn, _ = np.linalg.qr(random.normal(size=(FEATURES, FEATURES)))
        self.features = torch.as_tensor(np.hstack([latents, other]) @ turn, dtype=torch.float32)

    def learned(self, trials: int) -> dict[str, float]:
        """Spearman with the planted distances: of the frozen features, and of both learners."""
        judged = simulate_judgments(self.stimuli, trials, seed=self.seed, test_share=0.0)
        target = target_of(Geometry.from_trials(judged.trials, np.arange(self.clips)))
        fresh, old = self.features[self.clips :], self.features[: self.clips]
        weight = trained(lambda w: old @ w, torch.eye(FEATURES), target, RATES["map"])
        start = generator(self.seed, "table").normal(size=(self.clips, DIMENSIONS))
        rows = trained(lambda rows: rows, torch.as_tensor(start, dtype=torch.float32), target, RATES["table"])
        planted = judged.rdm
        unseen, seen = planted[self.clips :, self.clips :], planted[: self.clips, : self.clips]
        return {
            "frozen": agreement(fresh, unseen),
            "map": agreement(fresh @ weight, unseen),
            "table": agreement(rows, seen),
        }


def trained(embed: Any, start: torch.Tensor, target: Any, rate: float) -> torch.Tensor:
    """Parameters after some updates on all trials and pairs at once."""
    parameters = start.clone().requires_grad_()
    optimizer = torch.optim.AdamW([parameters], rate, weight_decay=0.0)
    for update in range(UPDATES):
        optimizer.zero_grad()
        OBJECTIVE(embed(parameters), target, update).total.backward()
        optimizer.step()
    return parameters.detach()


def agreement(vectors: torch.Tensor, planted: np.ndarray) -> float:
    """Spearman correlation of cosine distances with planted ones; of 500 clips at most, whose pairs are enough."""
    vectors, planted = vectors[:500], planted[:500, :500]
    unit = torch.nn.functional.normalize(vectors - vectors.mean(dim=0), dim=1)
    return spearman(pair_vector((1 - unit @ unit.T).numpy()), pair_vector(planted))


def measure(clips: tuple[int, ...], trials: tuple[int, ...], seeds: int) -> Iterator[dict[str, Any]]:
    """One row for each number of clips: means over worlds, and the trials that are enough for nearly all of the gain."""
    for n in clips:
        worlds = [World(n, seed) for seed in range(seeds)]
        found = [[world.learned(t) for world in worlds] for t in trials]
        mean = {
            name: [float(np.mean([one[name] for one in at])) for at in found]
            for name in ("frozen", "map", "table")
        }
        base = mean["frozen"][0]
        row = {"clips": n, "worlds": seeds, "unit": "Spearman rho", "trials": list(trials), **mean}
        row["frozen"] = base
        for name, start in (("map", base), ("table", 0.0)):
            gains = [value - start for value in mean[name]]
            row[f"needed_{name}"] = enough_for(trials, gains, []).judgments
        row["spread"] = {
            name: [float(np.ptp([one[name] for one in at])) for at in found] for name in ("map", "table")
        }
        print(row, flush=True)
        yield row


def page(rows: list[dict[str, Any]]) -> str:
    """The table of docs/scaling.md."""
    head = ["clips", "learner", *(f"{t:,}" for t in rows[0]["trials"]), "90 % of the last"]
    lines = []
    for row in rows:
        for name, title in (("map", f"map (frozen {number(row['frozen'])})"), ("table", "table")):
            at = row[f"needed_{name}"]
            told = "–" if math.isnan(at) else f"{float(f'{at:.2g}'):,.0f}"
            lines.append([f"{row['clips']:,}", title, *(number(value) for value in row[name]), told])
    return table(head, lines)


def main() -> None:
    """Measure, and write figures and page; ``--try`` is small and writes nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--try", dest="small", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.small:
        print(page(list(measure(CLIPS[:2], TRIALS[:5], 1))))
        return
    rows = list(measure(CLIPS, TRIALS, arguments.seeds))
    write_json(RESULTS, rows)
    write_text(PAGE, between(PAGE.read_text(encoding="utf-8"), "needed", page(rows)))


if __name__ == "__main__":
    main()
