"""Figures of the concept pages, computed from SIMULATED clips and observers: docs/figures/concepts/*.svg.

    python reproduce/concept_figures.py

Takes a minute. Prints the numbers that the pages quote.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bgs import Embeddings, evaluate
from bgs._files import write_bytes
from bgs._rng import generator
from bgs._typing import Float64, Int
from bgs.datasets import Dataset
from bgs.evaluation import model_rdm, pair_vector, spearman
from bgs.evaluation.odd_one_out import trial_scores
from bgs.reports.drawing.canvas import blank_figure, figure_bytes
from bgs.reports.palette import BLUE, GREEN, GREY, INK
from bgs.simulation import planted_dataset

FOLDER = Path(__file__).parents[1] / "docs/figures/concepts"
CLIPS, TRIPLETS = 40, 4000
#: Share of pairs beyond which one model sees no difference, and below which the other sees none.
NEAR, FAR = 0.25, 0.35
TRIALS = (250, 500, 1000, 2000, 4000, 8000, 16000)
SEEDS = range(4)


def people_and_models() -> dict[str, Float64[np.ndarray, "n n"]]:
    """Distances as people see them, and as two models do: one knows who is near, the other who is far."""
    rng = generator(0, "concept geometry")
    people = model_rdm(rng.normal(size=(CLIPS, 3)), "euclidean")
    rows, columns = np.triu_indices(CLIPS, 1)
    distances = people[rows, columns]

    def matrix(values: Float64[np.ndarray, " p"]) -> Float64[np.ndarray, "n n"]:
        whole = np.zeros((CLIPS, CLIPS))
        whole[rows, columns] = values
        return whole + whole.T

    near, far = np.quantile(distances, (NEAR, FAR))
    beyond = distances > near
    local = np.where(beyond, near + rng.permutation(distances) * 0.5, distances)
    within = distances < far
    spread = np.where(within, rng.uniform(distances.min(), far, len(distances)), distances)
    return {"people": people, "knows who is near": matrix(local), "knows who is far": matrix(spread)}


def choices(people: Float64[np.ndarray, "n n"]) -> tuple[Int[np.ndarray, "t 3"], Int[np.ndarray, " t"]]:
    """Triplets that hold a close pair, and the clip that people choose as odd."""
    rng = generator(0, "concept triplets")
    triplets = np.argsort(rng.random((4 * TRIPLETS, CLIPS)), axis=1)[:, :3]
    first, second, third = triplets.T
    opposite = np.stack([people[second, third], people[first, third], people[first, second]], axis=1)
    close = opposite.min(axis=1) < np.quantile(pair_vector(people), NEAR)
    return triplets[close][:TRIPLETS], opposite.argmin(axis=1)[close][:TRIPLETS]


def triplets_and_rsa() -> bytes:
    """Two models: one right on choices, the other on the matrix."""
    matrices = people_and_models()
    people = matrices.pop("people")
    triplets, odd = choices(people)
    with blank_figure(6.6, 3.2) as figure:
        for axes, (name, model) in zip(figure.subplots(1, 2), matrices.items(), strict=True):
            right = trial_scores(model, triplets, odd)[0].mean()
            rsa = spearman(pair_vector(model), pair_vector(people))
            print(f"{name}: odd one out {right:.2f}, RSA {rsa:.2f}")
            axes.scatter(pair_vector(people), pair_vector(model), s=5, color=BLUE, alpha=0.6, linewidths=0)
            axes.set(xlabel="people's distance", ylabel="model's distance", xticks=[], yticks=[])
            axes.set_title(f"{name}\nodd one out {right:.2f}, RSA {rsa:.2f}", fontsize=9)
        return figure_bytes(figure, "svg", "Distances of two models against distances to people")


def ceilings() -> Iterator[tuple[float, float, float, float]]:
    """Judgments a pair, ceiling, Spearman correlation of observers' own distances and of a model's; means over seeds."""
    for trials in TRIALS:
        found = []
        for seed in SEEDS:
            stimuli, judged = planted_dataset(n_clips=CLIPS, n_trials=trials, n_observers=40, seed=seed)
            truth = np.column_stack(list(stimuli.ratings.values()))
            noise = generator(seed, "concept model").normal(0.0, 0.25, truth.shape)
            data = Dataset(stimuli, judged, simulated=True, name="planted", licence="", citation="")
            tested = int(stimuli.test.sum())  # no trial mixes test clips with others
            pairs = math.comb(tested, 2) + math.comb(CLIPS - tested, 2)
            row = []
            for values in (truth, truth + noise):
                vectors = Embeddings(values, stimuli.ids, "planted")
                result = evaluate(
                    vectors, data, protocol="all", distance="euclidean", center=False, permutations=0
                )["all"]
                row.append(result.metrics["rsa_spearman"].value)
            found.append((3 * trials / pairs, result.metrics["rsa_ceiling"].value, *row))
        yield tuple(np.nanmean(found, axis=0))


def noise_ceiling() -> bytes:
    """The same truth and the same model, with few judgments and with many."""
    judgments, ceiling, truth, model = np.array(list(ceilings())).T
    for row in zip(judgments, ceiling, truth, model, model / ceiling, strict=True):
        print(
            "judgments a pair {:.1f}: ceiling {:.2f}, true distances {:.2f}, model {:.2f}, share {:.2f}".format(
                *row
            )
        )
    with blank_figure(6.6, 3.0) as figure:
        left, right = figure.subplots(1, 2)
        for values, colour, name in (
            (ceiling, GREEN, "noise ceiling"),
            (truth, INK, "true distances"),
            (model, BLUE, "model"),
        ):
            left.plot(judgments, values, "o-", color=colour, markersize=3, label=name)
        right.plot(judgments, truth / ceiling, "o-", color=INK, markersize=3)
        right.plot(judgments, model / ceiling, "o-", color=BLUE, markersize=3)
        right.axhline(1, color=GREY, linewidth=0.8)
        left.legend(frameon=False, fontsize=8, loc="lower right")
        for axes, label in ((left, "RSA, Spearman"), (right, "share of the ceiling")):
            axes.set(xscale="log", xlabel="judgments of each pair", ylabel=label, ylim=(0, 1.15))
        return figure_bytes(figure, "svg", "Agreement and noise ceiling against the number of judgments")


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_bytes(FOLDER / "triplets-and-rsa.svg", triplets_and_rsa())
    write_bytes(FOLDER / "noise-ceiling.svg", noise_ceiling())
