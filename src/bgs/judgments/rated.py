"""Geometry from ratings: clips are similar if people's label distributions are similar.

Training uses ``Geometry.from_rdm(rdm, draw_trials(rdm, …), positions)``.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from bgs._errors import ConfigError, DataError
from bgs._rdm import require_rdm
from bgs._rng import generator
from bgs._typing import Float, Int
from bgs.judgments.trials import Trials, kept_pair_distances

#: Participant name of drawn trials, so that they cannot be mistaken for human judgments.
DRAWN = "drawn from ratings"


def label_distributions(votes: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
    """Proportion of raters who chose each of k labels, from counts or proportions.

    Raises:
        DataError: a negative or missing number, or a stimulus that nobody rated.
    """
    totals = votes.sum(axis=1)
    bad = np.flatnonzero(~np.isfinite(votes).all(axis=1) | (votes < 0).any(axis=1) | (totals <= 0))
    if len(bad):
        raise DataError(
            "not a distribution of labels", where=f"stimulus {int(bad[0])}",
            expected="numbers ≥ 0, not all 0", got=votes[bad[0]].tolist(),
        )  # fmt: skip
    shares: Float[np.ndarray, "n k"] = votes / totals[:, None]
    return shares


def hellinger_rdm(votes: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n n"]:
    """Hellinger distances between label distributions.

    sqrt(1 − Σ sqrt(p q)): 0 for equal distributions, 1 for those that share no label.

    Args:
        votes: (n, k) counts or proportions of k labels.

    Returns:
        (n, n) floats in 0–1, exactly symmetric, 0 on the diagonal.

    Raises:
        DataError: see :func:`label_distributions`.
    """
    roots = np.sqrt(label_distributions(votes))
    # Half the distance between the roots is the same, and exactly 0 where 1 − Σ would be rounding noise. Row by row:
    # all differences at once take n² · k numbers, 340 MB for 1,156 clips and 32 labels.
    rdm: Float[np.ndarray, "n n"] = np.stack(
        [np.sqrt(((root - roots) ** 2).sum(axis=1) / 2) for root in roots]
    )
    return rdm


def choice_probabilities(
    rdm: Float[np.ndarray, "n n"], triplets: Int[np.ndarray, "t 3"], temperature: float
) -> Float[np.ndarray, "t 3"]:
    """(t, 3) probability that each stimulus is the odd one: softmax of minus the distance of the other two.

    Raises:
        ConfigError: the temperature is not above 0.
    """
    return softmax_choice(kept_pair_distances(rdm, triplets), temperature)


def softmax_choice(distance: Float[np.ndarray, "t 3"], temperature: float) -> Float[np.ndarray, "t 3"]:
    """(t, 3) softmax(−distance / temperature) over the three pairs of each trial.

    Raises:
        ConfigError: the temperature is not above 0.
    """
    if not temperature > 0:
        raise ConfigError("impossible temperature", expected="above 0", got=temperature)
    weight = np.exp(-(distance - distance.min(axis=1, keepdims=True)) / temperature)
    chances: Float[np.ndarray, "t 3"] = weight / weight.sum(axis=1, keepdims=True)
    return chances


def draw_trials(rdm: Float[np.ndarray, "n n"], n_trials: int, seed: int, temperature: float = 0.1) -> Trials:
    """Simulate odd-one-out trials of a noisy observer of a geometry.

    Triplets of distinct stimuli are drawn without replacement; if there are not enough, every triplet is shown equally often
    (up to one). The odd one is drawn from :func:`choice_probabilities`. The result depends only on ``seed``.

    Args:
        rdm: (n, n) distances, all known.
        n_trials: number of trials, ≥ 1.
        seed: seed.
        temperature: temperature of the choice, > 0; as it approaches 0, the closest pair is always kept.

    Raises:
        DataError: fewer than three stimuli, or a distance is missing.
        ConfigError: number of trials or temperature is out of range.
    """
    require_rdm(rdm, "rdm")
    n = len(rdm)
    if n < 3 or not np.isfinite(rdm).all():
        raise DataError(
            "cannot draw trials", expected="known distances of at least 3 stimuli", got=f"{n} stimuli"
        )
    if n_trials < 1:
        raise ConfigError("invalid number of trials", expected="at least 1", got=n_trials)
    random = generator(seed, "rated", "trials")
    triplets = _draw_triplets(n, n_trials, random)
    chances = choice_probabilities(rdm, triplets, temperature).cumsum(axis=1)
    odd = (random.random(n_trials)[:, None] > chances[:, :2]).sum(axis=1)
    return Trials(
        participant=np.full(n_trials, DRAWN),
        block=np.full(n_trials, f"seed {seed}"),
        trial=np.arange(n_trials),
        stimuli=triplets,
        odd=odd,
        rt=np.full(n_trials, np.nan),
        n_stimuli=n,
    )


def _draw_triplets(n: int, n_trials: int, random: np.random.Generator) -> Int[np.ndarray, "t 3"]:
    """Distinct triplets as long as there are enough, with random order of trials and slots."""
    every = n * (n - 1) * (n - 2) // 6
    rounds, rest = divmod(n_trials, every)
    if every <= 4 * n_trials:
        table = np.array(list(combinations(range(n), 3)))
        picked = np.concatenate([np.tile(np.arange(every), rounds), random.permutation(every)[:rest]])
        chosen = table[random.permutation(picked)]
    else:
        chosen = _distinct_triplets(n, n_trials, random)
    return random.permuted(chosen, axis=1)


def _distinct_triplets(n: int, wanted: int, random: np.random.Generator) -> Int[np.ndarray, "t 3"]:
    """A few of very many triplets, by rejection sampling: repeated ones are drawn again."""
    seen: dict[tuple[int, ...], None] = {}
    while len(seen) < wanted:
        drawn = np.sort(random.integers(n, size=(2 * wanted, 3)), axis=1)
        distinct = drawn[(drawn[:, 0] < drawn[:, 1]) & (drawn[:, 1] < drawn[:, 2])]
        seen |= dict.fromkeys(map(tuple, distinct.tolist()))
    return np.array(list(seen)[:wanted])
