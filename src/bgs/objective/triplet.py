"""Local supervision: losses on odd-one-out trials."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor


def hinge_violations(
    pairs: Float[Tensor, "t 3"], odd: Int[Tensor, " t"], margin: float
) -> Float[Tensor, " c"]:
    """(2t,) hinge of both anchors of every trial, ≥ 0.

    For the kept pair (a, b) and the odd one o, with cosine distances d:
    ``max(0, margin + d(a, b) − d(a, o))`` and ``max(0, margin + d(a, b) − d(b, o))``.

    Args:
        pairs: (t, 3) similarities from :func:`~bgs.objective.distances.pair_similarities`.
        odd: (t,) slot of the odd one.
        margin: distance by which the odd one should be farther away.
    """
    kept = pairs.gather(1, odd[:, None])
    others = pairs[torch.arange(3, device=odd.device) != odd[:, None]].reshape(-1, 2)
    return torch.relu(margin + others - kept).flatten()


def hinge_loss(
    pairs: Float[Tensor, "t 3"], odd: Int[Tensor, " t"], margin: float = 0.2, hard_negatives: int = 0
) -> Float[Tensor, ""]:
    """Mean hinge over both anchors of every trial (Garcia & Isik, arXiv 2510.01502, cosine, margin .2).

    ``hard_negatives`` is the number of most violated constraints that are counted twice: the budget-matched
    control, which adds as many constraints to the triplets as the RSA term would.
    """
    violations = hinge_violations(pairs, odd, margin)
    if hard_negatives:
        hardest = violations.topk(min(hard_negatives, len(violations))).values
        violations = torch.cat([violations, hardest])
    return violations.mean()


def choice_loss(
    pairs: Float[Tensor, "t 3"], odd: Int[Tensor, " t"], temperature: float = 0.1
) -> Float[Tensor, ""]:
    """Mean negative log-likelihood of the choices, in nats (chance: log 3).

    The probability that slot k is the odd one is the softmax over the three pair similarities divided by
    ``temperature`` (Luce's choice rule, as in Hebart et al. 2020).
    """
    return torch.nn.functional.cross_entropy(pairs / temperature, odd)
