"""Noise ceiling from complete RDMs of individual participants."""

from __future__ import annotations

import numpy as np

from bgs._errors import ConfigError, DataError
from bgs._typing import Float, Float64
from bgs.evaluation.rsa import mid_ranks


def leave_one_out_ceiling(rdms: Float[np.ndarray, "p n n"], method: str = "spearman") -> tuple[float, float]:
    """Ceiling bounds from complete RDMs of p participants (Nili et al. 2014, PLoS Computational Biology 10:e1003553).

    Upper bound: mean correlation of each participant's RDM with the mean of all participants. Lower bound: with the mean
    of the others. RDMs are ranked ("spearman") or standardised ("corr") before averaging, as in rsatoolbox.

    Args:
        rdms: (p, n, n), p ≥ 2, without NaN.
        method: "spearman" or "corr".

    Returns:
        Lower and upper bound, −1 to 1.

    Raises:
        ConfigError: unknown method.
        DataError: there are fewer than two participants, NaN, or a constant RDM.
    """
    if method not in ("spearman", "corr"):
        raise ConfigError("unknown method", expected="spearman or corr", got=method)
    if len(rdms) < 2:
        raise DataError(
            "too few participants for a leave-one-out ceiling",
            expected="at least two participants",
            got=len(rdms),
        )
    if np.isnan(rdms).any():
        raise DataError("a leave-one-out ceiling needs complete RDMs", expected="no NaN")
    first, second = np.triu_indices(rdms.shape[1], 1)
    vectors = rdms[:, first, second].astype(np.float64)
    # Averaged values: raw ranks (with ties, their variance differs between participants), or z-scores.
    pooled = np.stack([mid_ranks(row) if method == "spearman" else _standard(row) for row in vectors])
    rows, total = [_standard(row) for row in pooled], pooled.sum(axis=0)
    rank = mid_ranks if method == "spearman" else _standard
    upper = [_standard(rank(total)) @ row for row in rows]
    lower = [_standard(rank(total - own)) @ row for own, row in zip(pooled, rows, strict=True)]
    return float(np.mean(lower)), float(np.mean(upper))


def _standard(values: Float64[np.ndarray, " p"]) -> Float64[np.ndarray, " p"]:
    """Mean 0 and norm 1, so that dot products are correlations."""
    deviations = values - values.mean()
    length = np.linalg.norm(deviations)
    if length <= 1e-12 * max(1.0, float(np.abs(values).max())):
        raise DataError("a constant RDM has no correlation", expected="RDMs with differing entries")
    unit: Float64[np.ndarray, " p"] = deviations / length
    return unit
