"""Designs of intervals (generalisation over clips, or over clips and people) and their minimum sample sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from bgs.evaluation.resampling import t_quantile
from bgs.evaluation.result import Interval
from bgs.evaluation.variance_components import REST

#: Variance components in an interval: clips and answers, or clips, people and answers.
DESIGNS = {"clips": ("clips", "pairs", REST), "both": ("clips", "pairs", REST, "people")}

#: Minimum number of participants for generalising over people; with fewer, intervals are over clips only.
FEW_PARTICIPANTS = 6
#: Minimum number of clips for an interval.
FEW_CLIPS = 5

NO_INTERVAL: Interval = (float("nan"), float("nan"))


def headline(n_participants: int) -> str:
    """The design whose interval is a metric's ``low`` and ``high``: only clips if there are few participants."""
    return "both" if n_participants >= FEW_PARTICIPANTS else "clips"


def intervals(
    reach: Mapping[str, float], around: Callable[[float], Interval], n_clips: int, n_participants: int
) -> dict[str, Interval]:
    """The interval of each design; NaN if a sample is too small.

    Args:
        reach: design -> half the width, from :func:`reaches`.
        around: maps half the width to the interval.
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
        parts: variance components by source.
        n_clips, n_participants: sample sizes; t has n − 1 degrees of freedom, for n clips, or participants if fewer.
    """
    degrees = {"clips": n_clips - 1, "both": min(n_clips, n_participants) - 1}
    return {
        design: t_quantile(degrees[design]) * float(np.sqrt(sum(parts.get(part, 0.0) for part in names)))
        for design, names in DESIGNS.items()
    }


def bounded(value: float, reach: float, bounds: Interval) -> Interval:
    """value ± reach, clipped to bounds."""
    low, high = np.clip([value - reach, value + reach], *bounds).tolist()
    return low, high


def squared_interval(interval: Interval) -> Interval:
    """The interval of the squared value: starts at 0 if the interval spans 0."""
    squares = sorted(bound**2 for bound in interval)
    return (0.0 if interval[0] <= 0 <= interval[1] else squares[0], squares[1])
