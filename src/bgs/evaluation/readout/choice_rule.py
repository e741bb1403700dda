"""From three distances to the probability that each of three clips is the odd one out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from bgs._codec import Finite, JsonDataclass
from bgs._errors import DataError
from bgs._typing import Float64, Int

_FEW = 20
#: Range of the logarithm of the sharpness: from indifference to certainty at any distance that floats can tell apart.
_RANGE = (-10.0, 10.0)


@dataclass(frozen=True)
class ChoiceRule(JsonDataclass):
    """Conditional logit (McFadden 1974): of three pairs, one at distance d is kept together ∝ exp(−sharpness · d).

    Attributes:
        sharpness: 0 is guessing.
        n: number of trials that it was fitted on.
    """

    sharpness: Finite
    n: int

    @classmethod
    def fit(cls, distances: Float64[np.ndarray, "t 3"], odd: Int[np.ndarray, " t"]) -> ChoiceRule:
        """Fit by maximum likelihood.

        Args:
            distances: (t, 3) distance of the pair that is kept together when slot 0, 1 or 2 is odd.
            odd: (t,) slot of the odd one.

        Raises:
            DataError: there are fewer than 20 trials.
        """
        if len(odd) < _FEW:
            raise DataError(
                "too few judgments of clips that the model has not seen",
                expected=f"at least {_FEW} trials",
                got=len(odd),
            )
        rows = np.arange(len(odd))
        slope = (
            distances.mean(axis=1) - distances[rows, odd]
        ).mean()  # of the log-likelihood at 0; it is concave
        if slope <= 0:
            return cls(0.0, len(odd))
        found = minimize_scalar(
            lambda log: -log_softmax(-np.exp(log) * distances, axis=1)[rows, odd].mean(),
            bounds=_RANGE,
            method="bounded",
            options={"xatol": 1e-9},
        )
        return cls(float(np.exp(found.x)), len(odd))

    def probabilities(self, distances: Float64[np.ndarray, "t 3"]) -> Float64[np.ndarray, "t 3"]:
        """Probability that slot 0, 1 or 2 is chosen as the odd one; each row sums to 1."""
        found: Float64[np.ndarray, "t 3"] = softmax(-self.sharpness * distances, axis=1)
        return found
