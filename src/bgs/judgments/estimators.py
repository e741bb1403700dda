"""Estimators of the human RDM for training, by their names in a configuration."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from bgs._errors import ConfigError
from bgs._typing import Float, Int
from bgs.judgments.choice_model import choice_model_rdm
from bgs.judgments.ordinal import ordinal_embedding
from bgs.judgments.pair_counts import PairCounts, human_rdm
from bgs.judgments.trials import Trials

Estimator = Literal["shares", "choice-model", "ordinal"]
ESTIMATORS: tuple[str, ...] = get_args(Estimator)


def estimate_rdm(trials: Trials, estimator: str) -> tuple[Float[np.ndarray, "n n"], Int[np.ndarray, "n n"]]:
    """Estimate human dissimilarities and the weight of each pair.

    Args:
        trials: the trials to estimate from.
        estimator: ``shares``, see :func:`bgs.judgments.human_rdm`; ``choice-model``, see
            :func:`bgs.judgments.choice_model_rdm`; ``ordinal``, distances of :func:`bgs.judgments.ordinal_embedding`.

    Returns:
        (n, n) dissimilarities, NaN where unknown, and (n, n) weights: the number of times a pair was shown. Distances of an
        ordinal embedding depend on all trials, not only on those of a pair, so all known pairs have weight 1.

    Raises:
        ConfigError: unknown estimator.
        DataError: the trials do not allow an estimate.
    """
    if estimator not in ESTIMATORS:
        raise ConfigError(
            "unknown estimator of the human RDM", expected=" or ".join(ESTIMATORS), got=estimator
        )
    if estimator == "ordinal":
        rdm = ordinal_embedding(trials).rdm()
        return rdm, np.isfinite(rdm).astype(np.int64)
    counts = PairCounts.from_trials(trials)
    return (human_rdm(counts) if estimator == "shares" else choice_model_rdm(trials)), counts.shown
