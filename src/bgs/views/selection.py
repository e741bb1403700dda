"""Tables of clips chosen for a study: the covering, or the balance of two sets."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from bgs._errors import listed
from bgs._numbers import between, plain, with_interval
from bgs.library.selecting.balance import BOUND, PERMUTATIONS, BalanceRow, Difference, PairDistance
from bgs.library.selecting.covering import Covering
from bgs.library.selecting.selection import Selection
from bgs.views.console import facts, table
from bgs.views.numbers import number


def selection_view(found: Selection) -> Group:
    """What was chosen, from what, and how it compares."""
    parts: list[RenderableType] = []
    if found.covering is not None:
        parts.append(_covering(found.covering, found.pool, str(found.asked.get("space"))))
    if found.difference is not None:
        parts += [
            _difference(found.difference, found.sets),
            *_distance(found.distance),
            _balance(found.balance),
        ]
        parts.append(
            f"In standard deviations of the {found.pool:,} clips. Interval: 90 %, over pairs; within ±{plain(BOUND)}: "
            f"equivalent by two one-sided tests. p: the clips of each pair put into the sets at random, {PERMUTATIONS:,} "
            "times, two-sided; chance: how far apart that leaves the sets (root mean square)."
        )
    if found.left_out:
        parts.append(f"Left out: {len(found.left_out)} clips ({listed(found.left_out)}).")
    if found.dataset.simulated:
        parts.append(Text("SIMULATED clips: no human data.", style="bold"))
    return Group(*parts)


def _covering(found: Covering, pool: int, space: str) -> RenderableType:
    low, high = found.random_interval
    rows = [
        ("clips", f"{len(found.chosen):,} of {pool:,}"),
        ("radius", f"{number(found.radius)}: every clip has a chosen one this near"),
        (
            "random choices",
            f"{number(found.random_radius)} {between(low, high, 3)}, n = {found.random_choices}",
        ),
        ("lower bound", f"{number(found.least)}: no choice has a smaller radius"),
        ("mean distance", f"{number(found.mean_distance)} to the nearest chosen clip"),
    ]
    return facts(f"Clips that cover the space of {space} (cosine distance)", rows)


def _difference(found: Difference, sets: dict[str, tuple[str, ...]]) -> RenderableType:
    high, low = sets
    rows = [
        ("clips", f"{found.pairs} {high}, {found.pairs} {low}, in pairs"),
        (
            f"{high} − {low}",
            f"{with_interval(found.value, found.low, found.high)} ({number(found.in_sd)} SD; 95 %)",
        ),
        ("least", f"{number(found.least)} between any two clips (asked: {number(found.asked)})"),
    ]
    return facts(f"Sets that differ in {found.name}", rows)


def _distance(found: PairDistance | None) -> list[RenderableType]:
    if found is None:
        return []
    within = with_interval(found.value, found.low, found.high)
    return [f"Distance within pairs for {found.model}: {within}; of any two clips {number(found.pool)}."]


def _balance(rows: tuple[BalanceRow, ...]) -> RenderableType:
    cells = [
        (
            row.name,
            number(row.before),
            number(row.after),
            between(row.low, row.high, 3, signed=True) or "–",
            "–" if row.equivalent is None else "yes" if row.equivalent else "no",
            number(row.chance),
            number(row.p),
        )
        for row in rows
    ]
    header = ("matched in", "before", "after", "interval", f"within ±{plain(BOUND)}", "chance", "p")
    title = "Difference between the sets in what they are matched in"
    return table(title, header, cells, numbers=(1, 2, 3, 5, 6), names=(0,))
