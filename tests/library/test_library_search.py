"""Exact search in an index."""

import numpy as np
import pytest
from small_index import small_index

from bgs._errors import DataError
from bgs.library import open_index


def brute_force(vectors: np.ndarray, query: np.ndarray, k: int) -> tuple[list[int], np.ndarray]:
    """Every cosine distance in float64, sorted."""
    query = query.astype(np.float64) / np.linalg.norm(query.astype(np.float64))
    distances = np.array([1 - float(row.astype(np.float64) @ query) for row in vectors])
    order = sorted(range(len(vectors)), key=lambda i: (distances[i], i))[:k]
    return order, distances[order]


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    vectors = np.random.default_rng(0).normal(size=(2000, 48))
    vectors[7] = vectors[3]  # a tie
    return small_index(
        tmp_path_factory.mktemp("library") / "index", vectors, [f"{i:04}.mp4" for i in range(2000)]
    )


@pytest.mark.parametrize("row", [0, 3, 999, 1999])
@pytest.mark.parametrize("k", [1, 10, 2000])
def test_search_equals_brute_force(index, row, k):
    query = index.vectors[row] * 3  # of any length
    order, distances = brute_force(index.vectors, query, k)
    found = index.nearest(query, k)
    assert [one.id for one in found] == [index.ids[i] for i in order]
    np.testing.assert_allclose([one.distance for one in found], np.maximum(distances, 0), atol=1e-12)


def test_vectors_nearer_than_float32_can_tell_are_in_the_right_order(tmp_path):
    base = np.random.default_rng(1).normal(size=(1, 384))
    near = base + 3e-4 * np.random.default_rng(2).normal(size=(300, 384))
    index = small_index(tmp_path / "index", near)
    order, _ = brute_force(index.vectors, base[0], 20)
    assert [one.id for one in index.nearest(base[0], 20)] == [index.ids[i] for i in order]


def test_clips_can_be_left_out_and_k_may_be_too_large(index):
    found = index.nearest(index.vectors[3], 3, but={"0003.mp4", "elsewhere.mp4"})
    assert found[0].id == "0007.mp4"
    assert "0003.mp4" not in {one.id for one in index.nearest(index.vectors[3], 5000, but={"0003.mp4"})}
    assert len(index.nearest(index.vectors[3], 5000)) == 2000
    assert index.nearest(index.vectors[3], 5, but=set(index.ids)) == []


def test_what_is_written_is_what_is_opened(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(3, 4))
    names = ["b/é 'quoted'.mp4", "a.mp4#t=0.00,3.25", "a.mp4#t=3.25,6.50"]
    small_index(tmp_path / "index", vectors, names)
    index = open_index(tmp_path / "index")
    assert index.ids == tuple(sorted(names))
    assert index.vectors.dtype == np.float32
    scaled = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(index.vector(names[0]), scaled[0], rtol=1e-6)
    assert (index.clips[0].start, index.clips[0].end) == (0.0, 3.25)
    assert index.clips[0].path == index.folder / "a.mp4"
    assert index.clips[2].piece.is_whole
    assert index.path == tmp_path / "index"


def test_a_vector_of_another_width_and_an_unknown_id_are_refused(index):
    with pytest.raises(DataError, match=r"expected \(48,\), got \(5,\)"):
        index.nearest(np.ones(5), 3)
    with pytest.raises(DataError, match="no clip of this id"):
        index.vector("elsewhere.mp4")


def test_an_empty_index_finds_nothing(tmp_path):
    assert small_index(tmp_path / "index", np.zeros((0, 3))).nearest(np.ones(3), 5) == []
