"""Choosing clips for a study: a few that cover the space, or two sets that differ in one thing and are matched on others."""

from bgs.library.selecting.balance import (
    BOUND,
    BalanceRow,
    Difference,
    PairDistance,
    compare_sets,
    difference_in,
    distance_in_pairs,
)
from bgs.library.selecting.covering import Covering, cover
from bgs.library.selecting.matched_sets import MatchedSets, SetSettings, choose_sets
from bgs.library.selecting.selection import Selection
from bgs.library.selecting.variables import Variable

__all__ = [
    "BOUND",
    "BalanceRow",
    "Covering",
    "Difference",
    "MatchedSets",
    "PairDistance",
    "Selection",
    "SetSettings",
    "Variable",
    "choose_sets",
    "compare_sets",
    "cover",
    "difference_in",
    "distance_in_pairs",
]
