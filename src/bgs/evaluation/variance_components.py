"""Variance components of sums over judgments or pairs: clips, pairs and people.

Judgments that share a clip, a pair or a person are dependent. To first order, every metric is a mean over judgments
or pairs, each with random effects of the groups it belongs to: x_t = mean + Σ over groups of an effect +
a residual. The variances of the effects are estimated by the method of moments and give the variance of the mean over
new samples of clips, pairs, people and answers. There is no resampling, and the noise of a single judgment is counted once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bgs._typing import Float, Float64, Int

#: The residual component.
REST = "rest"

#: About how many values that two groups share are counted at a time.
_SHARED = 2**19

#: A sparse (n, g) matrix: how often each of n items belongs to each of g groups.
_Membership = Any


@dataclass(frozen=True)
class Dependence:
    """Groups that n values share, prepared once for any number of variances.

    Attributes:
        groups: name -> (n, k) the k groups of each value, as whole numbers; not empty.
    """

    groups: Mapping[str, Int[np.ndarray, "n _"]]

    def variance_of_mean(self, values: Float[np.ndarray, " n"]) -> dict[str, float]:
        """Variance components of the mean of ``values``, by source.

        Henderson's (1953, Biometrics 9:226) method of moments: the sums of squares of group totals of deviations from the
        mean are equated to their expectations, which are linear in the variances of the effects, and solved for
        variances ≥ 0 (Lawson & Hanson 1974, ch. 23). Expectations account for unbalanced designs, and for
        deviations being from the sample mean. Effects of one kind have a common variance: heteroscedasticity between
        clips is accounted for only on average.

        Args:
            values: (n,) averaged values.

        Returns:
            Name, and :data:`REST`, -> contribution of this component to the variance of the mean, ≥ 0; NaN for fewer than
            two values.
        """
        from scipy.optimize import nnls

        names, n = [*self.groups, REST], len(values)
        if n < 2:
            return dict.fromkeys(names, float("nan"))
        deviations = values - values.mean()
        observed = [np.sum((kind.T @ deviations) ** 2) for kind in self._kinds] + [deviations @ deviations]
        expected, totals = self._expectations
        # A constant component (all values in one group) contributes nothing.
        scale = np.sqrt(np.maximum(np.diag(expected), np.finfo(float).tiny))
        variances, _ = nnls(expected / scale[:, None], np.array(observed) / scale)
        return dict(zip(names, (variances * totals / n**2).tolist(), strict=True))

    @cached_property
    def _kinds(self) -> list[_Membership]:
        """Membership in the groups of each source, but for the residual, where each value is a group of its own."""
        return [_membership(groups) for groups in self.groups.values()]

    @cached_property
    def _expectations(self) -> tuple[Float64[np.ndarray, "c c"], Float64[np.ndarray, " c"]]:
        """(c, c) contribution of unit variance of component b to the sum of squares of component a, and (c,) to the total.

        With membership Z and M = I − 11ᵀ/n, it is tr(Z_a Z_aᵀ M Z_b Z_bᵀ M), expanded to avoid n × n matrices. All sums are
        of whole numbers.
        """
        kinds, n = self._kinds, self._kinds[0].shape[0]
        sizes = [kind.T @ np.ones(n) for kind in kinds]
        totals = np.array([*(size @ size for size in sizes), n])
        both, between = (np.diag([0.0] * len(kinds) + [n]) for _ in range(2))
        for a, kind in enumerate(kinds):
            both[a, -1] = both[-1, a] = np.square(kind.data).sum()
            between[a, -1] = between[-1, a] = totals[a]
            for b in range(a, len(kinds)):
                both[a, b] = both[b, a] = _sum_of_squares(kind, kinds[b])
                between[a, b] = between[b, a] = (kind @ sizes[a]) @ (kinds[b] @ sizes[b])
        return both - 2 / n * between + np.outer(totals, totals) / n**2, totals


def _sum_of_squares(one: _Membership, other: _Membership) -> float:
    """Sum of the squares of the values that each two groups share, a block of groups after the other."""
    if one.shape[1] < other.shape[1]:
        one, other = other, one
    groups = one.T.tocsr()
    shared = one.nnz * (other.nnz // other.shape[0])  # every row has as many entries
    height = max(1, groups.shape[0] * _SHARED // shared)
    blocks = (groups[start : start + height] @ other for start in range(0, groups.shape[0], height))
    return float(sum(block.data @ block.data for block in blocks))


def _membership(groups: Int[np.ndarray, "n k"]) -> _Membership:
    """(n, g) sparse matrix: how often row t belongs to each group, from the k groups of each row."""
    from scipy.sparse import csr_array

    n, k = groups.shape
    names, group = np.unique(groups, return_inverse=True)
    rows = np.repeat(np.arange(n), k)
    return csr_array((np.ones(n * k), (rows, group.reshape(-1))), shape=(n, len(names)))
