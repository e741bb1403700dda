"""One colour per role in every figure, distinguishable with any colour vision (Okabe & Ito, 2008)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal, get_args

Role = Literal["people", "base", "tuned", "captions", "control", "ceiling", "published", ""]
ROLES: tuple[str, ...] = get_args(Role)

INK, GREY, LIGHT = "#222222", "#7f7f7f", "#e4e4e4"
BLUE, GREEN, ORANGE, VERMILION = "#0072B2", "#009E73", "#E69F00", "#D55E00"
SKY, PURPLE, YELLOW = "#56B4E9", "#CC79A7", "#F0E442"

#: Colours of a role: the first for its first row, the others for further rows of the same role.
_ROLES: dict[str, tuple[str, ...]] = {
    "people": (INK,),
    "base": (GREY, "#a6a6a6"),
    "tuned": (BLUE, GREEN),
    "captions": (ORANGE, "#f3c866"),
    "control": ("#8fbfdc", "#8fd0bd", "#c9b3d6"),
    "ceiling": (GREEN,),
    "published": (VERMILION,),
}

#: Colours of rows without a role, from the top.
_BY_POSITION = (GREY, BLUE, GREEN)

#: Groups of clips; reused, beside the name of the group, where there are more groups than colours.
GROUPS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, "#5f4b8b", GREY)

#: Perceptually uniform and readable with any colour vision.
SEQUENTIAL, ORDERED = "viridis", "cividis"


def role_colours(roles: Sequence[str]) -> tuple[str, ...]:
    """The colour of each row: the next colour of its role; without a role, by position."""
    seen: Counter[str] = Counter()
    colours = []
    for position, role in enumerate(roles):
        choice = _ROLES.get(role)
        number = seen[role] if choice else position
        colours.append((choice or _BY_POSITION)[number % len(choice or _BY_POSITION)])
        seen[role] += 1
    return tuple(colours)


def group_colours(groups: Sequence[str]) -> dict[str, str]:
    """Colour of each group, in the order in which the groups come."""
    return {name: GROUPS[k % len(GROUPS)] for k, name in enumerate(dict.fromkeys(groups))}
