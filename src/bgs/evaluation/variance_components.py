"""Variance components of sums over judgments or pairs: clips, pairs and people.

Judgments that share a clip, a pair or a person are dependent. To first order, every metric is a mean over judgments
or pairs, each with random effects of the groups it belongs to: x_t = mean + Σ over groups of an effect +
a residual. The variances of the effects are estimated by the method of moments and give the variance of the mean over
new samples of clips, pairs, people and answers. There is no resampling, and the noise of a single judgment is counted once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bgs._typing import Float, Float64, Int

#: A sparse (n, g) matrix: how often each of n items belongs to each of g groups.
Membership = Any

#: The residual component.
REST = "rest"


def membership(groups: Int[np.ndarray, "n k"]) -> Membership:
    """(n, g) sparse matrix: how often row t belongs to each group, from the k groups of each row."""
    from scipy.sparse import csr_array

    n, k = groups.shape
    names, group = np.unique(groups, return_inverse=True)
    rows = np.repeat(np.arange(n), k)
    return csr_array((np.ones(n * k), (rows, group.reshape(-1))), shape=(n, len(names)))


def variance_of_mean(values: Float[np.ndarray, " n"], groups: Mapping[str, Membership]) -> dict[str, float]:
    """Variance components of the mean of ``values``, by source.

    Henderson's (1953, Biometrics 9:226) method of moments: the sums of squares of group totals of deviations from the
    mean are equated to their expectations, which are linear in the variances of the effects, and solved for
    variances ≥ 0 (Lawson & Hanson 1974, ch. 23). Expectations account for unbalanced designs, and for
    deviations being from the sample mean. Effects of one kind have a common variance: heteroscedasticity between
    clips is accounted for only on average.

    Args:
        values: (n,) averaged values.
        groups: name -> (n, g) membership, see :func:`membership`; not empty.

    Returns:
        Name, and :data:`REST`, -> contribution of this component to the variance of the mean, ≥ 0; NaN for fewer than two values.
    """
    from scipy.optimize import nnls
    from scipy.sparse import eye_array

    names, n = [*groups, REST], len(values)
    if n < 2:
        return dict.fromkeys(names, float("nan"))
    kinds = [*groups.values(), eye_array(n, format="csr")]
    deviations = values - values.mean()
    observed = np.array([np.sum((kind.T @ deviations) ** 2) for kind in kinds])
    expected, totals = _expectations(kinds)
    # A constant component (all values in one group) contributes nothing.
    scale = np.sqrt(np.maximum(np.diag(expected), np.finfo(float).tiny))
    variances, _ = nnls(expected / scale[:, None], observed / scale)
    return dict(zip(names, (variances * totals / n**2).tolist(), strict=True))


def _expectations(
    kinds: Sequence[Membership],
) -> tuple[Float64[np.ndarray, "c c"], Float64[np.ndarray, " c"]]:
    """(c, c) contribution of unit variance of component b to the sum of squares of component a, and (c,) to the total.

    With membership Z and M = I − 11ᵀ/n, it is tr(Z_a Z_aᵀ M Z_b Z_bᵀ M), expanded to avoid n × n matrices.
    """
    n = kinds[0].shape[0]
    sizes = [kind.T @ np.ones(n) for kind in kinds]
    totals = np.array([size @ size for size in sizes])
    expected = np.empty((len(kinds), len(kinds)))
    for a, kind in enumerate(kinds):
        for b, other in enumerate(kinds):
            shared = kind.T @ other
            both = float(shared.multiply(shared).sum())
            expected[a, b] = both - 2 / n * (sizes[a] @ (shared @ sizes[b])) + totals[a] * totals[b] / n**2
    return expected, totals
