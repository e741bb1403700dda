"""Model RDMs: scipy's distances, exact ties, vectors without direction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform

from bgs._errors import ConfigError
from bgs.evaluation import model_rdm, pair_vector


@pytest.mark.parametrize("distance", ["cosine", "correlation", "euclidean"])
def test_agrees_with_scipy(distance):
    values = np.random.default_rng(0).normal(size=(20, 7))
    np.testing.assert_allclose(model_rdm(values, distance), squareform(pdist(values, distance)), atol=1e-11)


def test_centring_subtracts_first():
    rng = np.random.default_rng(0)
    values, mean = rng.normal(size=(9, 5)) + 3, rng.normal(size=5)
    np.testing.assert_allclose(
        model_rdm(values, center=mean), squareform(pdist(values - mean, "cosine")), atol=1e-11
    )


@pytest.mark.parametrize("distance", ["cosine", "correlation", "euclidean"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", [1, 3, 384])
def test_a_collapsed_embedding_ties_everywhere(distance, dtype, width):
    row = np.random.default_rng(width).normal(size=width).astype(dtype)
    values = np.tile(row, (50, 1))
    for center in (None, values.astype(np.float64).mean(axis=0), values.mean(axis=0)):
        assert len(np.unique(pair_vector(model_rdm(values, distance, center)))) == 1


@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_identical_rows_are_at_identical_distances(seed, distinct):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(distinct, 33)).astype(np.float32)
    label = rng.integers(distinct, size=17)
    rdm = model_rdm(rows[label], center=rows.mean(axis=0))
    for i, j in zip(*np.nonzero(label[:, None] == label[None]), strict=True):
        others = np.setdiff1d(np.arange(17), [i, j])
        assert (rdm[i, others] == rdm[j, others]).all()
    assert (rdm == rdm.T).all()
    assert (np.diag(rdm) == 0).all()


def test_equal_angles_tie_whatever_the_lengths():
    values = np.array([[1.0, 0.3, 0.1], [3.0, 0.9, 0.3], [0.7, 0.21, 0.07], [0.2, -1.0, 0.5]])
    rdm = model_rdm(values)
    assert rdm[0, 3] == rdm[1, 3] == rdm[2, 3]
    assert rdm[0, 1] == rdm[0, 2] == 0


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_euclidean_distances_tie_at_every_scale_and_wherever_the_middle_lies(scale):
    values = np.array([[0.1, 0.2], [0.1 + 0.3, 0.2], [0.1, 0.2 + 0.3], [0.1, 0.2]]) * scale
    rdm = model_rdm(values, "euclidean")
    assert rdm[0, 1] == rdm[0, 2] == rdm[3, 1] > 0
    assert rdm[0, 1] == pytest.approx(0.3 * scale)
    assert rdm[0, 3] == 0
    assert (rdm == rdm.T).all()
    shifted = model_rdm(values, "euclidean", center=np.array([7.0, 8.0]) * scale)
    np.testing.assert_array_equal(rdm, shifted)


def test_a_vector_without_direction_has_similarity_zero():
    assert model_rdm(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]]))[0].tolist() == [0, 1, 1]


def test_unknown_distance():
    with pytest.raises(ConfigError, match="cosine or correlation or euclidean"):
        model_rdm(np.eye(3), "euclid")
