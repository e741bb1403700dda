"""What observers are shown and how they answer: triplets, noisy choices, attention checks, response times."""

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
    """(n, 3) three distinct clips a trial, all of them test clips or none, so that nothing leaks.

    Args:
        in_test: (n,) trials that show test clips.
        test: (s,) the test clips. A side that has trials needs three clips.
        rng: source of the draws.
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
        latents: (n, 3, d) where the three clips of each trial lie.
    """
    pairs = [latents[:, first] - latents[:, second] for first, second in KEPT_PAIR]
    return np.column_stack([np.linalg.norm(pair, axis=1) for pair in pairs])


def choose_odd(
    latents: Float[np.ndarray, "n 3 d"], temperature: float, rng: np.random.Generator
) -> Int[np.ndarray, " n"]:
    """(n,) odd slots: the pair at distance d is kept together with probability softmax(−d / temperature).

    Args:
        latents: (n, 3, d) where the three clips of each trial lie.
        temperature: above 0; towards 0 the nearest pair is always kept.
        rng: source of the choices.
    """
    distance = latent_distances(latents)
    # the greatest of utilities with Gumbel noise is a draw from their softmax
    utility = -distance / temperature + rng.gumbel(size=distance.shape)
    odd: Int[np.ndarray, " n"] = utility.argmax(axis=1)
    return odd


def attention_checks(
    shown: Int[np.ndarray, "c 3"], passing: float | Float[np.ndarray, " c"], rng: np.random.Generator
) -> tuple[Int[np.ndarray, "c 3"], Int[np.ndarray, " c"]]:
    """Show the first clip of each trial twice, in random slots.

    Args:
        shown: (c, 3) distinct clips of each trial.
        passing: probability that the clip shown once is chosen, of all trials or of each.
        rng: source of slots and choices.

    Returns:
        (c, 3) what is shown instead, and (c,) the slot chosen as odd.
    """
    order = rng.permuted(np.tile(np.arange(3), (len(shown), 1)), axis=1)
    doubled = shown[:, [0, 0, 2]]
    chosen = np.where(rng.random(len(shown)) < passing, 2, 0)
    return np.take_along_axis(doubled, order, axis=1), np.argmax(order == chosen[:, None], axis=1)


def draw_odd(chances: Float[np.ndarray, "n 3"], rng: np.random.Generator) -> Int[np.ndarray, " n"]:
    """(n,) odd slots drawn with the given probabilities, which sum to 1 over slots."""
    below = chances.cumsum(axis=1)[:, :2]
    odd: Int[np.ndarray, " n"] = (rng.random(len(chances))[:, None] > below).sum(axis=1)
    return odd


def choice_entropy(chances: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
    """(n,) −Σ p ln p / ln 3: 0 where the answer is certain, 1 where all three are as likely."""
    logs = np.log(chances, out=np.zeros_like(chances), where=chances > 0)
    entropy: Float[np.ndarray, " n"] = np.clip(-(chances * logs).sum(axis=1) / np.log(3), 0.0, 1.0)
    return entropy
