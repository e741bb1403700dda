"""Every public function that takes a dissimilarity matrix refuses one that says two things of a pair."""

from __future__ import annotations

import numpy as np
import pytest

from bgs._errors import DataError
from bgs._rdm import require_rdm
from bgs.evaluation import (
    disagreements,
    find_dimensions,
    partition_variance,
    permutation_p_value,
    unique_p_value,
)
from bgs.judgments import Geometry
from bgs.judgments.rated import draw_trials
from bgs.reports.rdms import imputed, rdm_figure

N = 9
_RANDOM = np.random.default_rng(0)
_HALF = np.triu(_RANDOM.random((3, N, N)), 1)
GOOD, OTHER, THIRD = _HALF + _HALF.transpose(0, 2, 1)
BAD = np.where(np.tri(N, k=-1) > 0, GOOD + 0.01, GOOD)
TRIALS = draw_trials(GOOD, 40, seed=0)
SETTINGS = {"permutations": 3, "seed": 0}

TAKERS = {
    "find_dimensions": lambda rdm: find_dimensions(rdm, [str(i) for i in range(N)], ranks=[1]),
    "partition_variance, people": lambda rdm: partition_variance(rdm, {"a": GOOD, "b": OTHER}, folds=2),
    "partition_variance, model": lambda rdm: partition_variance(THIRD, {"a": GOOD, "b": rdm}, folds=2),
    "permutation_p_value, model": lambda rdm: permutation_p_value(rdm, OTHER, **SETTINGS),
    "permutation_p_value, people": lambda rdm: permutation_p_value(OTHER, rdm, **SETTINGS),
    "unique_p_value, people": lambda rdm: unique_p_value(rdm, OTHER, [THIRD], **SETTINGS),
    "unique_p_value, model": lambda rdm: unique_p_value(OTHER, rdm, [THIRD], **SETTINGS),
    "unique_p_value, others": lambda rdm: unique_p_value(OTHER, THIRD, [rdm], **SETTINGS),
    "disagreements, base": lambda rdm: disagreements(TRIALS, rdm, OTHER),
    "disagreements, tuned": lambda rdm: disagreements(TRIALS, OTHER, rdm),
    "Geometry.from_rdm": lambda rdm: Geometry.from_rdm(rdm, TRIALS, np.arange(N)),
    "draw_trials": lambda rdm: draw_trials(rdm, 5, seed=0),
    "imputed": imputed,
    "rdm_figure": lambda rdm: rdm_figure({"people": OTHER, "model": rdm}),
}


@pytest.mark.parametrize("name", TAKERS)
def test_an_asymmetric_matrix_is_refused(name):
    with pytest.raises(DataError, match=r"not symmetric; expected the same value for a pair in either order"):
        TAKERS[name](BAD)
    TAKERS[name](GOOD)


def test_what_single_precision_leaves_is_no_asymmetry():
    require_rdm(GOOD + 1e-8 * np.tri(N), "rdm")
    require_rdm(GOOD.astype(np.float32), "rdm")
    with pytest.raises(DataError, match=r"a: not symmetric.*at \(0, 1\) and"):
        require_rdm(GOOD + 1e-4 * np.tri(N), "a")


def test_an_unknown_pair_is_unknown_in_either_order():
    unseen = GOOD.copy()
    unseen[2, 5] = unseen[5, 2] = np.nan
    require_rdm(unseen, "rdm")
    unseen[5, 2] = 0.3
    with pytest.raises(DataError, match="not symmetric"):
        require_rdm(unseen, "rdm")
    require_rdm(np.full((4, 4), np.nan), "rdm")
    with pytest.raises(DataError, match=r"not a dissimilarity matrix.*got \(9, 4\)"):
        require_rdm(GOOD[:, :4], "rdm")
