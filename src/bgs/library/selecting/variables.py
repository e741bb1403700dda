"""What clips differ in: a rating, a measurement of the picture, or a position in a space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bgs._errors import DataError
from bgs._typing import Float, Float64


@dataclass(frozen=True)
class Variable:
    """One thing that clips differ in, measured on all n clips of a pool.

    Attributes:
        name: of the rating or measurement.
        values: (n, d); d = 1 for a number, such as a rating, more for a profile, such as motion energy by direction and place.

    Raises:
        DataError: a value is missing, or all clips are the same.
    """

    name: str
    values: Float[np.ndarray, "n d"]

    def __post_init__(self) -> None:
        if not np.isfinite(self.values).all():
            raise DataError("a value is missing", where=self.name, expected="a number for every clip")
        if not self.spread > 0:
            raise DataError("every clip has the same value", where=self.name, expected="clips that differ")

    @classmethod
    def of(cls, name: str, values: Float[np.ndarray, " n"]) -> Variable:
        """A number per clip."""
        return cls(name, values[:, None])

    @property
    def is_number(self) -> bool:
        """Whether it is a single number per clip."""
        return bool(self.values.shape[1] == 1)

    @cached_property
    def spread(self) -> float:
        """Standard deviation over the pool; of a profile, the root of the summed variances of its numbers."""
        return float(np.sqrt(self.values.astype(np.float64).var(axis=0).sum()))

    @cached_property
    def standardised(self) -> Float64[np.ndarray, "n d"]:
        """(n, d) with mean 0 and spread 1, so that two random clips are, squared, 2 apart in every variable."""
        wide = self.values.astype(np.float64)
        scaled: Float64[np.ndarray, "n d"] = (wide - wide.mean(axis=0)) / self.spread
        return scaled


def side_by_side(variables: Sequence[Variable]) -> Float64[np.ndarray, "n d"]:
    """The standardised variables beside each other: each has the same weight in squared distances between clips."""
    return np.concatenate([one.standardised for one in variables], axis=1)


def main_axis(space: Variable, without: Sequence[Variable]) -> Float64[np.ndarray, " n"]:
    """Each clip's position on the main axis of a space, after what numbers explain of it (linearly) is taken out.

    The axis is the first principal component of the residuals. Its sign is such that the clip farthest from the middle is on
    the positive side.

    Args:
        space: a profile.
        without: variables; only those that are numbers count.

    Returns:
        (n,) positions.
    """
    values = space.standardised
    numbers = [one.standardised for one in without if one.is_number]
    if numbers:
        known = np.concatenate(numbers, axis=1)
        values = values - known @ np.linalg.lstsq(known, values, rcond=None)[0]
    left, strength, _ = np.linalg.svd(values, full_matrices=False)
    axis: Float64[np.ndarray, " n"] = left[:, 0] * strength[0]
    return axis if axis[np.argmax(np.abs(axis))] > 0 else -axis


def unit(vectors: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, "n d"]:
    """Vectors scaled to length 1; those without direction stay zero."""
    wide = vectors.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    scaled: Float64[np.ndarray, "n d"] = wide / np.where(lengths > 0, lengths, 1)
    return scaled
