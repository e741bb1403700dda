"""Multiple testing: control of the false discovery rate."""

from __future__ import annotations

import numpy as np

from bgs._typing import Float, Float64


def benjamini_hochberg(p: Float[np.ndarray, " m"]) -> Float64[np.ndarray, " m"]:
    """Adjusted p-values q: rejecting every hypothesis with q ≤ .05 keeps the false discovery rate at or below .05.

    Benjamini & Hochberg 1995 (Journal of the Royal Statistical Society B 57:289); holds for independent and positively
    dependent tests.

    Args:
        p: (m,) p-values, NaN where there was no test; NaN does not count towards m.

    Returns:
        (m,) values 0–1, NaN where ``p`` is.
    """
    from scipy.stats import false_discovery_control

    q = np.full(len(p), np.nan)
    tested = ~np.isnan(p)
    q[tested] = false_discovery_control(p[tested])
    return q
