"""A row of the table: something of ours beside something else, and the figure that a target is about."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

Relation = Literal["≥", "≤"]
#: Modules of ``parts`` that measure, in the order of the letters with which the keys of their rows begin.
PARTS = ("judgments", "convergence", "memory", "growth", "evaluation", "embedding", "start", "decoding")
LETTERS = dict(zip(PARTS, "abcdefgh", strict=True))


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest of repeats."""

    median: float
    low: float
    high: float
    repeats: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """That of at least one value."""
        known = [float(value) for value in values]
        return cls(statistics.median(known), min(known), max(known), len(known))


@dataclass(frozen=True)
class Target:
    """A bound on the median."""

    relation: Relation
    bound: float

    def met(self, value: float) -> bool:
        """Whether a median keeps to the bound."""
        return value >= self.bound if self.relation == "≥" else value <= self.bound


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        key: the letter of the part and a name, ``a: captions``; unique.
        what: what is measured, and beside what.
        figure: what the target is about, over repeats.
        unit: its unit: ``×``, ``exponent``, ``MB``, ``clips/s``.
        ours, theirs: medians of both sides; None where there is one side only.
        measured_in: their unit.
        target: None where there is none.
        more: further numbers, for the JSON alone.
    """

    key: str
    what: str
    figure: Spread
    unit: str = "×"
    ours: float | None = None
    theirs: float | None = None
    measured_in: str = "s"
    target: Target | None = None
    more: Mapping[str, Any] | None = None

    @property
    def missed(self) -> bool:
        """Whether there is a target, and the median misses it."""
        return self.target is not None and not self.target.met(self.figure.median)

    def as_json(self) -> dict[str, Any]:
        """For the JSON file."""
        return {**asdict(self), "missed": self.missed}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Row:
        """The inverse of :meth:`as_json`."""
        given = {key: value for key, value in found.items() if key != "missed"}
        target = given["target"]
        given |= {"figure": Spread(**given["figure"]), "target": target and Target(**target)}
        return cls(**given)


def growth_exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The b of cost = a · size^b, by least squares of logarithms; of two points, that through both.

    Raises:
        ValueError: fewer than two different sizes, or something is not positive.
    """
    if len(set(sizes)) < 2 or min(*sizes, *costs) <= 0:
        raise ValueError(f"no growth: sizes {list(sizes)}, costs {list(costs)}")
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])
