"""How tables of the command line print a figure."""

from __future__ import annotations


def number(value: float, sign: bool = False) -> str:
    """To three decimals, a dash for what is undefined; see :func:`bgs._numbers.plain`."""
    from bgs._numbers import plain

    return plain(value, 3, signed=sign, undefined="–")
