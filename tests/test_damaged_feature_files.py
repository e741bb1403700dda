"""Files of features that were damaged, or written in many parts."""

from __future__ import annotations

import os

import h5py
import numpy as np
import pandas as pd
import pytest

from bgs import BgsError
from bgs.feature_files import read_features

VALUES = np.arange(12, dtype=np.float32).reshape(4, 3)
IDS = ("a", "b", "c", "d")


@pytest.mark.parametrize("name", ["features_{}", "features_{:02d}"])
def test_parts_are_in_the_order_of_their_numbers(tmp_path, name):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for k in range(1, 103):
            file.create_dataset(name.format(k), data=np.full((1, 2), k, dtype=np.float32))
        file.create_dataset("stimulus_id", data=[f"clip {k}" for k in range(1, 103)])
    np.testing.assert_array_equal(read_features(tmp_path / "x.h5").values[:, 0], np.arange(1, 103))


def test_other_datasets_are_no_parts(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("features", data=VALUES)
        file.create_dataset("features_mean", data=VALUES.mean(axis=0))
        file.create_dataset("stimulus_id", data=list(IDS))
    np.testing.assert_array_equal(read_features(tmp_path / "x.h5").values, VALUES)


def empty(path):
    path.write_bytes(b"")


def archive(path):
    np.savez(path.with_suffix(".npz"), a=VALUES)
    os.replace(path.with_suffix(".npz"), path)


def truncated(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("features", data=VALUES)
        file.create_dataset("stimulus_id", data=list(IDS))
    os.truncate(path, path.stat().st_size - 800)


def no_rows(path):
    pd.DataFrame({"stimulus_id": [], "f": []}).to_parquet(path)


def no_vector(path):
    pd.DataFrame({"stimulus_id": IDS, "f": [[1.0, 2.0], None, [1.0, 2.0], [3.0, 4.0]]}).to_parquet(path)


def flipped(path):
    pd.DataFrame({"stimulus_id": IDS, "f": [1.0, 2.0, 3.0, 4.0]}).to_parquet(path)
    data = path.read_bytes()
    path.write_bytes(data[:40] + bytes(30) + data[70:])


def test_a_table_without_rows_has_no_features(tmp_path):
    no_rows(tmp_path / "x.parquet")
    with pytest.raises(BgsError, match="1 of 1 stimuli have no embedding"):
        read_features(tmp_path / "x.parquet").select(["a"])


@pytest.mark.parametrize(
    ("suffix", "write"),
    [
        ("npy", empty),
        ("npy", archive),
        ("h5", truncated),
        ("parquet", no_vector),
        ("parquet", flipped),
    ],
)
def test_damage_is_one_line(tmp_path, suffix, write):
    path = tmp_path / f"x.{suffix}"
    write(path)
    (tmp_path / "x.ids.txt").write_text("\n".join(IDS))
    with pytest.raises(BgsError, match="x\\.") as error:
        read_features(path)
    assert "\n" not in str(error.value)
