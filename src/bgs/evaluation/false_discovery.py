"""Many tests at once: the share of false discoveries among those called."""

from __future__ import annotations

import numpy as np

from bgs._typing import Float, Float64


def benjamini_hochberg(p: Float[np.ndarray, " m"]) -> Float64[np.ndarray, " m"]:
    """Adjusted p-values q: calling all with q ≤ .05 keeps the expected share of false ones among them below .05.

    q of the i-th smallest of m is the least p_(j)·m/j over j ≥ i (Benjamini & Hochberg 1995, Journal of the Royal
    Statistical Society B 57:289). Holds for independent and positively dependent tests.

    Args:
        p: (m,) p-values, NaN where there was no test; those do not count in m.

    Returns:
        (m,) values 0–1, NaN where ``p`` is.
    """
    q = np.full(len(p), np.nan)
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q
