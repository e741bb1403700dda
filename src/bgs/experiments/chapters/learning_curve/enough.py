"""The number of judgments that gives nearly all of what all judgments give."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bgs._codec import Number

#: Share of the gain from all judgments that counts as nearly all of it.
NEARLY_ALL = 0.9


@dataclass(frozen=True)
class Enough:
    """How many judgments are enough.

    Attributes:
        judgments: of the mean curve; NaN where all judgments bring no gain.
        least, most: over the curves of single draws that gain.
        of: all judgments.
        share: of the full gain.
    """

    judgments: Number
    least: Number
    most: Number
    of: Number
    share: Number = NEARLY_ALL


def enough_for(
    judgments: Sequence[float],
    gains: Sequence[float],
    of_draws: Sequence[Sequence[float]],
    share: float = NEARLY_ALL,
) -> Enough:
    """Where a curve of gains first reaches a share of its last value for good.

    Args:
        judgments: ascending sizes.
        gains: mean gain at each.
        of_draws: the same of each draw; NaN where it has none.
        share: of the last gain.
    """
    single = [found for draw in of_draws if not math.isnan(found := _reached(judgments, draw, share))]
    return Enough(
        _reached(judgments, gains, share), min(single, default=math.nan), max(single, default=math.nan),
        judgments[-1], share,
    )  # fmt: skip


def _reached(judgments: Sequence[float], gains: Sequence[float], share: float) -> float:
    """Interpolated on the logarithm of the number; the smallest size where even that is enough."""
    wanted = share * gains[-1]
    if not wanted > 0:
        return math.nan
    short = [k for k, gain in enumerate(gains) if not gain >= wanted]
    if not short:
        return judgments[0]
    before = short[-1]
    low, high = gains[before], gains[before + 1]
    if math.isnan(low):
        return judgments[before + 1]
    part = (wanted - low) / (high - low)
    return math.exp(
        math.log(judgments[before]) + part * (math.log(judgments[before + 1]) - math.log(judgments[before]))
    )
