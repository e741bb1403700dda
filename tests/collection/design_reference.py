"""Slow, readable versions of what bgs.collection computes at once."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np


def balanced(n_clips: int, n: int, rng: np.random.Generator) -> list[list[int]]:
    """Deal shuffled decks, three clips at a time; a deck's top clip that is already in the hand goes further down."""
    decks = [list(range(n_clips)) for _ in range(-(-3 * n // n_clips))]
    for deck in decks:
        rng.shuffle(deck)
    dealt: list[list[int]] = [[]]
    for deck in decks:
        rest, top = set(dealt[-1]), 3 - len(dealt[-1])
        if rest:
            lower = [place for place in range(top, n_clips) if deck[place] not in rest]
            for place in range(top):
                if deck[place] in rest:
                    other = lower.pop(0)
                    deck[place], deck[other] = deck[other], deck[place]
        for clip in deck:
            dealt[-1].append(clip)
            if len(dealt[-1]) == 3:
                dealt.append([])
    return dealt[:n]


def pair_times(triplets: np.ndarray, n_clips: int) -> np.ndarray:
    """(n, n) times that two clips are in one triplet."""
    times = np.zeros((n_clips, n_clips), dtype=int)
    for triplet in triplets.tolist():
        for a, b in combinations(triplet, 2):
            times[a, b] += 1
            times[b, a] += 1
    return times


def bose(k: int) -> set[frozenset[tuple[int, int]]]:
    """Bose's system of 6k + 3 points (x, i), x modulo 2k + 1 and i modulo 3, as it is printed."""
    m = 2 * k + 1
    triples = {frozenset((x, i) for i in range(3)) for x in range(m)}
    for x, y in combinations(range(m), 2):
        half = next(z for z in range(m) if 2 * z % m == (x + y) % m)
        triples |= {frozenset([(x, i), (y, i), (half, (i + 1) % 3)]) for i in range(3)}
    return triples


def skolem(k: int) -> set[frozenset[tuple[int, int]]]:
    """Skolem's system of 6k + 1 points: (x, i), x modulo 2k, and infinity, here (−1, −1)."""
    m = 2 * k
    triples = {frozenset((x, i) for i in range(3)) for x in range(k)}
    triples |= {frozenset([(-1, -1), (x + k, i), (x, (i + 1) % 3)]) for x in range(k) for i in range(3)}
    for x, y in combinations(range(m), 2):
        total = (x + y) % m
        half = total // 2 if total % 2 == 0 else k + (total - 1) // 2
        triples |= {frozenset([(x, i), (y, i), (half, (i + 1) % 3)]) for i in range(3)}
    return triples


def information(rdms: np.ndarray, triplet: list[int]) -> float:
    """Expected information of one answer, term by term."""
    a, b, c = triplet
    predictions = []
    for rdm in rdms:
        weights = [math.exp(-rdm[b, c]), math.exp(-rdm[a, c]), math.exp(-rdm[a, b])]
        predictions.append([weight / sum(weights) for weight in weights])
    mean = [sum(chances) / len(predictions) for chances in zip(*predictions, strict=True)]
    if len(predictions) == 1:
        return entropy(mean)
    return entropy(mean) - sum(map(entropy, predictions)) / len(predictions)


def entropy(chances: list[float]) -> float:
    return -sum(p * math.log(p) for p in chances if p > 0)


def ranks(block: np.ndarray, key: np.ndarray) -> list[int]:
    """Rank of each key among those of its block."""
    return [
        sum(other < mine for other, where in zip(key, block, strict=True) if where == here)
        for mine, here in zip(key, block, strict=True)
    ]
