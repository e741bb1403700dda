"""From a distance to the probability that people keep two clips together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from bgs._codec import Finite, JsonDataclass
from bgs._errors import DataError
from bgs._typing import Bool, Float64

#: Fewer pairs kept together, or taken apart, say too little about the curve.
_FEW = 20


@dataclass(frozen=True)
class KeptTogether(JsonDataclass):
    """Logistic curve (Platt 1999): probability that a pair is kept together, of three clips of which one is the odd one.

    The third clip is any clip of the study: at chance, a third of all pairs is kept together.

    Attributes:
        intercept: log odds at distance 0.
        slope: fall of the log odds per unit of distance; 0 where clips that people keep together are not closer.
        n: number of pairs of trials that it was fitted on.
    """

    intercept: Finite
    slope: Finite
    n: int

    @classmethod
    def fit(cls, distances: Float64[np.ndarray, " k"], kept: Bool[np.ndarray, " k"]) -> KeptTogether:
        """Fit by maximum likelihood; of curves that rise with distance, which few judgments can suggest, none is taken.

        Args:
            distances: (k,) distance of a pair in a trial, by a model that has not seen the two clips.
            kept: (k,) whether it was kept together.

        Raises:
            DataError: fewer than 20 pairs were kept together, or taken apart.
        """
        if min(kept.sum(), (~kept).sum()) < _FEW:
            raise DataError(
                "too few judgments of clips that the model has not seen",
                expected=f"at least {_FEW} pairs kept together and {_FEW} taken apart",
                got=f"{int(kept.sum())} and {int((~kept).sum())}",
            )
        spread = distances.std() or 1.0
        z, sign = (distances - distances.mean()) / spread, 2.0 * kept - 1.0

        def loss(w: Float64[np.ndarray, " 2"]) -> tuple[float, Float64[np.ndarray, " 2"]]:
            margin = sign * (w[0] - w[1] * z)
            wrong = -sign * expit(-margin) / len(z)
            return float(np.logaddexp(0, -margin).mean()), np.array([wrong.sum(), -(wrong @ z)])

        found = minimize(loss, np.zeros(2), jac=True, method="BFGS", options={"gtol": 1e-9}).x
        if found[1] <= 0:
            return cls(float(logit(kept.mean())), 0.0, len(distances))
        slope = float(found[1] / spread)
        return cls(float(found[0] + slope * distances.mean()), slope, len(distances))

    def probability(self, distances: Float64[np.ndarray, "..."]) -> Float64[np.ndarray, "..."]:
        """Probability, 0–1, that people keep pairs at these distances together."""
        found: Float64[np.ndarray, "..."] = expit(self.intercept - self.slope * distances)
        return found
