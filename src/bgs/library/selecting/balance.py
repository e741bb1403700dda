"""How far two sets are apart, before and after matching: standardised differences, a permutation test, equivalence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from bgs._rng import generator
from bgs._typing import Float, Float64, Int
from bgs.library.selecting.matched_sets import MatchedSets
from bgs.library.selecting.variables import Variable, unit

#: Sets count as equivalent if their difference is, with 95 % confidence on either side, smaller than this (in SD).
BOUND = 0.2
PERMUTATIONS = 9_999
_EQUAL = 1e-12


@dataclass(frozen=True)
class BalanceRow:
    """One matched variable. Differences are high − low, in standard deviations of the pool; of a profile, the length of the
    difference between the mean profiles, which is never negative.

    Attributes:
        name: of the variable.
        number: whether it is a number, not a profile.
        before: difference between all clips that could have been in either set.
        after: difference between the sets.
        low, high: 90 % interval of ``after`` over pairs (t); NaN for a profile.
        equivalent: whether the interval lies within ±BOUND (two one-sided tests at .05; Schuirmann 1987, J Pharmacokinet Biopharm
            15:657); None for a profile.
        chance: root mean square of ``after`` when the two clips of each pair are put into the sets at random.
        p: two-sided, of that permutation test.
        in_pairs: root mean square difference within pairs.
    """

    name: str
    number: bool
    before: float
    after: float
    low: float
    high: float
    equivalent: bool | None
    chance: float
    p: float
    in_pairs: float

    def to_json(self) -> dict[str, Any]:
        """JSON types only: None where a number is undefined."""
        return {key: None if value != value else value for key, value in asdict(self).items()}


@dataclass(frozen=True)
class Difference:
    """What was asked, and what came.

    Attributes:
        name: of the number in which the sets differ.
        value, low, high: mean of high − low over pairs, and its 95 % interval (t), in the number's own unit.
        asked: the least that any two clips of the sets should differ by.
        least: the least that any two clips of the sets differ by.
        pairs: n.
        in_sd: ``value`` in standard deviations of the pool.
    """

    name: str
    value: float
    low: float
    high: float
    asked: float
    least: float
    pairs: int
    in_sd: float

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return asdict(self)


@dataclass(frozen=True)
class PairDistance:
    """A model's cosine distances, 0 to 2.

    Attributes:
        model: whose.
        value, low, high: mean within pairs, and its 95 % interval (t).
        pool: mean over all pairs of clips of the pool.
    """

    model: str
    value: float
    low: float
    high: float
    pool: float

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return asdict(self)


def compare_sets(variables: Sequence[Variable], sets: MatchedSets, seed: int = 0) -> tuple[BalanceRow, ...]:
    """Compare two sets in each variable.

    The test permutes which clip of a pair is in which set (all pairs at random, 9,999 times). It is stricter than permuting
    all clips: pairs are alike, so that a small difference that all of them share is seen.
    """
    return tuple(_row(one, sets, seed) for one in variables)


def difference_in(asked: Variable, sets: MatchedSets) -> Difference:
    """How far two sets are apart in the number that was asked for."""
    values = asked.values[:, 0].astype(np.float64)
    apart = values[sets.high] - values[sets.low]
    low, high = _interval(apart, 0.95)
    mean, least = float(apart.mean()), float(values[sets.high].min() - values[sets.low].max())
    return Difference(asked.name, mean, low, high, sets.gap, least, len(apart), mean / asked.spread)


def distance_in_pairs(model: str, vectors: Float[np.ndarray, "n d"], sets: MatchedSets) -> PairDistance:
    """How far the two clips of a pair are apart for a model.

    Args:
        model: its name.
        vectors: (n, d) centred embeddings of the pool.
        sets: the pairs.
    """
    directions = unit(vectors)
    n, total = len(directions), directions.sum(axis=0)
    apart = 1 - (directions[sets.high] * directions[sets.low]).sum(axis=1)
    low, high = _interval(apart, 0.95)
    itself = float((directions**2).sum())
    return PairDistance(
        model, float(apart.mean()), low, high, 1 - (float(total @ total) - itself) / (n * (n - 1))
    )


def permutation_p_value(
    differences: Float64[np.ndarray, "m d"], seed: int = 0, permutations: int = PERMUTATIONS
) -> float:
    """p-value of the length of a mean difference under random signs of the m differences (two-sided for d = 1).

    p = (1 + #{permuted ≥ observed}) / (1 + permutations), never 0 (Phipson & Smyth 2010).
    """
    inner = differences @ differences.T  # (m, m): the squared length of a signed sum, whatever d is
    observed = float(inner.sum())
    rng, count = generator(seed, "set labels within pairs"), 0
    slack = _EQUAL * float(np.abs(inner).sum())
    for start in range(0, permutations, 1000):
        signs = rng.choice([-1.0, 1.0], size=(min(1000, permutations - start), len(differences)))
        count += int((((signs @ inner) * signs).sum(axis=1) >= observed - slack).sum())
    return (1 + count) / (1 + permutations)


def _row(variable: Variable, sets: MatchedSets, seed: int) -> BalanceRow:
    values = variable.standardised
    apart = values[sets.high] - values[sets.low]
    before, after = _mean_of(values, sets.above) - _mean_of(values, sets.below), apart.mean(axis=0)
    number = variable.is_number
    low, high = _interval(apart[:, 0], 0.90) if number else (math.nan, math.nan)
    squared = float((apart**2).sum(axis=1).mean())
    return BalanceRow(
        name=variable.name,
        number=number,
        before=float(before[0]) if number else float(np.linalg.norm(before)),
        after=float(after[0]) if number else float(np.linalg.norm(after)),
        low=low,
        high=high,
        equivalent=bool(low > -BOUND and high < BOUND) if number else None,
        chance=math.sqrt(squared / len(apart)),
        p=permutation_p_value(apart, seed),
        in_pairs=math.sqrt(squared),
    )


def _mean_of(values: Float64[np.ndarray, "n d"], rows: Int[np.ndarray, " a"]) -> Float64[np.ndarray, " d"]:
    mean: Float64[np.ndarray, " d"] = values[rows].mean(axis=0)
    return mean


def _interval(values: Float64[np.ndarray, " m"], level: float) -> tuple[float, float]:
    """t interval of a mean."""
    m = len(values)
    half = float(stdtrit(m - 1, (1 + level) / 2)) * float(values.std(ddof=1)) / math.sqrt(m)
    mean = float(values.mean())
    return mean - half, mean + half
