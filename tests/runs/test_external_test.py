"""Held-out clips of another data set: none of them is trained on, and they are judged by their own people alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import bgs
from bgs._config import validate
from bgs.judgments import PairCounts, human_rdm
from bgs.judgments.rated import hellinger_rdm
from bgs.runs.external_test import without_stimuli_of
from bgs.runs.study import new_study
from bgs.simulation import planted_dataset
from bgs.training import TrainingConfig


@pytest.fixture(scope="module")
def rated():
    """Ten clips with label shares, three of which are in the other data set too."""
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(3), size=10).T
    ids = tuple(f"hs{i}" for i in range(10))
    split = ("train",) * 8 + ("test",) * 2
    ratings = {f"verb {k}": row for k, row in enumerate(shares)}
    return bgs.Dataset(bgs.StimulusSet(ids, split=split, ratings=ratings), simulated=False, name="verbs")


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Sixteen captioned clips with judgments, in a folder; three have ids of the first set."""
    stimuli, trials = planted_dataset(n_clips=16, n_trials=400, seed=1)
    names = ("hs1", "hs4", "hs8", *stimuli.ids[3:])
    stimuli = replace(stimuli, ids=names, split=None)
    folder = tmp_path_factory.mktemp("judged") / "triplets"
    bgs.datasets.write_folder(bgs.Dataset(stimuli, trials, simulated=True, name="triplets"), folder)
    return folder


def config(judged, **keys):
    given = {
        "model": "lookup:2", "data": "verbs", "lora": None, "external_test": str(judged),
        "ratings": {"columns": [f"verb {k}" for k in range(3)], "trials": 100}, **keys,
    }  # fmt: skip
    return validate(TrainingConfig, given, "here")


def test_what_both_have_is_held_out_and_everything_else_is_trained_on(rated, judged):
    study = new_study(config(judged), rated)
    assert study.stimuli.ids[:7] == ("hs0", "hs2", "hs3", "hs5", "hs6", "hs7", "hs9")
    assert study.stimuli.train.tolist() == [True] * 7 + [False] * 16
    other = bgs.load_dataset(judged)
    assert study.stimuli.ids[7:] == other.stimuli.ids
    # The targets of training are distances of ratings, among what is left.
    among = np.stack([rated.stimuli.ratings[f"verb {k}"][[0, 2, 3, 5, 6, 7, 9]] for k in range(3)], axis=1)
    geometry = study.geometry(np.arange(7))
    np.testing.assert_allclose(geometry.rdm, hellinger_rdm(among))
    assert len(geometry.odd) == 100
    # Those of evaluation are people's, as in the other data set by itself.
    whole = human_rdm(PairCounts.from_trials(other.trials))
    np.testing.assert_array_equal(study.human(np.arange(7, 23), among=np.arange(23)), whole)
    assert study.dataset.simulated
    assert study.dataset.name == "verbs, tested on triplets"


def test_no_trial_has_stimuli_of_both(rated, judged):
    study = new_study(config(judged), rated)
    inside = study.stimuli.test[study.trials.stimuli].sum(axis=1)
    assert set(inside.tolist()) == {0, 3}


def test_the_judgments_of_the_first_may_be_its_own(judged):
    stimuli, trials = planted_dataset(n_clips=18, n_trials=500, seed=2)
    own = bgs.Dataset(
        replace(stimuli, ids=("hs4", *(f"own {i}" for i in range(1, 18))), split=None),
        trials,
        simulated=True,
        name="own",
    )
    study = new_study(config(judged, ratings=None, data="own"), own)
    left = trials.within(np.arange(18) > 0)
    known = study.trials.within(study.stimuli.train)
    np.testing.assert_array_equal(known.stimuli, left.stimuli - 1)
    np.testing.assert_array_equal(known.odd, left.odd)


def test_the_same_clip_under_another_name_is_not_trained_on(judged, tmp_path):
    """By content: what a file is called does not matter."""
    for name, content in (("a", b"one"), ("b", b"two"), ("x", b"one")):
        (tmp_path / f"{name}.mp4").write_bytes(content)
    other = bgs.load_dataset(judged)
    videos = (tmp_path / "x.mp4", *(None for _ in other.stimuli.ids[1:]))
    test = replace(other, stimuli=replace(other.stimuli, videos=videos))
    ids, mine = ("a", "b", "c", "d"), (tmp_path / "a.mp4", tmp_path / "b.mp4", None, None)
    data = bgs.Dataset(bgs.StimulusSet(ids, videos=mine), simulated=False, name="mine")
    assert without_stimuli_of(data, test).stimuli.ids == ("b", "c", "d")


def test_nothing_left_is_one_line(judged):
    other = bgs.load_dataset(judged)
    with pytest.raises(bgs.BgsError, match=r"nothing to train on beside triplets.*3 stimuli or more.*got 0"):
        without_stimuli_of(other, other)


def test_it_excludes_cross_validation(judged):
    with pytest.raises(bgs.BgsError, match="external_test conflicts with cross_validation"):
        config(judged, cross_validation={"folds": 3})


def test_a_run_is_measured_on_the_other_people(judged, tiny_text, tmp_path):
    """What ``bgs.train`` reports equals ``bgs.evaluate`` of the saved vectors on the other data set alone."""
    stimuli, trials = planted_dataset(n_clips=20, n_trials=900, seed=4)
    own = bgs.Dataset(
        replace(stimuli, ids=tuple(f"own {i}" for i in range(20)), split=None), trials, simulated=True
    )
    run = bgs.train(
        f"text:{tiny_text}", own, out=tmp_path / "run", epochs=2, external_test=str(judged),
        validation={"fraction": 0}, evaluation={"permutations": 20, "protocols": ["held-out-pairs"], "center": False},
    )  # fmt: skip
    other = bgs.load_dataset(judged)
    tuned = bgs.Embeddings.load(tmp_path / "run/tuned.safetensors").select(other.stimuli.ids)
    alone = bgs.evaluate(tuned, other, protocol="all", center=False, permutations=20)
    found, expected = run.evaluation["held-out-pairs"].metrics, alone["all"].metrics
    for name in ("rsa_spearman", "odd_one_out_3afc", "rsa_ceiling"):
        assert found[name].value == pytest.approx(expected[name].value, abs=1e-12)
        assert (found[name].low, found[name].high) == pytest.approx((expected[name].low, expected[name].high))
