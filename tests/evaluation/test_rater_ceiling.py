"""The ceiling of rated similarity: as high as a model that knows every clip's true distribution gets."""

from __future__ import annotations

import numpy as np
import pytest

from bgs import BgsError
from bgs.evaluation import pair_vector, spearman
from bgs.evaluation.rater_ceiling import rater_ceiling
from bgs.judgments.rated import hellinger_rdm


@pytest.mark.parametrize("raters", [20, 80])
def test_it_is_what_the_true_distributions_reach(raters):
    gaps = []
    for world in range(6):
        random = np.random.default_rng(world)
        true = random.dirichlet(np.full(6, 0.5), size=24)
        votes = np.stack([random.multinomial(raters, row) for row in true])
        reached = spearman(
            pair_vector(hellinger_rdm(true)), pair_vector(hellinger_rdm(votes.astype(np.float64)))
        )
        found = rater_ceiling(votes)
        assert found.low < found.value < found.high <= 1
        assert found.n == 276
        gaps.append(found.value - reached)
    assert abs(np.mean(gaps)) < 0.02


def test_many_raters_leave_no_noise_and_one_cannot_be_split():
    votes = np.random.default_rng(0).integers(1, 9, size=(12, 4))
    assert rater_ceiling(votes * 10_000).value > 0.995
    with pytest.raises(BgsError, match="too few raters to split; expected at least 2"):
        rater_ceiling(np.eye(12, dtype=np.int64))
