"""The noise ceiling of an RSA with distances between raters' label distributions: how far new raters would move them."""

from __future__ import annotations

from statistics import fmean

import numpy as np

from bgs._errors import DataError
from bgs._rng import generator
from bgs._typing import Float64, Int
from bgs.evaluation.against_rdm import clip_reach
from bgs.evaluation.designs import bounded
from bgs.evaluation.rdm import pair_vector
from bgs.evaluation.result import Metric
from bgs.evaluation.rsa import spearman
from bgs.judgments.rated import hellinger_rdm

#: Random splits of the raters; their mean is used.
SPLITS = 20


def rater_ceiling(votes: Int[np.ndarray, "n k"], seed: int = 0) -> Metric:
    """Expected Spearman correlation of the Hellinger RDM with that of very many raters: √(2r / (1 + r)).

    r is the correlation between two random halves of every clip's raters (mean over :data:`SPLITS`); Spearman and Brown's
    formula gives the reliability of all of them, whose root bounds the correlation of any model. The interval is a jackknife over
    clips.

    Args:
        votes: (n, k) how many raters chose each label.
        seed: of the splits.

    Raises:
        DataError: a clip has fewer than two raters.
    """
    if (votes.sum(axis=1) < 2).any():
        clip = int(votes.sum(axis=1).argmin())
        raise DataError("too few raters to split", where=f"stimulus {clip}", expected="at least 2")
    random = generator(seed, "rater ceiling")
    halves = [_halves(votes, random) for _ in range(SPLITS)]
    value = _ceiling(halves, np.ones(len(votes), dtype=bool))
    without = np.array([_ceiling(halves, np.arange(len(votes)) != clip) for clip in range(len(votes))])
    low, high = bounded(value, clip_reach(without), (-1.0, 1.0))
    return Metric(
        value, low, high, len(votes) * (len(votes) - 1) // 2, "Spearman rho", {"clips": (low, high)}
    )


def _halves(votes: Int[np.ndarray, "n k"], random: np.random.Generator) -> Float64[np.ndarray, "2 n n"]:
    first = np.stack([random.multivariate_hypergeometric(row, int(row.sum()) // 2) for row in votes])
    return np.stack([hellinger_rdm(half.astype(np.float64)) for half in (first, votes - first)])


def _ceiling(halves: list[Float64[np.ndarray, "2 n n"]], kept: np.ndarray) -> float:
    r = fmean([
        spearman(*(pair_vector(rdm[np.ix_(kept, kept)]) for rdm in pair)) for pair in halves
    ])  # fmt: skip
    return float(np.sqrt(max(0.0, 2 * r / (1 + r))))
