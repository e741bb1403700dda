"""Numbers as reports, tables of the command line and documents print them: .12, −.05, 1.20; n/a where undefined."""

from __future__ import annotations

import math

_MOST_DECIMALS = 4


def plain(value: float, decimals: int = 2, *, signed: bool = False, undefined: str = "n/a") -> str:
    """A number without its leading zero and with a true minus sign: ``.12``, ``−.05``, ``1.20``, ``1,234.50``.

    Args:
        value: any float; infinite ones are ``∞`` and ``−∞``.
        decimals: digits after the point. What they round to 0 has no sign: ``.00``.
        signed: put a plus before what is above 0, as differences have it.
        undefined: what stands for NaN.
    """
    if math.isnan(value):
        return undefined
    size = "∞" if math.isinf(value) else f"{abs(value):,.{decimals}f}"
    zero = not size.strip("0.")
    sign = "" if zero else "−" if value < 0 else "+" if signed else ""
    return sign + (size[1:] if size.startswith("0.") else size)


def decimals_for(*values: float) -> int:
    """Two decimals, or as many more (to four) as it takes that no number other than 0 is printed as .00."""
    for decimals in range(2, _MOST_DECIMALS):
        if not any(value and abs(value) < 0.5 * 10**-decimals for value in values):
            return decimals
    return _MOST_DECIMALS


def between(low: float, high: float, decimals: int = 2) -> str:
    """An interval in brackets, ``[.11, .27]``; nothing where there is none."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"[{plain(low, decimals)}, {plain(high, decimals)}]"
