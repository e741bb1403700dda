"""How far a sum would move with other clips, pairs and people: variance components of what is summed.

Judgments that share a clip, a pair or a person hang together. To first order every figure here is a mean over judgments
or pairs, and each of these carries effects of what it belongs to: x_t = mean + Σ over groups of an effect + a rest of its
own. The variances of the effects are found by the method of moments and say how far the mean would move if clips,
pairs, people and answers were drawn anew. Nothing is drawn, and the noise of a single judgment counts once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bgs._typing import Float, Float64, Int

#: A sparse (n, g) count of how often each of n things belongs to each of g groups.
Membership = Any

#: The part that hangs together with nothing.
REST = "rest"


def membership(groups: Int[np.ndarray, "n k"]) -> Membership:
    """(n, g) sparse: how often row t belongs to each group, from the k groups that it belongs to."""
    from scipy.sparse import csr_array

    n, k = groups.shape
    names, group = np.unique(groups, return_inverse=True)
    rows = np.repeat(np.arange(n), k)
    return csr_array((np.ones(n * k), (rows, group.reshape(-1))), shape=(n, len(names)))


def variance_of_mean(values: Float[np.ndarray, " n"], groups: Mapping[str, Membership]) -> dict[str, float]:
    """Parts of the variance of the mean of ``values``, by what would have to be drawn anew.

    Henderson's (1953, Biometrics 9:226) method of moments: the sums of squares of group totals of deviations from the
    mean are set equal to what they are expected to be, which is linear in the variances of the effects, and solved for
    variances ≥ 0 (Lawson & Hanson 1974, ch. 23). Expectations take the design as it is, however unbalanced, and that
    deviations are from the mean of these very values. Effects of one kind have one variance: a value that varies more
    in some clips than in others is met on average only.

    Args:
        values: (n,) what is averaged.
        groups: name -> (n, g) membership, see :func:`membership`; not empty.

    Returns:
        Name, and :data:`REST`, -> variance that this kind of effect gives the mean, ≥ 0; NaN for fewer than two values.
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
    # A constant kind (every value in one group) says nothing and costs nothing.
    scale = np.sqrt(np.maximum(np.diag(expected), np.finfo(float).tiny))
    variances, _ = nnls(expected / scale[:, None], observed / scale)
    return dict(zip(names, (variances * totals / n**2).tolist(), strict=True))


def _expectations(
    kinds: Sequence[Membership],
) -> tuple[Float64[np.ndarray, "c c"], Float64[np.ndarray, " c"]]:
    """(c, c) what unit variance of kind b adds to the sum of squares of kind a, and (c,) to that of the total.

    With Z the membership and M = I − 11ᵀ/n it is tr(Z_a Z_aᵀ M Z_b Z_bᵀ M), written out so that nothing is n × n.
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
