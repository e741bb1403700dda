"""k clips that cover a space: near the best possible, and nearer than random choices."""

from __future__ import annotations

import numpy as np
import pytest

from bgs._errors import ConfigError
from bgs.library.selecting.covering import cover, distances_to, farthest_first
from bgs.library.selecting.reference import smallest_radius
from bgs.library.selecting.variables import unit


def scattered(n: int, seed: int, d: int = 6) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(n, d)))


@pytest.mark.parametrize("seed", range(8))
def test_the_guarantee_holds_against_every_choice(seed):
    points = scattered(11, seed, d=3)
    best = smallest_radius(points, 3)
    first, least = farthest_first(points, 3)
    greedy = distances_to(points, first).min(axis=0).max()
    found = cover(points, 3)
    assert least <= best + 1e-9
    assert best - 1e-9 <= found.radius <= greedy + 1e-9 <= 4 * best + 1e-6


def test_exchanges_find_the_best_choice_of_tiny_pools_nearly_always():
    pools = [scattered(10, 100 + seed, d=3) for seed in range(12)]
    best = [cover(points, 3).radius <= smallest_radius(points, 3) + 1e-9 for points in pools]
    assert np.mean(best) >= 0.5


def test_it_covers_more_tightly_than_random_choices():
    found = cover(scattered(150, 0), 20)
    assert len(set(found.chosen.tolist())) == 20
    assert found.least <= found.radius < found.random_interval[0]
    nearest = distances_to(scattered(150, 0), found.chosen).min(axis=0)
    assert found.radius == pytest.approx(nearest.max())
    assert found.mean_distance == pytest.approx(nearest.mean())


def test_copies_and_the_whole_pool():
    points = scattered(6, 1)[[0, 0, 1, 2, 2, 3]]
    found = cover(points, 6)
    assert found.chosen.tolist() == list(range(6))
    assert found.radius == pytest.approx(0, abs=1e-12)
    assert cover(points, 4).radius == pytest.approx(0, abs=1e-12)
    assert len(cover(points, 1).chosen) == 1


@pytest.mark.parametrize("k", [0, 13])
def test_so_many_clips_there_are_not(k):
    with pytest.raises(ConfigError, match="1 to 12"):
        cover(scattered(12, 0), k)
