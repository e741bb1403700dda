"""A pool in which motion goes with a rating, as it does in life."""

from __future__ import annotations

import numpy as np

from bgs.library.selecting import Variable


def confounded(n: int = 200, seed: int = 0, r: float = 0.6) -> tuple[Variable, Variable, Variable]:
    """A rating, motion that goes with it, and a profile that does not."""
    rng = np.random.default_rng(seed)
    rating = rng.normal(size=n)
    motion = r * rating + np.sqrt(1 - r**2) * rng.normal(size=n)
    return (
        Variable.of("valence", rating),
        Variable.of("motion_energy", motion),
        Variable("pixels", rng.normal(size=(n, 6))),
    )
