"""The high and the low side of a pool: clips that are far enough apart in one number, whoever is paired with whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bgs._typing import Bool, Float64, Int

#: Rounding error, as a fraction of the gap.
_SLACK = 1e-9


@dataclass(frozen=True)
class Sides:
    """Positions of the clips on either side of a gap.

    Attributes:
        high, low: positions of the clips above and below it.
        middle: of the gap.
    """

    high: Int[np.ndarray, " a"]
    low: Int[np.ndarray, " b"]
    middle: float

    @property
    def most(self) -> int:
        """How many pairs there can be at most."""
        return min(len(self.high), len(self.low))


def sides(values: Float64[np.ndarray, " n"], gap: float) -> Sides:
    """Put a gap where the smaller of the two sides has the most clips; then where both have; then nearest to the median.

    Args:
        values: (n,) a number per clip.
        gap: width, in the same unit.
    """
    ordered, half = np.sort(values), gap / 2
    slack = _SLACK * max(gap, float(np.abs(values).max()))
    places = np.concatenate([values + half, values - half])
    above = len(values) - np.searchsorted(ordered, places + half - slack, side="left")
    below = np.searchsorted(ordered, places - half + slack, side="right")
    fewest = np.minimum(above, below)
    counted = fewest * (2 * len(values) + 1) + above + below
    best = np.flatnonzero(counted == counted.max())
    middle = float(places[best[np.argmin(np.abs(places[best] - np.median(values)))]])
    high, low = values >= middle + half - slack, values <= middle - half + slack
    if gap <= 0:
        low = ~high
    return Sides(np.flatnonzero(high), np.flatnonzero(low), middle)


def within(
    high: Float64[np.ndarray, "a d"], low: Float64[np.ndarray, "b d"], caliper: float
) -> Bool[np.ndarray, "a b"]:
    """Which pairs differ by no more than the caliper in any of d numbers."""
    allowed = np.ones((len(high), len(low)), dtype=bool)
    for mine, theirs in zip(high.T, low.T, strict=True):
        allowed &= np.abs(mine[:, None] - theirs) <= caliper
    return allowed
