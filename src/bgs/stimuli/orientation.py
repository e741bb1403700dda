"""Display orientation of a video: one of the eight rotations and reflections of a rectangle."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import atan2, degrees, radians, tan

import numpy as np
from jaxtyping import UInt8

#: Tolerance for quarter turns in display matrices, in degrees; the same as the ffmpeg tool.
_SLACK = tan(radians(1))


@dataclass(frozen=True)
class Orientation:
    """The operations that turn an encoded frame upright, in this order.

    Attributes:
        swap: exchange rows and columns.
        left_right: mirror left and right.
        top_bottom: mirror top and bottom.
    """

    swap: bool = False
    left_right: bool = False
    top_bottom: bool = False

    def apply(self, picture: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h2 w2 3"]:
        """The upright frame; a view, not a copy."""
        turned = picture.swapaxes(0, 1) if self.swap else picture
        return turned[:: -1 if self.top_bottom else 1, :: -1 if self.left_right else 1]

    @property
    def quarters(self) -> int:
        """The number of counter-clockwise quarter turns, 0 to 3, that a reader applies if it supports only rotation.

        FFmpeg computes the angle only from the first row of the matrix, so it rotates mirrored frames.
        """
        if self.swap:
            return 1 if self.top_bottom else 3
        return 2 if self.left_right else 0


def orientation_of(matrix: bytes | None) -> Orientation:
    """Decode the orientation from a display matrix: nine 32-bit integers (a b u c d v x y w), as FFmpeg provides them.

    A pixel at column p, row q is shown at column a·p + c·q, row b·p + d·q, translated into view; scale is ignored.

    Raises:
        ValueError: the rotation is not a multiple of 90°, or there is shear.
    """
    if matrix is None:
        return Orientation()
    a, b, _, c, d = struct.unpack("=9i", matrix)[:5]
    if not any((a, b, c, d)):  # degenerate matrix; ignored
        return Orientation()
    if a and d and abs(b) <= _SLACK * abs(a) and abs(c) <= _SLACK * abs(d):
        return Orientation(left_right=a < 0, top_bottom=d < 0)
    if b and c and abs(a) <= _SLACK * abs(b) and abs(d) <= _SLACK * abs(c):
        return Orientation(swap=True, left_right=c < 0, top_bottom=b < 0)
    raise ValueError(f"display rotation is {degrees(atan2(-b, a)):.0f}°, not a multiple of 90°")
