"""Numbers as a report prints them: .12, −.05, 1.20; n/a where undefined."""

from __future__ import annotations

import math

_MOST_DECIMALS = 4


def plain(value: float, decimals: int = 2) -> str:
    """A number without its leading zero and with a true minus sign: ``.12``, ``−.05``, ``1.20``; NaN is ``n/a``."""
    if not math.isfinite(value):
        return "n/a" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    size = f"{abs(value):,.{decimals}f}"
    zero = float(size.replace(",", "")) == 0
    size = size.removeprefix("0") if decimals and size.startswith("0.") else size
    return size if value >= 0 or zero else f"−{size}"


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
