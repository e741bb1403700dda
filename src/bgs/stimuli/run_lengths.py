"""COCO run-length masks: column-major, as a list of counts or a compressed string."""

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
    """A labelled mask of one frame as run lengths.

    Attributes:
        ends: (r,) column-major pixel index at which each run ends; the first run is background.
        height, width: size of the frame, in pixels.
        label: position in the names of the regions, from 1.
    """

    ends: Int64[np.ndarray, " r"]
    height: int
    width: int
    label: int

    @property
    def area(self) -> float:
        """Area as a fraction of the frame."""
        return float(np.diff(self.ends, prepend=0)[1::2].sum()) / (self.height * self.width)

    def covered(self, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
        """The pixels of a (height, width) frame whose centre lies inside."""
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
    """Read a COCO ``segmentation``: ``size`` [height, width] and ``counts``, a list or a compressed string.

    Args:
        segmentation: the JSON object.
        size: (height, width) of the image.
        label: see :class:`RunLengths`.
        where: file and key, for error messages.

    Raises:
        DataError: sizes differ, or counts are damaged or do not fill the image.
    """
    if segmentation.get("size") != list(size):
        raise DataError(
            "the size of the mask differs from the image",
            where=where,
            expected=list(size),
            got=segmentation.get("size"),
        )
    counts = segmentation.get("counts")
    if isinstance(counts, str):
        counts = unpacked(counts, where)
    if not isinstance(counts, list) or not all(type(count) is int and count >= 0 for count in counts):
        raise DataError(
            "invalid counts of a mask", where=where, expected="integers ≥ 0, or a compressed string"
        )
    if sum(counts) != size[0] * size[1]:
        raise DataError(
            "counts do not fill the image", where=where, expected=size[0] * size[1], got=sum(counts)
        )
    return RunLengths(np.cumsum(counts, dtype=np.int64), *size, label)


def unpacked(text: str, where: str) -> list[int]:
    """Decode the counts in a compressed string, as written by COCO's API.

    A character holds five bits, lowest first, and a continuation bit; the last bit is the sign. From the
    fourth number on, the difference from the last but one is stored, since runs of the same kind have similar lengths.

    Raises:
        DataError: an invalid character, or a string that ends within a number.
    """
    counts: list[int] = []
    value = shift = 0
    for place, letter in enumerate(text):
        bits = ord(letter) - 48
        if not 0 <= bits < 64:
            raise DataError(
                "invalid character in a compressed mask", where=where, got=f"{letter!r} at {place}"
            )
        value, shift = value | (bits & 31) << shift, shift + 5
        if not bits & 32:
            signed = value - (1 << shift) if bits & 16 else value
            counts.append(signed + counts[-2] if len(counts) > 2 else signed)
            value = shift = 0
    if shift:
        raise DataError("a compressed mask ends within a number", where=where)
    return counts
