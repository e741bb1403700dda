"""A few clips that cover a space: every clip has a chosen one near (k-centre).

Farthest-first traversal (Gonzalez 1985, Theoretical Computer Science 38:293), then exchanges of one chosen clip for another.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bgs._errors import ConfigError
from bgs._rng import generator
from bgs._typing import Float, Float64, Int
from bgs.library.selecting.variables import unit

#: Random choices that a covering is compared with.
RANDOM_CHOICES = 200
#: Clips that are tried in one round of exchanges; a larger pool is sampled.
_TRIED = 2_000
_MOST_ROUNDS = 20
#: Distances that differ by less are treated as equal.
_EQUAL = 1e-9


@dataclass(frozen=True)
class Covering:
    """Clips that cover a space; distances are cosine distances, 0 to 2.

    Attributes:
        chosen: (k,) positions, ascending.
        radius: distance from a clip to the nearest chosen one, of the clip where it is largest.
        mean_distance: of all clips to their nearest chosen one.
        least: no k clips have a smaller radius than this.
        random_radius: mean radius of random choices of k clips.
        random_interval: from the 2.5 to the 97.5 percentile of these.
        random_choices: how many.
    """

    chosen: Int[np.ndarray, " k"]
    radius: float
    mean_distance: float
    least: float
    random_radius: float
    random_interval: tuple[float, float]
    random_choices: int

    def to_json(self) -> dict[str, Any]:
        """JSON types only, without the positions."""
        return {name: value for name, value in asdict(self).items() if name != "chosen"}


def cover(vectors: Float[np.ndarray, "n d"], k: int, seed: int = 0) -> Covering:
    """Choose k clips such that the clip farthest from all of them is as near as possible; then, that clips are near on average.

    The chord between two directions (the root of twice the cosine distance) obeys the triangle inequality, so that
    farthest-first traversal has a chord radius of at most twice the smallest possible one: a radius in cosine distance of at
    most four times. Exchanges only make it smaller.

    Args:
        vectors: (n, d) directions of the clips, of any length.
        k: how many to choose.
        seed: of the random choices for comparison, and of the clips tried in a large pool.

    Raises:
        ConfigError: k is not 1 to n.
    """
    n = len(vectors)
    if not 1 <= k <= n:
        raise ConfigError("cannot choose so many clips", where="k", expected=f"1 to {n:,}", got=k)
    directions = unit(vectors)
    first, least = farthest_first(directions, k)
    chosen = _exchanged(directions, first, seed)
    nearest = distances_to(directions, chosen).min(axis=0)
    rng = generator(seed, "random choices of clips")
    radii = [
        distances_to(directions, rng.choice(n, k, replace=False)).min(axis=0).max()
        for _ in range(RANDOM_CHOICES)
    ]
    low, high = np.percentile(radii, (2.5, 97.5)).tolist()
    return Covering(
        np.sort(chosen), float(nearest.max()), float(nearest.mean()), least,
        float(np.mean(radii)), (low, high), RANDOM_CHOICES,
    )  # fmt: skip


def farthest_first(directions: Float64[np.ndarray, "n d"], k: int) -> tuple[Int[np.ndarray, " k"], float]:
    """Farthest-first traversal from the clip nearest to the mean direction: always the clip farthest from those before.

    Returns:
        (k,) positions; and a radius that no choice of k clips can be below. (k + 1 clips that are all a chord c apart cannot
        share k centres unless one centre is c/2 or more from a clip: a quarter of the cosine distance.)
    """
    start = int(np.argmax(directions @ directions.mean(axis=0)))
    chosen = [start]
    nearest = _from(directions, start)
    for _ in range(k - 1):
        left = nearest.copy()
        left[chosen] = -1
        chosen.append(int(np.argmax(left)))
        nearest = np.minimum(nearest, _from(directions, chosen[-1]))
    return np.array(chosen), float(nearest.max()) / 4


def distances_to(
    directions: Float64[np.ndarray, "n d"], chosen: Int[np.ndarray, " k"]
) -> Float64[np.ndarray, "k n"]:
    """Cosine distance of every clip to each of those at ``chosen``."""
    found: Float64[np.ndarray, "k n"] = np.maximum(1 - directions[chosen] @ directions.T, 0)
    found[np.arange(len(chosen)), chosen] = 0
    return found


def _exchanged(
    directions: Float64[np.ndarray, "n d"], chosen: Int[np.ndarray, " k"], seed: int
) -> Int[np.ndarray, " k"]:
    """Exchange one chosen clip for another, as long as the radius, or at the same radius the mean distance, gets smaller."""
    chosen, rng = chosen.copy(), generator(seed, "clips tried in exchanges")
    table = distances_to(directions, chosen)
    state = _Nearest(table, chosen)
    for _ in range(_MOST_ROUNDS):
        before = state
        for candidate in rng.permutation(len(directions))[:_TRIED]:
            if candidate in chosen:
                continue
            row = _from(directions, int(candidate))
            place = state.better_without(row)
            if place is not None:
                chosen[place], table[place] = candidate, row
                state = _Nearest(table, chosen)
        if state is before:
            break
    return chosen


class _Nearest:
    """For every clip, how far its nearest and second nearest chosen ones are: what an exchange changes."""

    def __init__(self, table: Float64[np.ndarray, "k n"], chosen: Int[np.ndarray, " k"]) -> None:
        self.k = k = len(chosen)
        self.owner = table.argmin(axis=0)
        self.owner[chosen] = np.arange(k)  # so that copies of a clip each own themselves
        self.first = table[self.owner, np.arange(table.shape[1])]
        rest = table.copy()
        rest[self.owner, np.arange(table.shape[1])] = np.inf
        self.second = rest.min(axis=0)
        self.radius, self.mean = float(self.first.max()), float(self.first.mean())
        self.by_owner = np.argsort(self.owner, kind="stable")
        self.begins = np.searchsorted(self.owner[self.by_owner], np.arange(k))

    def better_without(self, row: Float64[np.ndarray, " n"]) -> int | None:
        """Which chosen clip to exchange for one at distances ``row`` from all clips; None if no exchange is better."""
        kept, lost = np.minimum(row, self.first), np.minimum(row, self.second)
        means = (kept.sum() + np.bincount(self.owner, lost - kept, self.k)) / len(row)
        kept_most, lost_most = (np.maximum.reduceat(x[self.by_owner], self.begins) for x in (kept, lost))
        top = int(kept_most.argmax())
        others = np.full(self.k, kept_most[top])
        others[top] = np.delete(kept_most, top).max(initial=0.0)
        radii = np.maximum(others, lost_most)
        best = int(np.lexsort((means, np.round(radii / _EQUAL)))[0])
        smaller = radii[best] < self.radius - _EQUAL
        nearer = radii[best] <= self.radius + _EQUAL / 2 and means[best] < self.mean - _EQUAL
        return best if smaller or nearer else None


def _from(directions: Float64[np.ndarray, "n d"], clip: int) -> Float64[np.ndarray, " n"]:
    row: Float64[np.ndarray, " n"] = distances_to(directions, np.array([clip]))[0]
    return row
