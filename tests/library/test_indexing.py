"""Indexing a folder: what is embedded, what is not, and what is kept."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from moving_clips import NAMES, moving_square

import bgs.library.indexing as indexing
from bgs import _threads
from bgs._errors import BgsError, ConfigError, DataError
from bgs._files import json_text
from bgs._lock import locked_folder
from bgs.backbones import load_backbone
from bgs.evaluation import model_rdm
from bgs.library import index_arrays, index_folder, open_index
from bgs.library.changes import changes_in
from bgs.library.searching import similar
from bgs.library.table import ClipTable
from bgs.stimuli import StimulusSet, UnreadableClips, content_hashes
from clips import write_clip


@pytest.fixture
def out(tmp_path):
    return tmp_path / "index"


@pytest.fixture
def embedded(monkeypatch):
    """Paths that are embedded, as they are."""
    paths, genuine = [], indexing.embed_files

    def watched(model, files, cutting, micro_batch):
        paths.extend(path.name for path in files)
        return genuine(model, files, cutting, micro_batch)

    monkeypatch.setattr(indexing, "embed_files", watched)
    return paths


def files_of(index):
    return {clip.id: clip.sha256 for clip in index.clips}


def test_vectors_are_those_of_embed_centred_and_of_length_1(folder, out, model):
    centre = np.random.default_rng(0).normal(size=model.backbone.width) / 10
    model = replace(model, center=centre, identity="1" * 64)
    found = index_folder(folder, model, out)
    index, stimuli = open_index(out), StimulusSet.from_folder(folder)
    assert (found.new, found.clips, index.ids) == (4, 4, tuple(sorted(NAMES)))
    expected = model_rdm(model.embed(stimuli).values, "cosine", centre)
    np.testing.assert_allclose(1 - index.vectors @ index.vectors.T, expected, atol=2e-6)
    assert (index.model_reference, index.identity, index.folder) == (
        "tiny:videomae",
        "1" * 64,
        folder.resolve(),
    )
    assert all(clip.path.is_file() and clip.piece.is_whole for clip in index.clips)


def test_only_new_and_changed_files_are_embedded(folder, out, model, embedded):
    index_folder(folder, model, out)
    before = open_index(out)
    assert sorted(embedded) == sorted(path.rpartition("/")[2] for path in NAMES)
    embedded.clear()
    shutil.copy(folder / "a.mp4", folder / "copy.mp4")
    (folder / "b.mp4").rename(folder / "deep/renamed.mp4")
    shutil.copy(folder / "deep/c.mp4", folder / "a.mp4")  # a changed file of known content
    (folder / "d's.mp4").unlink()
    write_clip(folder / "new.mp4", list(moving_square(9)), 12)
    found = index_folder(folder, model, out)
    assert embedded == ["new.mp4"]
    assert (found.new, found.changed, found.moved, found.gone, found.same) == (1, 1, 1, 1, 1)
    assert found.copies == {"deep/c.mp4": "a.mp4"}
    after = open_index(out)
    assert after.ids == ("a.mp4", "copy.mp4", "deep/c.mp4", "deep/renamed.mp4", "new.mp4")
    for now, then in {"a.mp4": "deep/c.mp4", "copy.mp4": "a.mp4", "deep/renamed.mp4": "b.mp4"}.items():
        np.testing.assert_array_equal(after.vector(now), before.vector(then))
    embedded.clear()
    assert index_folder(folder, model, out).same == 5
    assert embedded == []


def test_a_touched_file_is_read_once_and_then_known(folder, out, model, embedded, monkeypatch):
    index_folder(folder, model, out)
    embedded.clear()
    (folder / "a.mp4").touch()
    assert index_folder(folder, model, out).changed == 0
    rows = ClipTable.open(indexing.Place.of(out)).rows()
    monkeypatch.setattr(
        "bgs.library.changes.hashes_of_present", lambda paths, memory: (dict.fromkeys(paths, ""), {})
    )
    assert len(changes_in(folder, rows, out).same) == 4
    assert embedded == []


def test_a_file_replaced_after_it_was_hashed_is_not_kept_under_its_old_content(
    folder, out, model, monkeypatch
):
    """Otherwise the row of one content would hold the vector of another, and be copied wherever that content is found."""
    genuine = indexing.embed_files

    def replaces_a(*given):
        (folder / "a.mp4").rename(folder / "moved.mp4")
        shutil.copy(folder / "b.mp4", folder / "a.mp4")
        monkeypatch.setattr(indexing, "embed_files", genuine)
        return genuine(*given)

    monkeypatch.setattr(indexing, "embed_files", replaces_a)
    with pytest.raises(
        UnreadableClips, match=r"a.mp4 .it changed, or went away, while it was indexed: run the same"
    ):
        index_folder(folder, model, out)
    assert "a.mp4" not in open_index(out).ids
    index_folder(folder, model, out)
    index = open_index(out)
    np.testing.assert_array_equal(index.vector("a.mp4"), index.vector("b.mp4"))
    assert not np.array_equal(index.vector("a.mp4"), index.vector("moved.mp4"))


def test_a_file_that_became_empty_is_named_and_no_longer_listed(folder, out, model):
    index_folder(folder, model, out)
    (folder / "a.mp4").write_bytes(b"")
    with pytest.raises(UnreadableClips, match=r"a.mp4 .empty file"):
        index_folder(folder, model, out)
    assert "a.mp4" not in open_index(out).ids


def test_a_subfolder_that_cannot_be_read_is_no_folder_without_clips(folder, out, model, monkeypatch):
    (folder / "inner").mkdir()
    shutil.copy(folder / "a.mp4", folder / "inner/a.mp4")
    index_folder(folder, model, out)
    genuine = os.scandir

    def refuses(path):
        if Path(os.fspath(path)).name == "inner":
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return genuine(path)

    monkeypatch.setattr(os, "scandir", refuses)
    with pytest.raises(DataError, match=r"inner: cannot read this folder: Permission denied"):
        index_folder(folder, model, out)
    assert "inner/a.mp4" in open_index(out).ids


def test_clips_that_were_moved_into_the_folder_of_their_index_are_refused(folder, out, model):
    index_folder(folder, model, out)
    folder.rename(out / "clips")
    with pytest.raises(DataError, match="these clips lie in the folder of the index"):
        index_folder(out / "clips", model, out)
    assert len(open_index(out)) == 4


def test_an_index_in_its_own_folder_leaves_what_it_holds_out(folder, model):
    inside = folder / "index"
    index_folder(folder, model, inside)
    shutil.copy(folder / "a.mp4", inside / "copy.mp4")
    assert index_folder(folder, model, inside).clips == 4


def test_two_files_that_swap_names(folder, out, model, embedded):
    index_folder(folder, model, out)
    before = open_index(out)
    embedded.clear()
    (folder / "a.mp4").rename(folder / "x")
    (folder / "b.mp4").rename(folder / "a.mp4")
    (folder / "x").rename(folder / "b.mp4")
    index_folder(folder, model, out)
    after = open_index(out)
    np.testing.assert_array_equal(after.vector("a.mp4"), before.vector("b.mp4"))
    np.testing.assert_array_equal(after.vector("b.mp4"), before.vector("a.mp4"))
    assert (len(after), embedded) == (4, [])


def test_unreadable_files_are_all_named_and_the_others_indexed(folder, out, model):
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("no video")
    with pytest.raises(
        UnreadableClips, match=r"2 of 6 files cannot be read.*the others are indexed; --skip-bad"
    ) as error:
        index_folder(folder, model, out)
    assert [failure.stimulus_id for failure in error.value.failures] == ["empty.mp4", "text.mp4"]
    assert len(open_index(out)) == 4
    shutil.copy(folder / "text.mp4", folder / "a.mp4")  # what the index knew of it is no longer true
    found = index_folder(folder, model, out, skip_bad=True)
    assert len(found.failures) == 3
    assert "a.mp4" not in open_index(out).ids


def test_a_killed_run_goes_on(folder, out, model, embedded, monkeypatch):
    monkeypatch.setattr(indexing, "_SMALLEST", 1)
    genuine, calls = ClipTable.add, []

    def killed_at_the_third(self, *args, **kwargs):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        genuine(self, *args, **kwargs)

    monkeypatch.setattr(ClipTable, "add", killed_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        index_folder(folder, model, out)
    assert len(open_index(out)) == 2
    embedded.clear()
    assert index_folder(folder, model, out).new == 2
    assert len(embedded) == 2
    assert len({*open_index(out).ids}) == len(open_index(out)) == 4


def test_one_writer_at_a_time(folder, out, model):
    with (
        locked_folder(out),
        pytest.raises(BgsError, match=r"index: another process is using this folder: process \d+ on"),
    ):
        index_folder(folder, model, out)


def test_another_model_folder_or_cutting_is_refused(folder, out, model, tmp_path):
    index_folder(folder, model, out)
    other = replace(model, reference="run:elsewhere", identity="2" * 64)
    with pytest.raises(
        DataError,
        match=r"another model; expected tiny:videomae .*, got run:elsewhere \(identity 222222222222\)",
    ):
        index_folder(folder, other, out)
    with pytest.raises(DataError, match="cut in another way"):
        index_folder(folder, model, out, indexing.Cutting("none"))
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    shutil.copy(folder / "a.mp4", stranger / "z.mp4")
    with pytest.raises(DataError, match=r"index of another folder; expected .*clips, got .*stranger"):
        index_folder(stranger, model, out)
    assert len(open_index(out)) == 4


def test_a_folder_that_was_moved_is_still_the_same(folder, out, model, embedded):
    index_folder(folder, model, out)
    embedded.clear()
    moved = folder.rename(folder.with_name("moved"))
    assert index_folder(moved, model, out).same == 4
    assert open_index(out).folder == moved.resolve()
    assert embedded == []


def test_a_folder_with_other_files_is_refused(folder, out, model):
    out.mkdir()
    (out / "thesis.docx").touch()
    with pytest.raises(DataError, match=r"holds other files: thesis.docx; expected a new folder"):
        index_folder(folder, model, out)
    assert [path.name for path in out.iterdir()] == ["thesis.docx"]
    with pytest.raises(DataError, match="no index here"):
        open_index(out)


def test_what_a_kill_left_of_a_table_that_was_never_whole_is_no_obstacle(folder, out, model):
    (out / "clips.lance" / "_versions").mkdir(parents=True)
    assert index_folder(folder, model, out).new == 4


def test_an_index_inside_the_folder_is_not_indexed(folder, model):
    out = folder / "index"
    index_folder(folder, model, out)
    (out / "thumbnails").mkdir()
    shutil.copy(folder / "a.mp4", out / "thumbnails" / "hover.mp4")
    assert index_folder(folder, model, out).same == 4


def test_a_model_that_reads_no_videos_is_refused(folder, out, model):
    with pytest.raises(ConfigError, match="does not read videos"):
        index_folder(folder, replace(model, backbone=load_backbone("lookup:3")), out)
    assert not out.exists()


def test_arrays_as_they_come(out, model, tmp_path):
    stream = ((f"frame-{seed}", moving_square(seed, frames=16)) for seed in range(40))  # not a list
    assert index_arrays(stream, model, out).new == 40
    again = [
        ("frame-0", moving_square(0, frames=16)),
        ("frame-1", moving_square(99)),
        ("more", moving_square(50)),
    ]
    found = index_arrays(again, model, out)
    assert (found.new, found.changed, found.same, found.clips) == (1, 1, 1, 41)
    index = open_index(out)
    assert index.folder is None
    assert index.nearest(index.vector("frame-3"), 1)[0].distance == pytest.approx(0, abs=1e-6)
    with pytest.raises(DataError, match="clip given twice"):
        index_arrays([again[0], again[0]], model, out)
    with pytest.raises(DataError, match=r"flat: not the frames of a clip; .* got float64 of shape \(4, 4\)"):
        index_arrays([("flat", np.zeros((4, 4)))], model, out)


def test_an_array_has_the_vector_of_a_file_with_the_same_frames(folder, out, model, tmp_path):
    from bgs.stimuli.decoding import whole_frames

    index_folder(folder, model, out)
    frames = np.stack(list(whole_frames(folder / "a.mp4", 1000)))
    index_arrays([("a", frames)], model, tmp_path / "arrays")
    np.testing.assert_allclose(
        open_index(tmp_path / "arrays").vectors[0], open_index(out).vector("a.mp4"), atol=1e-6
    )


def test_an_index_on_object_storage(folder, model, tmp_path):
    """LanceDB keeps what it is given a URI for; a lock and side files lie in the cache."""
    place = indexing.Place.of("s3://bucket/library/")
    assert (place.uri, place.is_local) == ("s3://bucket/library", False)
    assert place.folder.parent.name == "indexes"
    assert indexing.Place.of((tmp_path / "x").as_uri()).folder == tmp_path / "x"
    uri = f"file-object-store://{tmp_path}/remote"
    found = index_folder(folder, model, uri)
    assert (found.new, index_folder(folder, model, uri).same) == (4, 4)
    index = open_index(uri)
    assert len(index.nearest(index.vectors[0], 4)) == 4
    assert index.path.parent.name == "indexes"


def test_a_name_that_is_no_text_is_named_and_the_others_indexed(folder, out, model):
    """File names are bytes: one from another system does not stop the rest."""
    bad = Path(os.fsdecode(os.fsencode(folder) + b"/x\xe9.mp4"))
    shutil.copy(folder / "a.mp4", bad)
    with pytest.raises(UnreadableClips, match=r"x.udce9.mp4 .its name is not UTF-8: rename it") as caught:
        index_folder(folder, model, out)
    assert len(open_index(out)) == 4
    found = index_folder(folder, model, out, skip_bad=True)
    assert [failure.stimulus_id for failure in found.failures] == [bad.name]
    assert json.loads(json_text(found.as_json()))["failures"][0]["stimulus_id"] == bad.name
    assert str(caught.value).isprintable()
    bad.rename(folder / "readable.mp4")
    assert index_folder(folder, model, out).clips == 5


def test_a_file_deleted_while_others_are_hashed_is_no_error(folder, out, model, monkeypatch):
    hashed = content_hashes.sha256

    def deletes_b(path):
        (folder / "b.mp4").unlink(missing_ok=True)
        return hashed(path)

    monkeypatch.setattr(content_hashes, "sha256", deletes_b)
    monkeypatch.setattr(_threads, "usable_cores", lambda: 1)
    found = index_folder(folder, model, out)
    assert (found.clips, found.failures) == (3, ())
    assert "b.mp4" not in open_index(out).ids


@pytest.mark.parametrize(
    ("clips", "said"),
    [
        (
            [moving_square(0)],
            "not a clip; expected pairs of an id and frames, or a folder of videos, got ndarray",
        ),
        ([(1, moving_square(0))], "not a clip; expected pairs"),
        ([("a", moving_square(0)[:1])], "a: a single picture, but 8 frames are requested"),
        ([("a", moving_square(0) / 255)], "a: not the frames of a clip; expected uint8"),
        ([("a", [[1], [1, 2]])], "a: not the frames of a clip: "),
        ([("a", None)], "a: not the frames of a clip; expected uint8"),
        ([("\udcff", moving_square(0))], "an id that is not UTF-8"),
    ],
)
def test_what_is_no_clip_is_refused_as_elsewhere(model, tmp_path, clips, said):
    with pytest.raises(DataError, match=said):
        index_arrays(iter(clips), model, tmp_path / "index")


@pytest.mark.parametrize(
    "clip", [np.zeros((0, 9, 9, 3), np.uint8), np.zeros((8, 9, 9)), np.ones((8, 9, 9, 3))]
)
def test_nor_is_it_searched_for(folder, out, model, clip):
    index_folder(folder, model, out)
    with pytest.raises(DataError, match="clip: not the frames of a clip"):
        similar(clip, open_index(out), 1, lambda: model)


def test_a_model_without_finite_vectors_is_named(folder, out, model, monkeypatch):
    monkeypatch.setattr(
        "bgs.library.embedding.embed", lambda *given: np.full((4, model.backbone.width), np.nan)
    )
    with pytest.raises(
        DataError, match="tiny:videomae: an embedding is not finite: the weights of this model"
    ):
        index_folder(folder, model, out)
