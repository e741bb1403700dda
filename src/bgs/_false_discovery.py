"""Many tests at once: the share of false discoveries among those called."""

from __future__ import annotations

import numpy as np

from bgs._typing import Float, Float64


def benjamini_hochberg(p: Float[np.ndarray, " m"]) -> Float64[np.ndarray, " m"]:
    """Adjusted p-values q: calling all with q ≤ .05 keeps the expected share of false ones among them below .05.

    Benjamini & Hochberg 1995 (Journal of the Royal Statistical Society B 57:289); holds for independent and positively
    dependent tests.

    Args:
        p: (m,) p-values, NaN where there was no test; those do not count in m.

    Returns:
        (m,) values 0–1, NaN where ``p`` is.
    """
    from scipy.stats import false_discovery_control

    q = np.full(len(p), np.nan)
    tested = ~np.isnan(p)
    q[tested] = false_discovery_control(p[tested])
    return q
