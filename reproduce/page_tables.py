"""What the scripts that write figures into pages have in common: numbers, tables, and the place between two markers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bgs._numbers import plain, with_interval


def number(value: float | None, signed: bool = False, digits: int = 3) -> str:
    """As a report prints it (:func:`bgs._numbers.plain`), with a plus where signs count; a dash for None."""
    return "–" if value is None else plain(value, digits, signed=signed)


def estimate(found: Mapping[str, Any], signed: bool = False) -> str:
    """``value``, ``low`` and ``high`` as ``.446 [.368, .523]`` (:func:`bgs._numbers.with_interval`); a dash for None."""
    if found["value"] is None:
        return "–"
    return with_interval(found["value"], found["low"], found["high"], signed=signed)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """As Markdown."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def between(text: str, name: str, new: str) -> str:
    """``text`` with what lies between ``<!-- name … -->`` and ``<!-- /name -->`` replaced.

    Raises:
        ValueError: the markers are not there, or not once.
    """
    place = re.compile(rf"(<!-- {name}\b[^>]*-->).*?(<!-- /{name} -->)", re.DOTALL)
    replaced, places = place.subn(lambda found: f"{found[1]}\n{new}\n{found[2]}", text)
    if places != 1:
        raise ValueError(f"markers of {name}: expected once, found {places} times")
    return replaced
