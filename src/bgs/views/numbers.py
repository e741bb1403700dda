"""Number format of terminal tables."""

from __future__ import annotations


def number(value: float, sign: bool = False) -> str:
    """Three decimals; a dash where undefined. See :func:`bgs._numbers.plain`."""
    from bgs._numbers import plain

    return plain(value, 3, signed=sign, undefined="–")
