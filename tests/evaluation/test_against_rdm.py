"""Embeddings against a matrix alone: its intervals hold the truth in matrices whose geometry is known."""

from __future__ import annotations

import numpy as np
import pytest

from bgs.embeddings import Embeddings
from bgs.evaluation import evaluate_rdm, model_rdm
from bgs.judgments import RDM


def drawn(rng, n, noise):
    """A noisy human matrix of n clips, and two models that see the clips more or less well."""
    clips = rng.normal(size=(n, 4))
    errors = noise * np.triu(rng.normal(size=(n, n)), 1)
    ids = tuple(map(str, range(n)))
    models = [Embeddings(clips + k * rng.normal(size=clips.shape), ids, "model") for k in (0.7, 0.9)]
    return RDM(model_rdm(clips) + errors + errors.T, ids), models


@pytest.mark.parametrize("noise", [0.15, 0.6])
@pytest.mark.parametrize("n", [8, pytest.param(20, marks=pytest.mark.slow)])
def test_intervals_hold_the_truth(n, noise):
    """200 matrices: a standard error of 1.5 %. Wide rather than narrow: noise of pairs counts twice."""
    rng = np.random.default_rng(n)
    sets = [drawn(rng, n, noise) for _ in range(200)]
    found = [evaluate_rdm(a, human, against=b, permutations=0, center=False) for human, (a, b) in sets]
    for where, name in (
        ("metrics", "rsa_spearman"),
        ("metrics", "rsa_pearson"),
        ("differences", "rsa_spearman"),
    ):
        metrics = [getattr(each, where)[name] for each in found]
        truth = np.mean([metric.value for metric in metrics])
        held = np.mean([metric.low <= truth <= metric.high for metric in metrics])
        assert held >= 0.92, (where, name, held)


def test_the_jackknife_by_hand():
    rng = np.random.default_rng(3)
    human, (model, other) = drawn(rng, 9, 0.3)
    whole = evaluate_rdm(model, human, against=other, permutations=0, center=False)
    left = []
    for clip in range(9):
        keep = np.arange(9) != clip
        ids = [name for name, kept in zip(human.stimulus_ids, keep, strict=True) if kept]
        smaller = RDM(human.values[np.ix_(keep, keep)], ids)
        left.append(evaluate_rdm(model, smaller, against=other, permutations=0, center=False))
    z = np.arctanh([each.metrics["rsa_pearson"].value for each in left])
    reach = 2.306004135 * np.sqrt(8 / 9 * np.sum((z - z.mean()) ** 2))
    metric = whole.metrics["rsa_pearson"]
    assert (metric.low, metric.high) == pytest.approx(
        tuple(np.tanh(np.arctanh(metric.value) + np.array([-reach, reach])))
    )
    gaps = np.array([each.differences["rsa_spearman"].value for each in left])
    reach = 2.306004135 * np.sqrt(8 / 9 * np.sum((gaps - gaps.mean()) ** 2))
    difference = whole.differences["rsa_spearman"]
    assert difference.high - difference.value == pytest.approx(reach)


def test_a_model_that_is_the_matrix_and_clips_that_are_few():
    rng = np.random.default_rng(0)
    clips, ids = rng.normal(size=(8, 3)), tuple("abcdefgh")
    same = evaluate_rdm(Embeddings(clips, ids, "x"), RDM(model_rdm(clips), ids), permutations=0, center=False)
    assert same.metrics["rsa_spearman"].value == pytest.approx(1.0)
    few = RDM(model_rdm(clips[:4]), ids[:4])
    found = evaluate_rdm(Embeddings(clips, ids, "x"), few, permutations=0)
    assert np.isnan(found.metrics["rsa_spearman"].low)
    assert any("too few" in warning for warning in found.warnings)
