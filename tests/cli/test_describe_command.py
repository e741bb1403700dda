"""`bgs calibrate`, `bgs describe` and `bgs odd` on a run; and the readout that `bgs train` fits by itself."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

import bgs
from bgs.evaluation.readout import Readout
from bgs.judgments import split_validation
from bgs.runs import RunFolder
from program import fails, runs

CLIPS = ["two people hug in the park", "two people argue in the street", "a child plays in the garden"]
FAST = {"epochs": 2, "views": 1, "evaluation": {"permutations": 0, "resamples": 100}}


@pytest.fixture(scope="module")
def run(tiny_text, small_study, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    return bgs.train(f"text:{tiny_text}", small_study, out=out, validation={"fraction": 0}, **FAST)


@pytest.fixture(scope="module")
def calibrated(run):
    bgs.calibrate(run.path, folds=2)
    return run


def test_a_run_with_validation_clips_is_calibrated_on_these(tiny_text, small_study, tmp_path):
    settings = {"validation": {"fraction": 0.5, "every": 1}, "refit": False}
    run = bgs.train(f"text:{tiny_text}", small_study, out=tmp_path / "run", **settings, **FAST)
    readout = Readout.load(run.folder.readout, run.tuned.values.shape[1])
    data = bgs.load_dataset(small_study)
    optimise, validate_on = split_validation(data.stimuli.train, 0.5, run.config.seed)
    assert readout.about["held_out_clips"] == len(readout.familiarity.held) == len(validate_on)
    assert readout.about["clips"] == len(optimise)
    np.testing.assert_allclose(
        readout.familiarity.density.mean, run.tuned.values[optimise].mean(axis=0), atol=1e-6
    )
    assert {"kept together", "odd one out", "coverage", "flagged"} <= readout.measured.keys()


def test_after_a_refit_validation_clips_are_embedded_by_the_model_that_has_not_seen_them(
    tiny_text, small_study, tmp_path
):
    settings = {"validation": {"fraction": 0.5, "every": 1}, "refit": True}
    run = bgs.train(f"text:{tiny_text}", small_study, out=tmp_path / "run", **settings, **FAST)
    readout = Readout.load(run.folder.readout, run.tuned.values.shape[1])
    train = bgs.load_dataset(small_study).stimuli.train
    assert readout.about["clips"] == train.sum()
    np.testing.assert_allclose(
        readout.familiarity.density.mean, run.tuned.values[train].mean(axis=0), atol=1e-6
    )
    assert readout.about["held_out_clips"] == 10


def test_folds_hold_every_training_clip_out_once_and_are_gone_when_done(calibrated):
    folder = RunFolder(calibrated.path)
    readout = Readout.load(folder.readout, calibrated.tuned.values.shape[1])
    assert readout.about["held_out"] == "2 folds"
    assert readout.about["held_out_clips"] == readout.about["clips"] == 20
    assert not folder.folds.exists()


def test_only_the_attributes_that_were_asked_for_are_described(run, tmp_path, capsys):
    out = shutil.copytree(run.path, tmp_path / "run")
    asked = ["calibrate", str(out), "--folds", "2", "--attribute"]
    line = fails(capsys, *asked, "mood")
    assert "mood: no such rating" in line
    assert "valence" in line
    assert not RunFolder(out).folds.exists()
    runs(capsys, *asked, "valence")
    (one,) = json.loads(runs(capsys, "describe", CLIPS[0], "--model", f"run:{out}", "--json", "-"))
    assert [attribute["name"] for attribute in one["attributes"]] == ["valence"]


def test_describe(calibrated, capsys):
    model = f"run:{calibrated.path}"
    printed = runs(capsys, "describe", *CLIPS, "--model", model)
    assert "valence" in printed
    assert "90% interval" in printed
    found = json.loads(runs(capsys, "describe", *CLIPS, "--model", model, "--level", "0.5", "--json", "-"))
    assert [one["clip"] for one in found] == CLIPS
    said = calibrated.model.describe(CLIPS[0], level=0.5)
    assert said.to_json() == found[0]
    assert found[0]["attributes"][0]["low"] < said["valence"].value < found[0]["attributes"][0]["high"]
    wide = calibrated.model.describe(CLIPS[0], level=0.9)["valence"]
    assert wide.high - wide.low >= said["valence"].high - said["valence"].low
    with pytest.raises(bgs.BgsError, match="no such rating"):
        said["mood"]
    assert "out of range" in fails(capsys, "describe", CLIPS[0], "--model", model, "--level", "1")


def test_odd(calibrated, run, tiny_text, capsys):
    model = calibrated.model
    found = json.loads(runs(capsys, "odd", *CLIPS, "--model", f"run:{calibrated.path}", "--json", "-"))
    assert sum(found["probabilities"]) == pytest.approx(1)
    assert found["clips"][int(np.argmax(found["probabilities"]))] == found["odd"]
    assert found["distances"][0] == pytest.approx(model.distance(CLIPS[1], CLIPS[2]))
    kept = model.kept_together(CLIPS[0], CLIPS[1])
    assert 0 < kept < 1
    frozen = runs(capsys, "odd", *CLIPS, "--model", f"text:{tiny_text}")
    assert "was not calibrated" in " ".join(frozen.split())
    assert bgs.load_model(f"text:{tiny_text}").odd_one_out(*CLIPS).probabilities is None


def test_a_model_without_a_readout_says_what_to_do(tiny_text, capsys):
    error = fails(capsys, "describe", CLIPS[0], "--model", f"text:{tiny_text}")
    assert "no readout" in error
    assert "bgs calibrate" in error


def test_an_unfinished_run_and_a_damaged_readout(calibrated, tmp_path, capsys):
    assert "no finished run" in fails(capsys, "calibrate", tmp_path)
    bgs.share(calibrated.path, tmp_path / "shared")
    for command in (["calibrate"], ["share", "--out", tmp_path / "again"]):
        assert "the run that it was shared from" in fails(capsys, *command, tmp_path / "shared")
    copy = shutil.copytree(calibrated.path, tmp_path / "copy")
    (copy / "readout/readout.safetensors").write_bytes(b"")
    assert "hash" in fails(capsys, "describe", CLIPS[0], "--model", f"run:{copy}")
