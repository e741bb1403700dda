"""Embeddings: aligned by id, finite, and the same after a round trip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bgs._errors import BgsError, DataError
from bgs.embeddings import Embeddings

EMBEDDINGS = Embeddings(
    np.arange(6, dtype=np.float32).reshape(3, 2), ("a", "b", "ç"), "test", {"version": "1"}
)


def test_round_trip(tmp_path: Path) -> None:
    EMBEDDINGS.save(tmp_path / "e.safetensors")
    loaded = Embeddings.load(tmp_path / "e.safetensors")
    np.testing.assert_array_equal(loaded.values, EMBEDDINGS.values)
    assert loaded.values.dtype == EMBEDDINGS.values.dtype
    assert (loaded.stimulus_ids, loaded.source, loaded.details) == (("a", "b", "ç"), "test", {"version": "1"})
    assert loaded.hash() == EMBEDDINGS.hash()
    assert [path.name for path in tmp_path.iterdir()] == ["e.safetensors"]


def test_select_goes_by_id() -> None:
    assert EMBEDDINGS.select(["ç", "a"]).values.tolist() == [[4.0, 5.0], [0.0, 1.0]]


def test_missing_stimuli_are_named() -> None:
    with pytest.raises(DataError, match="2 of 3 stimuli have no embedding: x, y"):
        EMBEDDINGS.select(["x", "a", "y"])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_must_be_finite(bad: float) -> None:
    values = EMBEDDINGS.values.copy()
    values[1, 0] = bad
    with pytest.raises(DataError, match=r"not finite.*NaN or inf for b"):
        Embeddings(values, ("a", "b", "c"), "test")


def test_ids_must_match_the_rows() -> None:
    with pytest.raises(DataError, match=r"expected \(2, d\) values, got shape \(3, 2\)"):
        Embeddings(EMBEDDINGS.values, ("a", "b"), "test")
    with pytest.raises(DataError, match="stimulus listed twice: a"):
        Embeddings(EMBEDDINGS.values, ("a", "b", "a"), "test")


def test_files_that_are_no_embeddings(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    path = tmp_path / "e.safetensors"
    with pytest.raises(BgsError, match="no such embedding file"):
        Embeddings.load(path)
    path.write_bytes(b"not safetensors at all")
    with pytest.raises(DataError, match="not a safetensors file"):
        Embeddings.load(path)
    save_file({"weights": np.zeros(3)}, path)
    with pytest.raises(DataError, match="not an embedding file; expected bgs-embeddings/1"):
        Embeddings.load(path)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "e.safetensors"
    EMBEDDINGS.save(path)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DataError, match="not a safetensors file"):
        Embeddings.load(path)


def test_an_unwritable_place_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BgsError, match="cannot write"):
        EMBEDDINGS.save(tmp_path / "file" / "e.safetensors")


def test_centred_embeddings_have_no_mean_and_keep_what_else_they_are():
    whole = Embeddings(
        np.array([[1.0, 2.0], [3.0, 6.0]], dtype=np.float32), ("a", "b"), "somewhere", {"k": "v"}
    )
    own = whole.centred()
    np.testing.assert_array_equal(own.values, [[-1.0, -2.0], [1.0, 2.0]])
    assert (own.stimulus_ids, own.source, own.details) == (whole.stimulus_ids, whole.source, whole.details)


def test_half_precision_that_overflowed_is_said():
    values = np.array([[1.0, 2.0], [3.0, np.inf]], dtype=np.float16)  # what 70,000 becomes
    with pytest.raises(DataError, match=r"not finite.*got NaN or inf for b \(the largest float16 is 65,504"):
        Embeddings(values, ("a", "b"), "half")


@pytest.mark.parametrize("scale", [1e-300, 1e307])
def test_embeddings_of_any_size_can_be_centred(scale):
    values = np.random.default_rng(0).normal(size=(40, 3))
    found = Embeddings(values * scale, tuple(map(str, range(40))), "far").centred().values
    np.testing.assert_allclose(found / scale, values - values.mean(axis=0), atol=1e-12)


def test_vectors_without_numbers_are_refused() -> None:
    with pytest.raises(
        DataError, match=r"model: embeddings without dimensions; expected \(n, d\) values, d ≥ 1"
    ):
        Embeddings(np.zeros((2, 0)), ("a", "b"), "model")
