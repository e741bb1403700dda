"""Clips like one: by id, by file, by frames; in Python and on the command line."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from moving_clips import moving_square

import bgs
from bgs._errors import DataError
from bgs.api.model import Model
from bgs.cli.main import main
from bgs.evaluation.readout import ChoiceRule, Density, Familiarity, KeptTogether, Readout
from bgs.library import index_folder, open_index
from bgs.library.searching import similar
from bgs.runs.readout_of import read_readout
from bgs.stimuli import UnreadableClips
from bgs.views.console import as_text
from bgs.views.library import similar_view


def no_model():
    raise AssertionError("the model need not be opened")


@pytest.fixture
def index(folder, model, tmp_path):
    index_folder(folder, model, tmp_path / "index")
    return open_index(tmp_path / "index")


def test_an_indexed_clip_needs_no_model(index, folder, tmp_path):
    by_id = similar("a.mp4", index, 10, no_model)
    assert sorted(one.id for one in by_id) == ["b.mp4", "d's.mp4", "deep/c.mp4"]
    assert by_id == sorted(by_id, key=lambda one: one.distance)
    assert similar(folder / "a.mp4", index, 10, no_model) == by_id
    copy = shutil.copy(folder / "a.mp4", tmp_path / "copy.mp4")
    assert similar(copy, index, 1, no_model)[0].id == "a.mp4"


def test_another_file_and_frames_are_embedded(index, folder, model, tmp_path):
    from clips import write_clip

    other = write_clip(tmp_path / "other.mp4", list(moving_square(0)), 24)
    assert similar(other, index, 2, lambda: model)[0].id == "a.mp4"
    assert similar(moving_square(0), index, 2, lambda: model)[0].id == "a.mp4"


def test_a_readout_adds_the_probability_without_opening_the_model(index, monkeypatch):
    familiarity = Familiarity(Density(np.zeros(1), np.zeros((0, 1)), np.zeros(0), 1.0), np.zeros(0))
    readout = Readout(KeptTogether(1.0, 2.0, 100), ChoiceRule(1.0, 100), (), familiarity, {})
    asked = []
    monkeypatch.setattr("bgs.library.index.read_readout", lambda *given: asked.append(given) or readout)
    (found,) = similar(index.ids[0], open_index(index.path), 1)
    assert asked == [(index.model_reference, index.vectors.shape[1], index.identity)]
    assert found.kept_together == pytest.approx(1 / (1 + np.exp(2 * found.distance - 1)))
    shown = " ".join(as_text(similar_view(index.ids[0], open_index(index.path), [found])).split())
    assert f"{found.kept_together:.0%}" in shown
    assert "of the two clips and a third, any other one (by chance 33 %)" in shown
    assert "by chance" not in as_text(similar_view("a", index, [replace(found, kept_together=None)]))


def test_bad_input_is_named(index, folder, model, tmp_path):
    with pytest.raises(DataError, match=r"no such clip; expected a file, or an id of .*index"):
        similar("elsewhere.mp4", index)
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(UnreadableClips, match=r"text.mp4 \(not a video"):
        similar(tmp_path / "text.mp4", index, 1, lambda: model)
    changed = replace(model, identity="3" * 64)
    with pytest.raises(
        DataError, match=r"the model has changed.*got tiny:videomae \(identity 333333333333\)"
    ):
        similar(moving_square(0), index, 1, lambda: changed)


def test_clips_that_have_gone_since(index, folder, caplog):
    (folder / "b.mp4").unlink()
    with pytest.raises(
        DataError, match=r"b.mp4: this clip has gone since it was indexed \(run `bgs index` again\)"
    ):
        similar(folder / "b.mp4", index, 1, no_model)
    for no_path in ("a\0b", "x" * 5000):
        with pytest.raises(DataError, match="no such clip"):
            similar(no_path, index, 1, no_model)
    similar("a.mp4", index, 3, no_model)
    assert "1 of these clips have gone since they were indexed: b.mp4" in caplog.text


def test_in_python(four_clips, model, tmp_path):
    opened = Model(model)
    index = bgs.index(four_clips, opened, tmp_path / "index")
    assert len(index) == 4
    assert bgs.similar("a.mp4", index, 2) == bgs.similar("a.mp4", tmp_path / "index", 2)
    arrays = bgs.index(((str(i), moving_square(i)) for i in range(3)), opened, tmp_path / "arrays")
    assert bgs.similar(moving_square(1), arrays, 1, model=opened)[0].id == "1"


def test_on_the_command_line(folder, tmp_path, capsys):
    def run(*arguments, code=0):
        with pytest.raises(SystemExit) as end:
            main([str(one) for one in arguments])
        assert (end.value.code or 0) == code
        return capsys.readouterr()

    out = tmp_path / "index"
    (folder / "bad.mp4").write_text("no video")
    index = ("index", folder, "--model", "tiny:videomae", "--out", out, "--json", "-")
    refused = run(*index[:-2], code=2)
    assert "bgs: 1 of 5 files cannot be read: bad.mp4 (not a video" in refused.err
    assert refused.err.count("bad.mp4") == 2  # in the list, and in the line
    assert "4 new, 1 skipped" in " ".join(refused.out.split())  # what was done is told before what was not
    found = json.loads(run(*index, "--skip-bad").out)
    assert (found["clips"], found["same"], found["failures"][0]["stimulus_id"]) == (4, 4, "bad.mp4")
    table = run("similar", "a.mp4", "--index", out, "-k", 2).out
    assert "distance" in table and "Of 4 clips, by tiny:videomae" in " ".join(table.split())  # noqa: PT018
    found = json.loads(run("similar", "a.mp4", "--index", out, "-k", 2, "--json", "-").out)
    nearest = open_index(out).nearest(open_index(out).vector("a.mp4"), 2, but={"a.mp4"})
    assert found["similar"] == [{"id": one.id, "distance": one.distance} for one in nearest]
    assert "bgs: " in run("similar", "elsewhere.mp4", "--index", out, code=2).err
    assert (
        "no such folder"
        in run("index", tmp_path / "none", "--model", "tiny:videomae", "--out", out, code=2).err
    )
    assert np.isfinite(open_index(out).vectors).all()


@pytest.mark.parametrize("reference", ["run:{}/runs/gone", "{}/shared/gone"])
def test_a_calibrated_model_that_has_gone_is_said_to_be(reference, tmp_path, caplog):
    reference = reference.format(tmp_path)
    assert read_readout(reference, 8, "identity") is None
    assert f"{reference} is gone: distances are those of the index, without probabilities" in caplog.text
