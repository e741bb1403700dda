"""What a run was trained on is known when it is evaluated again, also where other clips than the split's were held out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import bgs
from bgs.simulation import planted_dataset


@pytest.fixture
def data(tmp_path):
    stimuli, trials = planted_dataset(n_clips=24, n_trials=900, seed=1)
    bgs.datasets.write_folder(bgs.Dataset(stimuli, trials, simulated=True), tmp_path / "own")
    return bgs.load_dataset(tmp_path / "own")


@pytest.fixture
def other(tmp_path):
    stimuli, trials = planted_dataset(n_clips=16, n_trials=500, seed=2)
    stimuli = replace(stimuli, ids=tuple(f"other {i}" for i in range(16)), split=None)
    bgs.datasets.write_folder(bgs.Dataset(stimuli, trials, simulated=True), tmp_path / "other")
    return bgs.load_dataset(tmp_path / "other")


@pytest.fixture
def features(data, other, tmp_path):
    ids = (*data.stimuli.ids, *other.stimuli.ids)
    values = np.random.default_rng(0).normal(size=(len(ids), 4)).astype(np.float32)
    bgs.Embeddings(values, ids, "made up").save(tmp_path / "features.safetensors")
    return f"features:{tmp_path / 'features.safetensors'}"


def test_with_an_external_test_all_clips_were_trained_on(data, other, features, tmp_path):
    run = bgs.train(
        features, data, out=tmp_path / "run", epochs=2, external_test=str(tmp_path / "other"),
        evaluation={"permutations": 10, "protocols": ["held-out-pairs"]},
    )  # fmt: skip
    assert run.tuned.trained_on() == {"own": list(data.stimuli.ids)}
    with pytest.raises(bgs.BgsError, match=f"{data.stimuli.test.sum()} clips were used in training"):
        bgs.evaluate(run.tuned, data, permutations=10)
    bgs.evaluate(run.tuned, other, protocol="all", permutations=10, center=False)


def test_a_fold_is_not_evaluated_on_clips_that_it_was_trained_on(data, features, tmp_path):
    bgs.train(features, data, out=tmp_path / "cv", epochs=2, cross_validation={"folds": 3},
              evaluation={"permutations": 10})  # fmt: skip
    fold = bgs.Embeddings.load(tmp_path / "cv/repeat-0/fold-0/tuned.safetensors")
    with pytest.raises(bgs.BgsError, match="clips were used in training"):
        bgs.evaluate(fold, data, permutations=10)


def test_an_ordinary_run_is_evaluated(data, features, tmp_path):
    run = bgs.train(features, data, out=tmp_path / "run", epochs=2, evaluation={"permutations": 10})
    bgs.evaluate(run.tuned, data, permutations=10)


def test_a_run_on_features_is_loaded_from_any_folder(data, features, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = bgs.train(
        "features:features.safetensors", data, out="run", epochs=2, evaluation={"permutations": 10}
    )
    assert run.path.is_dir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    found = bgs.load_model("run:../run").embed(data.stimuli)
    np.testing.assert_array_equal(
        found.values, bgs.Embeddings.load(tmp_path / "run/tuned.safetensors").values
    )


def test_stimuli_that_were_trained_on_are_noted_where_nothing_is_held_out(small_study, tiny_text, tmp_path):
    """Over all clips, and against a matrix alone: the number of training clips among those evaluated is said."""
    data = bgs.load_dataset(small_study)
    run = bgs.train(
        f"text:{tiny_text}", data, out=tmp_path / "run", epochs=1, validation={"fraction": 0},
        evaluation={"permutations": 0},
    )  # fmt: skip
    tuned, base = run.model.embed(data.stimuli), bgs.load_model(f"text:{tiny_text}").embed(data.stimuli)
    n, trained = len(data.stimuli), int(data.stimuli.train.sum())
    expected = f"{trained} of these {n} stimuli were used to train run:"
    whole = bgs.evaluate(tuned, data, protocol="all", permutations=0)
    assert any(expected in warning for warning in whole["all"].warnings)
    assert "not a held-out result" in " ".join(str(whole).split())
    rdm = bgs.human_rdm(bgs.PairCounts.from_trials(data.trials))
    (matrix,) = bgs.evaluate(base, bgs.RDM(rdm, data.stimuli.ids), against=tuned, permutations=0).results
    assert any(expected in warning for warning in matrix.warnings)
    test = np.flatnonzero(data.stimuli.test)
    held_out = bgs.RDM(rdm[np.ix_(test, test)], [data.stimuli.ids[i] for i in test])
    for result in (
        *bgs.evaluate(tuned, data, permutations=0).results,
        *bgs.evaluate(base, data, protocol="all", permutations=0).results,
        *bgs.evaluate(tuned, held_out, permutations=0).results,
    ):
        assert not any("used to train" in warning for warning in result.warnings)
