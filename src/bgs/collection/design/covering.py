"""Coverings: few triplets in which every pair of clips occurs, from Steiner triple systems.

A Steiner triple system of v points has v (v − 1) / 6 triples that hold every pair exactly once; there is one if and only
if v is 6k + 1 or 6k + 3 (Kirkman 1847; constructions: Bose 1939, Skolem 1958). For other numbers of clips, up to three
points of a larger system are left out. Triples that lose a point are left with a pair; two such pairs that share a clip
become one triplet.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from bgs._typing import Int


def steiner_triples(v: int) -> Int[np.ndarray, "t 3"]:
    """The v (v − 1) / 6 triples of a Steiner system of v = 6k + 1 or 6k + 3 points.

    Points are (x, i) on three levels i of m points, numbered i · m + x, and for 6k + 1 one more, the last.
    """
    m = v // 3  # points on a level: 2k + 1, or 2k
    x, y = np.triu_indices(m, 1)
    middle = (x + y) * (m + 1) // 2 % m if m % 2 else _halved(x + y, m)
    level = np.arange(3)[:, None]
    sloping = np.stack([level * m + x, level * m + y, (level + 1) % 3 * m + middle], axis=-1).reshape(-1, 3)
    upright = np.arange(m if m % 2 else m // 2)
    parts = [np.column_stack([upright, upright + m, upright + 2 * m]), sloping]
    if not m % 2:
        above, below = level * m + upright + m // 2, (level + 1) % 3 * m + upright
        parts.append(np.stack([np.full_like(above, v - 1), above, below], axis=-1).reshape(-1, 3))
    return np.concatenate(parts)


def _halved(total: Int[np.ndarray, " p"], m: int) -> Int[np.ndarray, " p"]:
    """The half-idempotent quasigroup of even order: j for 2j, and m / 2 + j for 2j + 1 (modulo m)."""
    half, odd = np.divmod(total % m, 2)
    product: Int[np.ndarray, " p"] = half + odd * (m // 2)
    return product


@cache
def covering(n_clips: int) -> Int[np.ndarray, "t 3"]:
    """Triplets in which every pair of ``n_clips`` ≥ 3 clips occurs at least once."""
    v = n_clips + (1, 0, 1, 0, 3, 2)[n_clips % 6]
    triples = steiner_triples(v)
    left_out = triples[
        0, : v - n_clips
    ]  # points of one triple, so that only that one loses more than one point
    label = np.full(v, -1)
    label[np.setdiff1d(np.arange(v), left_out)] = np.arange(n_clips)
    triples = np.sort(label[triples], axis=1)
    lost = (triples < 0).sum(axis=1)
    return np.concatenate([triples[lost == 0], _joined(triples[lost == 1, 1:], n_clips)])


def _joined(pairs: Int[np.ndarray, "p 2"], n_clips: int) -> Int[np.ndarray, "t 3"]:
    """Triplets that hold all pairs: two pairs that share a clip become one; pairs left over get another clip."""
    partners: list[set[int]] = [set() for _ in range(n_clips)]
    for a, b in pairs.tolist():
        partners[a].add(b)
        partners[b].add(a)
    found: list[tuple[int, int, int]] = []
    for clip, others in enumerate(partners):
        while len(others) > 1:
            first, second = others.pop(), others.pop()
            partners[first].discard(clip)
            partners[second].discard(clip)
            found.append((clip, first, second))
    for clip, others in enumerate(partners):
        for other in others:
            if clip < other:
                third = next(c % n_clips for c in (other + 1, other + 2) if c % n_clips != clip)
                found.append((clip, other, third))
    return np.array(found, dtype=np.int64).reshape(-1, 3)


def covering_triplets(n_clips: int, n: int, rng: np.random.Generator) -> Int[np.ndarray, "n 3"]:
    """n triplets in rounds, each of which shows every pair at least once; the last round may be incomplete.

    Args:
        n_clips: at least 3.
        n: number of triplets.
        rng: random generator; clips take the roles of a covering at random, anew in every round.
    """
    base = covering(n_clips)
    rounds = [rng.permutation(rng.permutation(n_clips)[base]) for _ in range(-(-n // len(base)))]
    return np.concatenate([*rounds, np.empty((0, 3), dtype=np.int64)])[:n]
