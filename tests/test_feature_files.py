"""Features made elsewhere: every format gives the same vectors under the same ids, and faults are one line."""

from __future__ import annotations

import h5py
import numpy as np
import pandas as pd
import pytest

from bgs import BgsError, Embeddings
from bgs.feature_files import features_of, read_features

VALUES = np.arange(12, dtype=np.float32).reshape(4, 3)
IDS = ("a", "b", "c", "d")


def write_numpy(folder, ids=IDS, values=VALUES):
    np.save(folder / "clips.npy", values)
    (folder / "clips.ids.txt").write_text("\n".join(ids) + "\n")
    return folder / "clips.npy"


def write_thingsvision(folder):
    """As thingsvision leaves them: a dataset, and the names of the files beside it."""
    with h5py.File(folder / "features.hdf5", "w") as file:
        file.create_dataset("features", data=VALUES)
    (folder / "file_names.txt").write_text("\n".join(f"videos/{name}.mp4" for name in IDS))
    return folder / "features.hdf5"


def write_split_hdf5(folder):
    with h5py.File(folder / "big.h5", "w") as file:
        file.create_dataset("features_01", data=VALUES[:3])
        file.create_dataset("features_02", data=VALUES[3:])
        file.create_dataset("stimulus_id", data=list(IDS))
    return folder / "big.h5"


def write_wide_parquet(folder):
    frame = pd.DataFrame(VALUES, columns=["x", "y", "z"])
    frame.insert(0, "stimulus_id", IDS)
    frame.to_parquet(folder / "wide.parquet")
    return folder / "wide.parquet"


def write_lists_parquet(folder):
    pd.DataFrame({"stimulus_id": IDS, "features": list(VALUES)}).to_parquet(folder / "lists.parquet")
    return folder / "lists.parquet"


def write_safetensors(folder):
    Embeddings(VALUES, IDS, "made up").save(folder / "clips.safetensors")
    return folder / "clips.safetensors"


@pytest.mark.parametrize(
    "write",
    [
        write_numpy,
        write_thingsvision,
        write_split_hdf5,
        write_wide_parquet,
        write_lists_parquet,
        write_safetensors,
    ],
)
def test_every_format_gives_the_same_vectors(tmp_path, write):
    found = features_of(read_features(write(tmp_path)), ("c", "a"))
    assert found.stimulus_ids == ("c", "a")
    np.testing.assert_array_equal(found.values, VALUES[[2, 0]])


def test_ids_may_lie_elsewhere(tmp_path):
    np.save(tmp_path / "x.npy", VALUES)
    (tmp_path / "names.txt").write_text("d\nc\nb\na\n")
    found = read_features(tmp_path / "x.npy", tmp_path / "names.txt")
    np.testing.assert_array_equal(found.select(["a"]).values, VALUES[[3]])


def test_whole_numbers_become_floats(tmp_path):
    found = read_features(write_numpy(tmp_path, values=VALUES.astype(np.int32)))
    assert found.values.dtype == np.float64


def test_a_number_after_a_dot_is_no_ending_of_a_file(tmp_path):
    known = read_features(write_numpy(tmp_path, ids=("scene.1", "scene2.1", "b", "c")))
    with pytest.raises(BgsError, match=r"2 of 2 stimuli have no embedding: scene\.2, scene2\.2"):
        features_of(known, ("scene.2", "scene2.2"))


def test_blanks_around_ids_are_nothing_and_a_missing_id_is_an_error(tmp_path):
    known = read_features(write_numpy(tmp_path, ids=("a ", " b", "c", "d\r")))
    assert known.stimulus_ids == IDS
    pd.DataFrame({"stimulus_id": ["a", None], "x": [1.0, 2.0]}).to_parquet(tmp_path / "d.parquet")
    with pytest.raises(BgsError, match=r"d\.parquet, row 2: a stimulus id is missing"):
        read_features(tmp_path / "d.parquet")


def test_file_names_are_not_guessed_where_two_are_alike(tmp_path):
    known = read_features(write_numpy(tmp_path, ids=("x/a.mp4", "y/a.mp4", "b.mp4", "c.mp4")))
    with pytest.raises(BgsError, match="1 of 1 stimuli have no embedding: a"):
        features_of(known, ("a",))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: write_numpy(f, ids=IDS[:3]), r"ids and features do not match.*expected 4 ids.*got 3"),
        (lambda f: write_numpy(f, ids=("a", "a", "b", "c")), "stimulus listed twice: a"),
        (lambda f: write_numpy(f, values=VALUES.ravel()[:4]), r"not one vector a stimulus.*\(n, d\).*\(4,\)"),
        (lambda f: write_numpy(f, values=VALUES / np.where(VALUES == 5, 0, np.nan)), "an embedding is not finite"),
        (lambda f: write_numpy(f, values=VALUES.astype(str)), "not one vector a stimulus"),
        (lambda f: f / "none.npy", "no such embedding file"),
        (lambda f: f / "features.pt", "unknown kind of feature file"),
    ],
)  # fmt: skip
def test_faults_are_one_line(tmp_path, change, message):
    with np.errstate(divide="ignore", invalid="ignore"):
        path = change(tmp_path)
    with pytest.raises(BgsError, match=message) as error:
        read_features(path)
    assert "\n" not in str(error.value)


def test_pickled_objects_are_not_loaded(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    (tmp_path / "x.ids.txt").write_text("a\n")
    with pytest.raises(BgsError, match=r"x\.npy"):
        read_features(tmp_path / "x.npy")


def test_missing_ids_say_where_they_were_looked_for(tmp_path):
    np.save(tmp_path / "x.npy", VALUES)
    with pytest.raises(BgsError, match=r"no stimulus ids.*x.ids.txt or file_names.txt"):
        read_features(tmp_path / "x.npy")


def test_damaged_files_are_one_line(tmp_path):
    for name in ("x.npy", "x.hdf5", "x.parquet", "x.safetensors"):
        (tmp_path / name).write_bytes(b"no such thing")
        with pytest.raises(BgsError, match=name):
            read_features(tmp_path / name)


def test_parquet_without_ids_or_with_text_names_the_columns(tmp_path):
    pd.DataFrame({"name": IDS, "x": [1.0] * 4}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(BgsError, match=r"no stimulus ids.*stimulus_id.*name, x"):
        read_features(tmp_path / "a.parquet")
    pd.DataFrame({"stimulus_id": IDS, "x": [1.0] * 4, "label": IDS}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(BgsError, match="columns without numbers: label"):
        read_features(tmp_path / "b.parquet")
    pd.DataFrame({"stimulus_id": IDS[:2], "f": [[1.0], [1.0, 2.0]]}).to_parquet(tmp_path / "c.parquet")
    with pytest.raises(BgsError, match="vectors of unequal length"):
        read_features(tmp_path / "c.parquet")
