"""Model RDMs: scipy's distances, exact ties, vectors without direction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform

from bgs._errors import ConfigError, DataError
from bgs._scale import mean_of_rows
from bgs.evaluation import model_rdm, pair_vector
from bgs.evaluation.ridge import Ridge


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


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e200, 1e307])
@pytest.mark.parametrize("distance", ["cosine", "correlation"])
@pytest.mark.parametrize("centred", [False, True])
def test_embeddings_of_any_size_have_the_distances_of_their_directions(scale, distance, centred):
    values = np.random.default_rng(0).normal(size=(15, 6))
    mean, large = values.mean(axis=0), mean_of_rows(values * scale)
    found = model_rdm(values * scale, distance, large if centred else None)
    np.testing.assert_allclose(found, model_rdm(values, distance, mean if centred else None), atol=1e-11)


def test_each_vector_has_a_scale_of_its_own():
    values = np.random.default_rng(0).normal(size=(15, 6))
    sizes = 10.0 ** np.random.default_rng(1).uniform(-290, 290, size=15)
    np.testing.assert_allclose(model_rdm(values * sizes[:, None]), model_rdm(values), atol=1e-11)


def test_denormal_and_half_precision_numbers():
    whole = np.random.default_rng(0).integers(-9, 10, size=(12, 5)).astype(np.float64)
    np.testing.assert_array_equal(model_rdm(whole * 5e-324), model_rdm(whole))
    half = (whole * 4096).astype(np.float16)
    np.testing.assert_array_equal(model_rdm(half), model_rdm(whole * 4096))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(bad):
    values = np.eye(4)
    values[2, 1] = bad
    with pytest.raises(DataError, match="expected finite numbers"):
        model_rdm(values)
    with pytest.raises(DataError, match="expected finite numbers"):
        model_rdm(np.eye(4), center=values[2])


@pytest.mark.parametrize("spread", [1e-3, 1e-5, 1e-7, 1e-8])
def test_small_angles_keep_their_order(spread):
    """1 − cosine of vectors this close is 1e-6 to 1e-16: rounded to 12 decimals, their order would be lost."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(20, 6))
    noise[:, 0] = 0
    found = pair_vector(model_rdm(np.eye(6)[0] + spread * noise))
    exact = pdist(noise, "sqeuclidean") * spread**2 / 2
    np.testing.assert_allclose(found, exact, rtol=max(10 * spread, 1e-3))
    assert len(np.unique(found)) == 190


def test_parallel_vectors_still_tie_exactly():
    rng = np.random.default_rng(0)
    rows, sizes = rng.normal(size=(5, 64)), rng.uniform(0.1, 10, size=40)
    label = rng.integers(5, size=40)
    rdm = model_rdm(rows[label] * sizes[:, None])
    same = label[:, None] == label[None]
    assert (rdm[same] == 0).all()
    assert len(np.unique(rdm[~same])) == 10


def test_what_rounding_would_decide_is_refused():
    noise = np.random.default_rng(0).normal(size=(20, 6))
    with pytest.raises(DataError, match=r"pairs of embeddings are too similar.*centre them"):
        model_rdm(1.0 + 1e-13 * noise)
    close = 1.0 + 1e-11 * noise  # centred, there is enough left of these
    expected = pdist(noise - noise.mean(axis=0), "cosine")
    np.testing.assert_allclose(pair_vector(model_rdm(close, center=close.mean(axis=0))), expected, atol=1e-4)
    with pytest.raises(DataError, match="differ only by rounding error"):
        model_rdm(1.0 + 1e-15 * noise, center=np.ones(6))


def test_one_pair_of_near_copies_is_no_reason_to_refuse():
    values = np.random.default_rng(0).normal(size=(20, 6))
    values[7] = values[3] + 1e-12
    assert model_rdm(values)[3, 7] == pytest.approx(0, abs=1e-20)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_probes_read_features_of_any_size(scale):
    rng = np.random.default_rng(0)
    features, targets = rng.normal(size=(30, 4)), rng.normal(size=(30, 2))
    plain = Ridge.fit(features[:20], targets[:20], features[20:]).deviations()
    scaled = Ridge.fit(features[:20] * scale, targets[:20], features[20:] * scale).deviations()
    np.testing.assert_allclose(scaled, plain, rtol=1e-9)
