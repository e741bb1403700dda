"""How a file wants its pictures held: one of the eight ways to turn and mirror a rectangle."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import atan2, degrees, radians, tan

import numpy as np
from jaxtyping import UInt8

#: Display matrices are taken for a quarter turn up to this many degrees beside it, as the ffmpeg tool does.
_SLACK = tan(radians(1))


@dataclass(frozen=True)
class Orientation:
    """What is done to a picture as it was encoded, in this order.

    Attributes:
        swap: exchange rows and columns.
        left_right: mirror left and right.
        top_bottom: mirror top and bottom.
    """

    swap: bool = False
    left_right: bool = False
    top_bottom: bool = False

    def apply(self, picture: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h2 w2 3"]:
        """The picture as it is to be seen; a view, no copy."""
        turned = picture.swapaxes(0, 1) if self.swap else picture
        return turned[:: -1 if self.top_bottom else 1, :: -1 if self.left_right else 1]

    @property
    def quarters(self) -> int:
        """Quarter turns counter-clockwise that are left of it for a reader that knows rotation only: 0 to 3.

        FFmpeg reads the angle off the matrix's first row alone, so that a mirrored picture comes out turned.
        """
        if self.swap:
            return 1 if self.top_bottom else 3
        return 2 if self.left_right else 0


def orientation_of(matrix: bytes | None) -> Orientation:
    """The orientation in a display matrix: nine 32-bit integers (a b u c d v x y w), as FFmpeg hands them over.

    A pixel at column p, row q is shown at column a·p + c·q, row b·p + d·q, moved into view; sizes do not count.

    Raises:
        ValueError: turned by an angle that is no multiple of 90°, or slanted.
    """
    if matrix is None:
        return Orientation()
    a, b, _, c, d = struct.unpack("=9i", matrix)[:5]
    if not any((a, b, c, d)):  # nothing could be seen; shown as it is
        return Orientation()
    if a and d and abs(b) <= _SLACK * abs(a) and abs(c) <= _SLACK * abs(d):
        return Orientation(left_right=a < 0, top_bottom=d < 0)
    if b and c and abs(a) <= _SLACK * abs(b) and abs(d) <= _SLACK * abs(c):
        return Orientation(swap=True, left_right=c < 0, top_bottom=b < 0)
    raise ValueError(f"to be shown turned by {degrees(atan2(-b, a)):.0f}°, no multiple of 90°")
