"""Number formatting for reports, terminal tables and documents: .12, −.05, 1.20; n/a where undefined."""

from __future__ import annotations

import math

_MOST_DECIMALS = 4


def plain(value: float, decimals: int = 2, *, signed: bool = False, undefined: str = "n/a") -> str:
    """Format a number without a leading zero and with a true minus sign: ``.12``, ``−.05``, ``1.20``, ``1,234.50``.

    Args:
        value: any float; infinite ones are ``∞`` and ``−∞``.
        decimals: digits after the point. A value that rounds to 0 has no sign: ``.00``.
        signed: put a plus sign before positive values, as for differences.
        undefined: the text for NaN.
    """
    if math.isnan(value):
        return undefined
    size = "∞" if math.isinf(value) else f"{abs(value):,.{decimals}f}"
    zero = not size.strip("0.")
    sign = "" if zero else "−" if value < 0 else "+" if signed else ""
    return sign + (size[1:] if size.startswith("0.") else size)


def counted(number: int, noun: str) -> str:
    """``1 answer``, ``1,200 answers``: for nouns with a regular plural."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def decimals_for(*values: float) -> int:
    """The number of decimals: two, or up to four so that no nonzero number is printed as .00."""
    for decimals in range(2, _MOST_DECIMALS):
        if not any(value and abs(value) < 0.5 * 10**-decimals for value in values):
            return decimals
    return _MOST_DECIMALS


def between(low: float, high: float, decimals: int = 2, *, signed: bool = False) -> str:
    """An interval in brackets, ``[.11, .27]``, or ``[−.02, +.27]`` for differences; empty where there is none."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"[{plain(low, decimals, signed=signed)}, {plain(high, decimals, signed=signed)}]"


def with_interval(value: float, low: float, high: float, decimals: int = 3, *, signed: bool = False) -> str:
    """A value with its interval, ``.190 [.110, .270]``; alone where there is none."""
    return f"{plain(value, decimals, signed=signed)} {between(low, high, decimals, signed=signed)}".rstrip()
