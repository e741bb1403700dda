"""Adaptive triplets: those whose answers existing judgments foretell least."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np

from bgs._rng import generator
from bgs._typing import Float, Int
from bgs.collection.design.balanced import balanced_triplets
from bgs.judgments import Trials, ordinal_embedding
from bgs.judgments.trials import kept_pair_distances

_MEMBERS, _DIMENSIONS, _PENALTY = 8, 5, 1.0


def people_ensemble(
    trials: Trials, seed: int, members: int = _MEMBERS, dimensions: int = _DIMENSIONS
) -> Float[np.ndarray, "k n n"]:
    """(members, n, n) distances in log odds of ordinal embeddings, each of a bootstrap sample of the judgments.

    Where they differ, the judgments do not settle how alike two clips are. NaN for clips that a sample does not show, and
    between sets of clips that it does not link (train and test clips, say).
    """
    judgments = trials.judgments
    rng, rows = generator(seed, "design", "ensemble"), np.arange(len(judgments))
    found = np.full((members, trials.n_stimuli, trials.n_stimuli), np.nan)
    for member in range(members if len(rows) else 0):
        drawn = _resampled(judgments, rng.choice(rows, len(rows)))
        for clips in _linked(drawn):
            fit = ordinal_embedding(
                drawn.among(clips), dimensions=min(dimensions, len(clips) - 1), penalty=_PENALTY, starts=1
            )
            found[member, clips[:, None], clips] = fit.rdm()
    return found


def _linked(trials: Trials) -> list[Int[np.ndarray, " _"]]:
    """Ascending positions of each set of clips that chains of trials link."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    n, (first, second, third) = trials.n_stimuli, trials.stimuli.T
    cells = np.concatenate([first, first]), np.concatenate([second, third])
    links = csr_array((np.ones(len(cells[0])), cells), shape=(n, n))
    label = connected_components(links, directed=False)[1]
    return [np.flatnonzero(label == one) for one in np.unique(label[trials.stimuli])]


def _resampled(trials: Trials, rows: Int[np.ndarray, " m"]) -> Trials:
    picked = {
        field.name: getattr(trials, field.name)[rows] for field in fields(trials) if field.name != "n_stimuli"
    }
    return Trials(**picked, n_stimuli=trials.n_stimuli)


def information(
    rdms: Float[np.ndarray, "k n n"], triplets: Int[np.ndarray, "t 3"]
) -> Float[np.ndarray, " t"]:
    """(t,) expected information of an answer, in nats: between 0 and ln 3.

    Of three clips, the pair at distance d is kept with probability softmax(−d). With several matrices: the entropy of
    their mean prediction minus the mean of their entropies, which is what the answer says about which of them is right
    (Houlsby et al. 2011); with one, the entropy of its prediction. ln 3 where a distance is unknown.

    Args:
        rdms: (k, n, n) distances in log odds.
        triplets: (t, 3) distinct clips.
    """
    distances = np.stack([kept_pair_distances(rdm, triplets) for rdm in rdms])
    chances = np.exp(distances.min(axis=-1, keepdims=True) - distances)
    chances /= chances.sum(axis=-1, keepdims=True)
    gain = _entropy(chances.mean(axis=0))
    if len(rdms) > 1:
        gain = gain - _entropy(chances).mean(axis=0)
    return np.where(np.isnan(gain), math.log(3.0), gain)


def _entropy(chances: Float[np.ndarray, "*t 3"]) -> Float[np.ndarray, "*t"]:
    logs = np.log(chances, out=np.zeros_like(chances), where=chances != 0)  # keeps NaN
    entropy: Float[np.ndarray, "*t"] = -(chances * logs).sum(axis=-1)
    return entropy


def informative_triplets(
    rdms: Float[np.ndarray, "k n n"],
    n: int,
    rng: np.random.Generator,
    random_share: float = 0.25,
    candidates: int = 10,
) -> Int[np.ndarray, "t 3"]:
    """n triplets, in random order: each the most informative of so many candidates, or balanced random.

    Choosing among few candidates keeps a batch diverse: the most informative triplets of all are nearly the same.

    Args:
        rdms: (k, n_clips, n_clips) distances in log odds, from :func:`people_ensemble` or of one embedding.
        n: number of triplets.
        rng: random generator.
        random_share: proportion of balanced random triplets, 0–1.
        candidates: balanced random triplets to choose from, at least 2.
    """
    n_clips, n_random = rdms.shape[1], round(random_share * n)
    pool = balanced_triplets(n_clips, (n - n_random) * candidates, rng)
    gain = information(rdms, pool).reshape(-1, candidates)
    best = np.arange(n - n_random) * candidates + gain.argmax(axis=1)
    return rng.permutation(np.concatenate([pool[best], balanced_triplets(n_clips, n_random, rng)]))
