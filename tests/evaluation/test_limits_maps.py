"""The maps of reproduce/limits.py on a small planted geometry."""

from __future__ import annotations

import numpy as np
import pytest

from reproduce_scripts import load_script

maps = load_script("limits_maps")

N, TRAIN, HELD = 60, np.arange(45), np.arange(45, 60)


@pytest.fixture
def planted():
    """Features of which the first two of twelve columns alone count, and dissimilarities that they make."""
    features = np.random.default_rng(0).normal(size=(N, 12))
    return features, -features[:, :2] @ features[:, :2].T


def test_a_map_finds_what_counts_and_reads_nothing_of_clips_held_out(planted):
    features, rdm = planted
    kernel = maps.linear_kernel(features, TRAIN)
    learned = maps.pair_maps(kernel, rdm, TRAIN, HELD, (1e-4,))[0]
    assert maps.score(maps.cosine_rdm(kernel, HELD), rdm, HELD) < 0.6 < 0.99 < maps.score(learned, rdm, HELD)
    hidden = rdm.copy()
    hidden[HELD], hidden[:, HELD] = np.nan, np.nan
    np.testing.assert_array_equal(maps.pair_maps(kernel, hidden, TRAIN, HELD, (1e-4,))[0], learned)


def test_the_closed_form_is_ridge_regression_over_pairs(planted):
    """Beside least squares over all products of features, where every pair and the diagonal are known."""
    features, rdm = planted
    train, held, ridge = TRAIN[:20], HELD, 0.5
    kernel = maps.linear_kernel(features, train)
    points = (features - features[train].mean(axis=0)) / np.sqrt(
        ((features[train] - features[train].mean(axis=0)) ** 2).sum(axis=1).mean()
    )
    points = np.hstack([points, np.ones((N, 1))])
    rdm = np.where(np.eye(N, dtype=bool), np.nan, rdm)
    learned = maps.pair_maps(kernel, rdm, train, held, (ridge,))[0]
    first, second = np.triu_indices(20, 1)
    slope, level = np.polyfit(kernel[:20, :20][first, second], -rdm[:20, :20][first, second], 1)
    target = -rdm[:20, :20] - level - slope * kernel[:20, :20]
    design = np.einsum("ia,jb->ijab", points[train], points[train]).reshape(400, -1)
    filled = np.nan_to_num(target)
    for _ in range(maps._FILLED):  # the diagonal is filled in as the routine does
        weights = np.linalg.solve(design.T @ design + ridge * np.eye(169), design.T @ filled.ravel())
        filled = np.where(np.isfinite(target), target, (design @ weights).reshape(20, 20))
    weights = np.linalg.solve(design.T @ design + ridge * np.eye(169), design.T @ filled.ravel())
    expected = (
        level + slope * kernel[np.ix_(held, held)] + points[held] @ weights.reshape(13, 13) @ points[held].T
    )
    np.testing.assert_allclose(learned, -expected, atol=1e-8)
