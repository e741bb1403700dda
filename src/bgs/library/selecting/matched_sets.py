"""Two sets of clips that differ in one number and are matched, pair by pair, in other variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bgs._errors import ConfigError, DataError
from bgs._typing import Bool, Float64, Int
from bgs.library.selecting.matching import even_pairs, most_pairs, squared_distances
from bgs.library.selecting.sides import Sides, sides, within
from bgs.library.selecting.variables import Variable, side_by_side

#: Clips of a side that are matched; of a larger pool, those nearest to the other side.
MOST = 600
#: Widest gap and caliper that are tried to say what would be possible, in standard deviations.
_WIDEST = 6.0
#: Standard deviations that can be asked for.
_FARTHEST = 1000


@dataclass(frozen=True)
class SetSettings:
    """What is asked of two sets.

    Attributes:
        pairs: m, number of clips of each set, at least 2.
        gap: every clip of one set is at least this far above every clip of the other, in standard deviations of the pool.
        caliper: no pair differs by more than this in any matched number, in standard deviations of the pool.

    Raises:
        ConfigError: a number is out of range.
    """

    pairs: int
    gap: float = 1.0
    caliper: float = 0.5

    def __post_init__(self) -> None:
        if self.pairs < 2:
            raise ConfigError(
                "too few clips for two sets", where="k", expected="4 or more", got=2 * self.pairs
            )
        for name, value in (("gap", self.gap), ("caliper", self.caliper)):
            if not 0 <= value <= _FARTHEST:
                raise ConfigError(
                    "out of range", where=name, expected=f"0 to {_FARTHEST:,} standard deviations", got=value
                )


@dataclass(frozen=True)
class MatchedSets:
    """Two sets, pair by pair.

    Attributes:
        high, low: (m,) positions of the clips; those at the same place are a pair.
        above, below: positions of all clips that could have been in either.
        gap: that was asked, in the unit of the number in which they differ.
    """

    high: Int[np.ndarray, " m"]
    low: Int[np.ndarray, " m"]
    above: Int[np.ndarray, " a"]
    below: Int[np.ndarray, " b"]
    gap: float


def choose_sets(
    asked: Variable, matched: Sequence[Variable], settings: SetSettings, space: Variable | None = None
) -> MatchedSets:
    """Choose two sets that are a gap apart in one number and matched in other variables.

    Every matched variable has the same weight. Numbers are also held within the caliper in every pair.

    Args:
        asked: the number in which the sets differ.
        matched: what they are matched in, at least one.
        settings: how many clips, how far apart, how near.
        space: where the two clips of a pair should be far apart; it has as much weight as all that is matched.

    Raises:
        ConfigError: ``asked`` is a profile, or nothing is matched.
        DataError: the pool has no such sets; the message says what would be possible.
    """
    if not asked.is_number:
        raise ConfigError(
            "sets differ in a number", where=asked.name, expected="a number per clip", got="a profile"
        )
    if not matched:
        raise ConfigError("nothing to match", expected="at least one variable")
    pool = _Pool(asked, matched)
    split, allowed = pool.pairs_within(settings)
    if most_pairs(allowed) < settings.pairs:
        raise _impossible(pool, settings, most_pairs(allowed))
    parts = [one.standardised for one in matched]
    worth = None
    if space is not None:
        far = squared_distances(space.standardised[split.high], space.standardised[split.low])
        worth = len(matched) * far
    rows, columns = even_pairs(
        [part[split.high] for part in parts],
        [part[split.low] for part in parts],
        allowed,
        settings.pairs,
        worth,
    )
    order = np.argsort(-asked.values[split.high[rows], 0], kind="stable")
    whole = pool.split(settings.gap)
    return MatchedSets(
        split.high[rows[order]], split.low[columns[order]], whole.high, whole.low, settings.gap * asked.spread
    )


class _Pool:
    """The clips as the search sees them."""

    def __init__(self, asked: Variable, matched: Sequence[Variable]) -> None:
        numbers = [one.standardised for one in matched if one.is_number]
        self.value = asked.standardised[:, 0]
        self.features = side_by_side(matched)
        self.numbers = np.concatenate(numbers, axis=1) if numbers else np.empty((len(self.value), 0))

    def split(self, gap: float) -> Sides:
        return sides(self.value, gap)

    def pairs_within(self, settings: SetSettings) -> tuple[Sides, Bool[np.ndarray, "a b"]]:
        """The two sides, and which pairs of them the caliper allows."""
        split = self.split(settings.gap)
        most = max(MOST, 4 * settings.pairs)
        high, low = (
            _nearest(self.features, split.high, split.low, most),
            _nearest(self.features, split.low, split.high, most),
        )
        kept = replace(split, high=high, low=low)
        return kept, within(self.numbers[high], self.numbers[low], settings.caliper)

    def possible(self, settings: SetSettings) -> bool:
        split, allowed = self.pairs_within(settings)
        return split.most >= settings.pairs and most_pairs(allowed) >= settings.pairs


def _nearest(
    features: Float64[np.ndarray, "n d"], side: Int[np.ndarray, " a"], other: Int[np.ndarray, " b"], most: int
) -> Int[np.ndarray, " c"]:
    """All clips of a side; of more than ``most``, those with the nearest neighbours on the other side."""
    if len(side) <= most or not len(other):
        return side
    squares = (features[other] ** 2).sum(axis=1)
    near = np.array(
        [(squares - 2 * features[other] @ features[i]).min() + features[i] @ features[i] for i in side]
    )
    return side[np.sort(np.argsort(near, kind="stable")[:most])]


def _impossible(pool: _Pool, settings: SetSettings, found: int) -> DataError:
    """What was asked, what there is, and the nearest that would be possible."""
    ways = [f"-k {2 * found}"] if found >= 2 else []
    gap = _hundredths(lambda x: pool.possible(replace(settings, gap=x)), settings.gap, 0.0)
    if gap is not None:
        ways.append(f"--gap {gap:.2f}")
    caliper = _hundredths(lambda x: pool.possible(replace(settings, caliper=x)), settings.caliper, _WIDEST)
    if caliper is not None:
        ways.append(f"--caliper {caliper:.2f}")
    return DataError(
        "the pool has no such sets",
        expected=f"{settings.pairs} pairs at least {settings.gap:g} SD apart that differ by at most {settings.caliper:g} SD in "
        "what is matched",
        got=f"{found} pairs", hint=f"possible: {' or '.join(ways)}" if ways else "a larger pool is needed",
    )  # fmt: skip


def _hundredths(works: Callable[[float], bool], asked: float, easiest: float) -> float | None:
    """By bisection, the value nearest to what was asked that works, in hundredths; None if the easiest does not either."""
    if not works(easiest):
        return None
    direction = 1 if easiest > asked else -1
    bad, good = 0, int(np.ceil(abs(easiest - asked) * 100))
    base = np.floor(asked * 100) if direction < 0 else np.ceil(asked * 100)
    while good - bad > 1:
        middle = (good + bad) // 2
        if works(max((base + direction * middle) / 100, 0.0)):
            good = middle
        else:
            bad = middle
    return float(max((base + direction * good) / 100, 0.0))
