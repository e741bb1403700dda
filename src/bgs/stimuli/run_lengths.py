"""Masks as COCO writes them: run lengths down the columns, as a list of counts or packed into a string."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int64

from bgs._errors import DataError
from bgs._typing import Bool


@dataclass(frozen=True, eq=False)
class RunLengths:
    """Which pixels of one frame belong to something.

    Attributes:
        ends: (r,) pixels, counted down the columns, after which the 1st, 2nd ... run ends; the 1st is outside.
        height, width: of the frame, in pixels.
        label: position in the names of the regions, from 1.
    """

    ends: Int64[np.ndarray, " r"]
    height: int
    width: int
    label: int

    @property
    def area(self) -> float:
        """Share of the picture."""
        return float(np.diff(self.ends, prepend=0)[1::2].sum()) / (self.height * self.width)

    def covered(self, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
        """The pixels of a picture of (height, width) whose centre lies in it."""
        row, column = (
            (2 * np.arange(pixels) + 1) * side // (2 * pixels)
            for pixels, side in zip(size, (self.height, self.width), strict=True)
        )
        run = np.searchsorted(self.ends, column[None] * self.height + row[:, None], side="right")
        inside: Bool[np.ndarray, "h w"] = run % 2 == 1
        return inside


def read_run_lengths(
    segmentation: Mapping[str, Any], size: tuple[int, int], label: int, where: str
) -> RunLengths:
    """A ``segmentation`` of COCO's JSON: ``size`` [height, width] and ``counts``, a list or a packed string.

    Args:
        segmentation: the JSON object.
        size: (height, width) that the image has.
        label: see :class:`RunLengths`.
        where: the file and key, for errors.

    Raises:
        DataError: another size, or counts that are damaged or do not fill the image.
    """
    if segmentation.get("size") != list(size):
        raise DataError(
            "a mask of another size", where=where, expected=list(size), got=segmentation.get("size")
        )
    counts = segmentation.get("counts")
    if isinstance(counts, str):
        counts = unpacked(counts, where)
    if not isinstance(counts, list) or not all(type(count) is int and count >= 0 for count in counts):
        raise DataError("counts of a mask", where=where, expected="whole numbers from 0, or a packed string")
    if sum(counts) != size[0] * size[1]:
        raise DataError(
            "counts do not fill the image", where=where, expected=size[0] * size[1], got=sum(counts)
        )
    return RunLengths(np.cumsum(counts, dtype=np.int64), *size, label)


def unpacked(text: str, where: str) -> list[int]:
    """The counts in a packed string, as COCO's API writes it.

    A character holds five bits, the lowest first, and in its sixth whether more follow; the last bit is the sign. From the
    fourth number on what is written is the difference from the last but one: runs of one kind resemble each other.

    Raises:
        DataError: another character, or a string that ends within a number.
    """
    counts: list[int] = []
    value = shift = 0
    for place, letter in enumerate(text):
        bits = ord(letter) - 48
        if not 0 <= bits < 64:
            raise DataError("a packed mask with another character", where=where, got=f"{letter!r} at {place}")
        value, shift = value | (bits & 31) << shift, shift + 5
        if not bits & 32:
            signed = value - (1 << shift) if bits & 16 else value
            counts.append(signed + counts[-2] if len(counts) > 2 else signed)
            value = shift = 0
    if shift:
        raise DataError("a packed mask that ends within a number", where=where)
    return counts
