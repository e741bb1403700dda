"""Adjusted p-values by hand and against scipy; bootstrap p-values against their interval."""

from __future__ import annotations

import numpy as np
import pytest

from bgs.evaluation import benjamini_hochberg
from bgs.evaluation.resampling import clip_copies, clip_spread, percentile_interval, two_sided_p


def test_by_hand():
    # Sorted: .01·4/1 = .04, .02·4/2 = .04, .03·4/3 = .04, .50·4/4 = .50
    assert benjamini_hochberg(np.array([0.5, 0.01, np.nan, 0.03, 0.02])) == pytest.approx(
        [0.5, 0.04, np.nan, 0.04, 0.04], nan_ok=True
    )
    assert benjamini_hochberg(np.array([0.04, 0.9])) == pytest.approx([0.08, 0.9])
    assert benjamini_hochberg(np.zeros(0)).shape == (0,)


def step_up(p: np.ndarray, share: float) -> list[bool]:
    """Benjamini & Hochberg's own words: let k be the largest i with p_(i) ≤ i/m · share; reject the k smallest."""
    tested = sorted(value for value in p if not np.isnan(value))
    passing = [i for i, value in enumerate(tested, 1) if value <= i / len(tested) * share]
    return [bool(passing) and value <= tested[passing[-1] - 1] for value in p]


@pytest.mark.parametrize("seed", range(20))
def test_what_is_called_is_what_the_step_up_rule_rejects(seed):
    rng = np.random.default_rng(seed)
    p = rng.random(40) ** 3
    p[rng.random(40) < 0.2] = np.nan
    for share in (0.01, 0.05, 0.2):
        assert (benjamini_hochberg(p) <= share).tolist() == step_up(p, share)
    assert np.isnan(benjamini_hochberg(np.full(3, np.nan))).all()


def test_p_is_below_5_percent_where_the_interval_leaves_0_out():
    for value in np.linspace(0, 3, 31):
        draws = np.random.default_rng(1).normal(size=1999)
        low, _ = percentile_interval(draws, value, (-9.0, 9.0), spread=0.8)
        assert (two_sided_p(draws, value, spread=0.8) < 0.05) == (low > 0) or abs(low) < 0.01
    assert two_sided_p(np.zeros(99), 0.0) == 1.0
    assert np.isnan(two_sided_p(np.full(9, np.nan), 0.0))


def test_pair_noise_counts_once():
    """Independent noise in every pair: its mean varies by σ²/p, three times as much in a bare bootstrap of clips."""
    n = 60
    noise = np.random.default_rng(2).normal(size=n * (n - 1) // 2)
    first, second = np.triu_indices(n, 1)
    copies = clip_copies(n, 2000, 0)
    weights = copies[:, first] * copies[:, second]
    by_clip = weights @ noise / weights.sum(axis=1)
    units = np.random.default_rng(3).multinomial(len(noise), np.full(len(noise), 1 / len(noise)), size=2000)
    by_pair = units @ noise / len(noise)
    assert by_clip.var() * len(noise) == pytest.approx(3.0, rel=0.4)
    left = 1.0 - np.eye(n)
    left = left[:, first] * left[:, second]
    spread = clip_spread(by_clip, left @ noise / left.sum(axis=1), by_pair)
    assert spread**2 * by_clip.var() * len(noise) == pytest.approx(1.0, rel=0.4)
    assert np.isnan(clip_copies(1, 3, 0)).all()
