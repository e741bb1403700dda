"""Which softness of the ranks gives a Spearman RSA term the best direction?

Embeddings are moved by one gradient step whose length is fixed as a share of their own; what counts is by how much the
Spearman correlation itself (hard ranks) rises, with the human RDM that the step was taken for. Human RDMs are drawn as
people make them: odd-one-out choices of a known geometry, a few judgments a pair, so that dissimilarities are shares
with many ties. The Pearson term, which has no softness, is measured beside them.

    python benchmarks/soft_rank.py [--draws 10] [--json FILE]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from bgs._files import write_json
from bgs._rng import generator
from bgs._typing import Float64
from bgs.evaluation import spearman
from bgs.objective import cosine_similarities, rsa_correlation

SOFTNESS = (0.3, 1.0, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 7.0, 15.0)
#: Clips; 24 is what a published RSA term sees, 250 the whole data set.
SIZES = (24, 60, 120, 250)
#: Length of a step as a share of the embedding's.
STEPS = (0.01, 0.05)
#: Noise that hides the geometry in the embeddings before the step, in standard deviations.
NOISE = (0.5, 2.0)
#: Judgments a pair, on average, of which each keeps the pair or does not.
JUDGMENTS = 4.5
#: From the difference of a pair's distance to the mean, in standard deviations, to the odds of keeping it.
SLOPE = 1.5

Vectors = Float64[np.ndarray, "n d"]


def normal(random: np.random.Generator, n: int) -> Vectors:
    """Clips scattered in 8 dimensions."""
    return random.standard_normal((n, 8))


def clustered(random: np.random.Generator, n: int) -> Vectors:
    """Clips around 8 centres in 5 dimensions."""
    centres = random.standard_normal((8, 5))
    return centres[random.integers(8, size=n)] + 0.5 * random.standard_normal((n, 5))


def skewed(random: np.random.Generator, n: int) -> Vectors:
    """Two dimensions that matter a lot among 30, and heavy tails: distances far from normal."""
    return random.standard_t(3, size=(n, 30)) * np.r_[3.0, 3.0, np.full(28, 0.3)]


GEOMETRIES: dict[str, Callable[[np.random.Generator, int], Vectors]] = {
    "normal": normal, "clustered": clustered, "skewed": skewed,
}  # fmt: skip


def judged(random: np.random.Generator, distances: Float64[np.ndarray, " p"]) -> Float64[np.ndarray, " p"]:
    """Shares of judgments in which people did not keep a pair; NaN where nobody saw it."""
    standard = (distances - distances.mean()) / distances.std()
    apart = 1 / (1 + np.exp(-SLOPE * standard))
    seen = random.poisson(JUDGMENTS, len(distances))
    return np.divide(random.binomial(seen, apart), seen, out=np.full(len(seen), np.nan), where=seen > 0)


def gain(start: Vectors, human: Float64[np.ndarray, " p"], step: float, softness: float | None) -> float:
    """By how much the Spearman correlation rises in one step; a softness of None is the Pearson term."""
    first, second = (torch.as_tensor(side) for side in np.triu_indices(len(start), 1))
    seen = torch.as_tensor(np.isfinite(human))
    first, second, target = first[seen], second[seen], torch.as_tensor(human)[seen]
    vectors = torch.as_tensor(start).requires_grad_()
    kind, soft = ("pearson", 1.0) if softness is None else ("spearman", softness)
    distances = 1 - cosine_similarities(vectors)[first, second]
    rsa_correlation(distances, target, torch.ones_like(target), kind, soft).backward()
    slope = vectors.grad
    assert slope is not None
    with torch.no_grad():
        moved = vectors + step * vectors.norm() * slope / slope.norm()
        after = 1 - cosine_similarities(moved)[first, second]
    rise = [spearman(now.detach().numpy(), target.numpy()) for now in (distances, after)]
    return rise[1] - rise[0]


def measure(draws: int) -> list[dict[str, object]]:
    """Mean gain of every softness, for each geometry, size, step and noise."""
    rows: list[dict[str, object]] = []
    for name, make in GEOMETRIES.items():
        for n in SIZES:
            gains = np.zeros((len(STEPS), len(NOISE), len(SOFTNESS) + 1))
            for draw in range(draws):
                random = generator(draw, "soft-rank", name, n)
                truth = make(random, n)
                unit = truth / np.linalg.norm(truth, axis=1, keepdims=True)
                human = judged(random, (1 - unit @ unit.T)[np.triu_indices(n, 1)])
                hidden = np.concatenate([truth / truth.std(), np.zeros((n, 64 - truth.shape[1]))], axis=1)
                for k, noise in enumerate(NOISE):
                    start = hidden + noise * random.standard_normal(hidden.shape)
                    for s, step in enumerate(STEPS):
                        found = [gain(start, human, step, softness) for softness in (*SOFTNESS, None)]
                        gains[s, k] += np.array(found) / draws
            for s, step in enumerate(STEPS):
                for k, noise in enumerate(NOISE):
                    of = dict(
                        zip((*map(str, SOFTNESS), "pearson"), gains[s, k].round(5).tolist(), strict=True)
                    )
                    rows.append({"geometry": name, "clips": n, "step": step, "noise": noise, "gain": of})
    return rows


def main() -> None:
    """Print the gain of every softness as a share of the best, and keep all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = measure(arguments.draws)
    names = [*map(str, SOFTNESS), "pearson"]
    shares = np.array([[row["gain"][name] for name in names] for row in rows])  # type: ignore[index]
    shares /= shares[:, : len(SOFTNESS)].max(axis=1, keepdims=True)
    print(f"{len(rows)} conditions, {arguments.draws} draws each; gain as a share of the best softness")
    print(f"{'softness':>10s} {'mean':>7s} {'least':>7s}")
    for name, column in zip(names, shares.T, strict=True):
        print(f"{name:>10s} {column.mean():7.3f} {column.min():7.3f}")
    if arguments.json:
        summary = {
            name: [round(float(c.mean()), 3), round(float(c.min()), 3)]
            for name, c in zip(names, shares.T, strict=True)
        }
        write_json(arguments.json, {"draws": arguments.draws, "share_mean_least": summary, "rows": rows})


if __name__ == "__main__":
    main()
