"""What an interval speaks about: other clips, or other clips and other people; and what samples are too small for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from bgs.evaluation.resampling import t_quantile
from bgs.evaluation.result import Interval
from bgs.evaluation.variance_components import REST

#: Which parts of the variance an interval is about: other clips and answers, or other clips, people and answers.
DESIGNS = {"clips": ("clips", "pairs", REST), "both": ("clips", "pairs", REST, "people")}

#: Fewer participants are no sample of people: figures are then about clips only.
FEW_PARTICIPANTS = 6
#: Fewer clips do not tell how far a figure would move with others: there is no interval.
FEW_CLIPS = 5

NO_INTERVAL: Interval = (float("nan"), float("nan"))


def headline(n_participants: int) -> str:
    """The design whose interval is a metric's ``low`` and ``high``: clips alone where participants are few."""
    return "both" if n_participants >= FEW_PARTICIPANTS else "clips"


def intervals(
    reach: Mapping[str, float], around: Callable[[float], Interval], n_clips: int, n_participants: int
) -> dict[str, Interval]:
    """The interval of each design; NaN where samples of these sizes say nothing about others of their kind.

    Args:
        reach: design -> half a width, from :func:`reaches`.
        around: from half a width to the interval.
        n_clips, n_participants: sizes of the samples.
    """
    known = {
        "clips": n_clips >= FEW_CLIPS,
        "both": n_clips >= FEW_CLIPS and n_participants >= FEW_PARTICIPANTS,
    }
    return {design: around(half) if known[design] else NO_INTERVAL for design, half in reach.items()}


def reaches(parts: dict[str, float], n_clips: int, n_participants: int) -> dict[str, float]:
    """Half the width of the 95 % interval of each design.

    Args:
        parts: of the variance, by what would have to be drawn anew.
        n_clips, n_participants: t has one degree less than there are clips, or participants if these are fewer.
    """
    degrees = {"clips": n_clips - 1, "both": min(n_clips, n_participants) - 1}
    return {
        design: t_quantile(degrees[design]) * float(np.sqrt(sum(parts.get(part, 0.0) for part in names)))
        for design, names in DESIGNS.items()
    }


def bounded(value: float, reach: float, bounds: Interval) -> Interval:
    """value ± reach, within bounds."""
    low, high = np.clip([value - reach, value + reach], *bounds).tolist()
    return low, high


def squared_interval(interval: Interval) -> Interval:
    """The interval of the square: from 0 where the interval spans 0."""
    squares = sorted(bound**2 for bound in interval)
    return (0.0 if interval[0] <= 0 <= interval[1] else squares[0], squares[1])
