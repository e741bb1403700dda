"""Triplets, noisy choices, attention checks and response times of simulated observers."""

from __future__ import annotations

import numpy as np

from bgs._typing import Bool, Float, Int
from bgs.judgments.trials import KEPT_PAIR


def distinct_triplets(n: int, n_clips: int, rng: np.random.Generator) -> Int[np.ndarray, "n 3"]:
    """n uniform draws of three distinct positions below ``n_clips``, which is at least 3."""
    first, second, third = (rng.integers(n_clips - k, size=n) for k in range(3))
    second += second >= first
    low, high = np.minimum(first, second), np.maximum(first, second)
    third += third >= low
    third += third >= high
    return np.column_stack([first, second, third])


def split_triplets(
    in_test: Bool[np.ndarray, " n"], test: Bool[np.ndarray, " s"], rng: np.random.Generator
) -> Int[np.ndarray, "n 3"]:
    """(n, 3) three distinct clips per trial, either all test clips or none, to avoid leakage.

    Args:
        in_test: (n,) trials with test clips.
        test: (s,) the test clips. A side with trials needs at least three clips.
        rng: random generator.
    """
    shown = np.empty((len(in_test), 3), dtype=np.int64)
    for trials, clips in ((in_test, test), (~in_test, ~test)):
        if clips.sum() >= 3:
            order = rng.permutation(np.flatnonzero(clips))
            shown[trials] = order[distinct_triplets(int(trials.sum()), len(order), rng)]
    return shown


def latent_distances(latents: Float[np.ndarray, "n 3 d"]) -> Float[np.ndarray, "n 3"]:
    """(n, 3) distance of the pair that is kept together when slot 0, 1 or 2 is odd.

    Args:
        latents: (n, 3, d) positions of the three clips of each trial.
    """
    pairs = [latents[:, first] - latents[:, second] for first, second in KEPT_PAIR]
    return np.column_stack([np.linalg.norm(pair, axis=1) for pair in pairs])


def choose_odd(
    latents: Float[np.ndarray, "n 3 d"], temperature: float, rng: np.random.Generator
) -> Int[np.ndarray, " n"]:
    """(n,) odd slots: the pair at distance d is kept together with probability softmax(−d / temperature).

    Args:
        latents: (n, 3, d) positions of the three clips of each trial.
        temperature: above 0; as it approaches 0, the nearest pair is always kept.
        rng: random generator.
    """
    distance = latent_distances(latents)
    # Gumbel-max trick: the argmax of utilities with Gumbel noise is a draw from their softmax
    utility = -distance / temperature + rng.gumbel(size=distance.shape)
    odd: Int[np.ndarray, " n"] = utility.argmax(axis=1)
    return odd


def attention_checks(
    shown: Int[np.ndarray, "c 3"], pass_rate: float | Float[np.ndarray, " c"], rng: np.random.Generator
) -> tuple[Int[np.ndarray, "c 3"], Int[np.ndarray, " c"]]:
    """Show the first clip of each trial twice, in random slots.

    Args:
        shown: (c, 3) distinct clips of each trial.
        pass_rate: probability that the clip shown once is chosen, for all trials or for each.
        rng: random generator.

    Returns:
        (c, 3) clips shown instead, and (c,) the slot chosen as odd.
    """
    order = rng.permuted(np.tile(np.arange(3), (len(shown), 1)), axis=1)
    doubled = shown[:, [0, 0, 2]]
    chosen = np.where(rng.random(len(shown)) < pass_rate, 2, 0)
    return np.take_along_axis(doubled, order, axis=1), np.argmax(order == chosen[:, None], axis=1)


def draw_odd(chances: Float[np.ndarray, "n 3"], rng: np.random.Generator) -> Int[np.ndarray, " n"]:
    """(n,) odd slots drawn with the given probabilities, which sum to 1 over slots."""
    below = chances.cumsum(axis=1)[:, :2]
    odd: Int[np.ndarray, " n"] = (rng.random(len(chances))[:, None] > below).sum(axis=1)
    return odd


def choice_entropy(chances: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
    """(n,) −Σ p ln p / ln 3: 0 if the answer is certain, 1 if all three are equally likely."""
    logs = np.log(chances, out=np.zeros_like(chances), where=chances > 0)
    entropy: Float[np.ndarray, " n"] = np.clip(-(chances * logs).sum(axis=1) / np.log(3), 0.0, 1.0)
    return entropy
