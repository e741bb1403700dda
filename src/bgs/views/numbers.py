"""Number format of terminal tables."""

from __future__ import annotations


def number(value: float, sign: bool = False) -> str:
    """Three decimals; a dash where undefined. See :func:`bgs._numbers.plain`."""
    from bgs._numbers import plain

    return plain(value, 3, signed=sign, undefined="–")


def clock(seconds: float) -> str:
    """A time in a video: ``0:03.2``, ``1:02:03.2``."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    text = f"{rest // 10:02}.{rest % 10}"
    return f"{minutes}:{text}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{text}"
