"""Estimators of the human RDM that training may aim at, by the names that a configuration calls them."""

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
    """Human dissimilarities, and what each pair weighs.

    Args:
        trials: all that the estimate may know.
        estimator: ``shares``, see :func:`bgs.judgments.human_rdm`; ``choice-model``, see
            :func:`bgs.judgments.choice_model_rdm`; ``ordinal``, distances of :func:`bgs.judgments.ordinal_embedding`.

    Returns:
        (n, n) dissimilarities, NaN where unknown, and (n, n) weights: how often a pair was shown. The distances of an
        ordinal embedding rest on all trials and not on those of a pair: known pairs weigh 1, shown or not.

    Raises:
        ConfigError: another estimator.
        DataError: nothing can be estimated from the trials.
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
