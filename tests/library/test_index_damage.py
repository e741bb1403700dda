"""A damaged table is opened at its last whole version, or named with the way out."""

from __future__ import annotations

import json
import sys
from types import ModuleType

import numpy as np
import pytest
from small_index import row, small_index

from bgs._errors import DataError
from bgs.library import open_index
from bgs.library.about import KEY
from bgs.library.place import Place
from bgs.library.table import NAME, ClipTable
from no_room import no_room


@pytest.fixture
def index(tmp_path):
    """Three clips in one change, one more in a later change."""
    index = small_index(tmp_path / "index", np.eye(4)[:3])
    ClipTable.open(index.place).add([row("later.mp4")], np.eye(4, dtype=np.float32)[3:])
    return tmp_path / "index"


def manifests(index):
    """Newest first."""
    return sorted((index / f"{NAME}.lance" / "_versions").glob("*.manifest"))


@pytest.mark.parametrize("length", [0, 3, 50])
def test_a_manifest_cut_short_is_left_out(index, length, caplog):
    newest = manifests(index)[0]
    newest.write_bytes(newest.read_bytes()[:length])
    found = open_index(index)
    assert len(found) == 3
    assert "the last change of this index was not written whole" in caplog.text
    table = ClipTable.open(found.place)
    table.add([row("later.mp4")], np.eye(4, dtype=np.float32)[3:])
    assert open_index(index).ids[-1] == "later.mp4"


def test_an_index_of_which_no_version_is_left_is_named(index):
    for path in manifests(index):
        path.write_bytes(b"")
    with pytest.raises(
        DataError, match=r"index: the index is damaged: .*delete this folder and run `bgs index` again"
    ):
        open_index(index)


def test_a_change_that_finds_no_room_is_not_made_and_can_be_made_again(index):
    before, table = open_index(index).ids, ClipTable.open(Place.of(index))
    rows = [row(f"new-{k}.mp4") for k in range(400)]
    vectors = np.eye(4, dtype=np.float32)[np.arange(400) % 4]
    with (
        no_room(2_000),
        pytest.raises(DataError, match=r"index: .*make room, then run the same command again"),
    ):
        table.add(rows, vectors)
    assert open_index(index).ids == before
    ClipTable.open(Place.of(index)).add(rows, vectors)
    assert len(open_index(index)) == 404


@pytest.mark.parametrize("wrong", [1.001, np.inf])
def test_a_vector_that_has_changed_on_disk_is_noticed_by_its_length(index, wrong):
    vectors = np.eye(4, dtype=np.float32)[:2]
    vectors[1, 1] = wrong
    ClipTable.open(Place.of(index)).add([row("a.mp4"), row("b.mp4")], vectors)
    with pytest.raises(DataError, match=r"index: damaged: vectors are not of length 1; got 1 of 6 .*again"):
        open_index(index)


def test_a_lost_data_file_is_named(index):
    for path in (index / f"{NAME}.lance" / "data").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"cannot be read or written.*delete it and run `bgs index` again"):
        open_index(index)


def test_other_tables_and_versions_are_refused(tmp_path):
    import lancedb
    import pyarrow as pa

    plain = pa.schema([("id", pa.string())])
    for name, metadata in {
        "other": None,
        "old": {KEY: json.dumps({"format": "bgs-index/0", "version": "0.0.1"})},
    }.items():
        lancedb.connect(tmp_path / name).create_table(NAME, schema=plain.with_metadata(metadata))
    with pytest.raises(DataError, match="not an index of bgs"):
        open_index(tmp_path / "other")
    with pytest.raises(
        DataError, match=r"another version of bgs; expected bgs-index/1, got bgs-index/0 of bgs 0.0.1"
    ):
        open_index(tmp_path / "old")
    with pytest.raises(DataError, match="no index here"):
        open_index(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_table_of_many_changes_is_rewritten_and_keeps_its_rows(tmp_path, monkeypatch):
    monkeypatch.setattr("bgs.library.table._MANY_FILES", 3)
    small_index(tmp_path / "index", np.eye(8)[:1])
    table = ClipTable.open(Place.of(tmp_path / "index"))
    for i in range(5):
        table.add([row(f"more-{i}.mp4")], np.eye(8, dtype=np.float32)[i + 1 : i + 2])
    table.tidy()
    assert len(open_index(tmp_path / "index")) == 6


def test_a_folder_named_datasets_is_not_the_package_of_that_name(tmp_path, monkeypatch):
    """Libraries that look for Hugging Face's leave a namespace package behind, which LanceDB would import from."""
    monkeypatch.setitem(sys.modules, "datasets", ModuleType("datasets"))
    monkeypatch.setattr("lancedb.scannable._registered_modules", set())
    assert len(small_index(tmp_path / "index", np.eye(2))) == 2
    assert "datasets" in sys.modules
