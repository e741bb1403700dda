"""The training target: relations among a set of stimuli, from any source."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bgs._errors import DataError
from bgs._rdm import require_rdm
from bgs._typing import Float, Int
from bgs.judgments.estimators import estimate_rdm
from bgs.judgments.trials import Trials


@dataclass(frozen=True)
class Geometry:
    """Local and global relations among m stimuli.

    Human judgments, caption embeddings (language distillation) and shuffled labels all use this type.

    Attributes:
        positions: (m,) positions of the stimuli in their stimulus set, ascending.
        triplets: (t, 3) local indices 0..m−1 of the stimuli of each judgment.
        odd: (t,) slot of the odd one, 0–2.
        rdm: (m, m) target dissimilarities, NaN where a pair was not observed.
        weights: (m, m) weight of each pair: the number of observations, or 1 if it was not estimated from counts.
    """

    positions: Int[np.ndarray, " m"]
    triplets: Int[np.ndarray, "t 3"]
    odd: Int[np.ndarray, " t"]
    rdm: Float[np.ndarray, "m m"]
    weights: Int[np.ndarray, "m m"]

    @classmethod
    def from_trials(
        cls, trials: Trials, positions: Int[np.ndarray, " m"], estimator: str = "shares"
    ) -> Geometry:
        """The geometry of the stimuli at ``positions``, estimated from judgments.

        Only similarity judgments whose three stimuli are all in ``positions`` are used, so that no information
        about other stimuli leaks in, whatever the estimator.

        Args:
            trials: judgments.
            positions: (m,) stimuli of the geometry.
            estimator: estimator of the dissimilarities, see :func:`bgs.judgments.estimators.estimate_rdm`.

        Raises:
            DataError: no judgment lies within the stimuli, or too few for the estimator.
            ConfigError: unknown estimator.
        """
        positions = np.sort(positions)
        local = trials.judgments.among(positions)
        if not len(local):
            raise DataError(
                f"no judgment lies within the {len(positions)} stimuli to train on",
                expected="at least one trial",
            )
        rdm, weights = estimate_rdm(local, estimator)
        return cls(positions, local.stimuli, local.odd, rdm, weights)

    @classmethod
    def from_rdm(
        cls, rdm: Float[np.ndarray, "n n"], trials: Trials, positions: Int[np.ndarray, " m"]
    ) -> Geometry:
        """A geometry whose dissimilarities do not come from its trials but from e.g. ratings or caption embeddings.

        Args:
            rdm: (n, n) dissimilarities over the whole stimulus set, NaN where unknown.
            trials: judgments; only those within ``positions`` are used.
            positions: (m,) stimuli of the geometry.
        """
        require_rdm(rdm, "rdm")
        local = cls.from_trials(trials, positions)
        part = rdm[np.ix_(local.positions, local.positions)]
        return replace(local, rdm=part, weights=np.isfinite(part).astype(np.int64))
