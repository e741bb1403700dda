"""Pooled held-out RSA against scipy on literally replicated pairs, and on planted truths."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from bgs import BgsError
from bgs.evaluation.folds import HeldOutFold, _Prepared, pooled_rsa


def make_folds(
    n: int = 24, k: int = 3, noise: float = 1.0, seed: int = 0, unknown: float = 0.1
) -> list[HeldOutFold]:
    random = np.random.default_rng(seed)
    truth = random.normal(size=(n, 3))
    folds = []
    for positions in np.split(random.permutation(n), k):
        points = truth[np.sort(positions)]
        human = np.linalg.norm(points[:, None] - points[None], axis=-1).round(1)
        hidden = np.triu(random.random(human.shape) < unknown, 1)
        good = points + noise * random.normal(size=points.shape)
        bad = random.normal(size=points.shape)
        models = np.stack([np.linalg.norm(x[:, None] - x[None], axis=-1) for x in (bad, good)])
        folds.append(HeldOutFold(np.sort(positions), np.where(hidden | hidden.T, np.nan, human), models))
    return folds


def test_value_is_the_mean_of_scipys_correlations_within_folds():
    folds = make_folds()
    metrics, differences = pooled_rsa(folds, 24, resamples=50)
    expected = np.zeros(2)
    for fold in folds:
        upper = np.triu_indices(len(fold.positions), 1)
        known = np.isfinite(fold.human[upper])
        expected += [spearmanr(rdm[upper][known], fold.human[upper][known])[0] / 3 for rdm in fold.models]
    assert [metric.value for metric in metrics] == pytest.approx(expected)
    assert differences[0].value == pytest.approx(expected[1] - expected[0])
    assert metrics[0].n == sum(len(_Prepared.of(fold).first) for fold in folds)


def test_a_resample_is_the_replicated_list_of_pairs():
    fold = make_folds(n=8, k=1)[0]
    copies = np.array([0, 2, 1, 3, 0, 1, 1, 2])
    drawn = np.repeat(np.arange(8), copies)
    x, y = [], []
    for a in range(len(drawn)):
        for b in range(a + 1, len(drawn)):
            i, j = drawn[a], drawn[b]
            if i != j and np.isfinite(fold.human[i, j]):
                x.append(fold.models[1, i, j])
                y.append(fold.human[i, j])
    assert _Prepared.of(fold).spearman(copies[None].astype(float))[0, 1] == pytest.approx(spearmanr(x, y)[0])


def test_a_better_model_is_found_better_and_an_equal_one_is_not():
    metrics, differences = pooled_rsa(make_folds(n=60, noise=0.3), 60, resamples=300)
    assert metrics[1].low > 0.5
    assert differences[0].low > 0
    same = [HeldOutFold(f.positions, f.human, np.stack([f.models[1]] * 2)) for f in make_folds()]
    _, differences = pooled_rsa(same, 24, resamples=100)
    assert (differences[0].value, differences[0].low, differences[0].high) == (0, 0, 0)


def test_folds_must_match():
    folds = make_folds()
    with pytest.raises(BgsError, match="folds do not match"):
        pooled_rsa([folds[0], HeldOutFold(folds[1].positions, folds[1].human, folds[1].models[:1])], 24)
    with pytest.raises(BgsError, match="folds do not match"):
        pooled_rsa([], 24)
