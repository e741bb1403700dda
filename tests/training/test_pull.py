"""The pull of a transform is chosen on training clips, on record, and the same after an interruption."""

from __future__ import annotations

import json

import numpy as np
import pytest

import bgs
from bgs.backbones import Backbone
from bgs.backbones.backbone import Features
from bgs.runs import pull as choosing
from bgs.runs.fitting import embed_base, embed_tuned, fit
from bgs.runs.run import run_training
from bgs.runs.run_folder import RunFolder
from bgs.runs.study import load_study
from bgs.runs.trainer import new_backbone, new_trainer
from bgs.training import TrainingConfig

N, TRAINED, D = 60, 50, 12


def planted(tmp_path, truth, features, trials=3000):
    """A study whose people see the distances of ``truth``, and a run on ``features``."""
    rng = np.random.default_rng(5)
    triplets = np.array([rng.choice(N, 3, replace=False) for _ in range(trials)])
    near = ((truth[triplets][:, [1, 0, 0]] - truth[triplets][:, [2, 2, 1]]) ** 2).sum(axis=2)
    ids = tuple(f"clip-{i}" for i in range(N))
    stimuli = bgs.StimulusSet(ids, split=("train",) * TRAINED + ("test",) * (N - TRAINED))
    who = np.array(["p"] * trials)
    judged = bgs.Trials(
        who, who, np.arange(trials), triplets, near.argmin(axis=1), np.full(trials, np.nan), N
    )
    file = tmp_path / "features.safetensors"
    bgs.Embeddings(features, ids, "made up").save(file)
    given = {
        "model": f"features:{file}",
        "data": "made up",
        "epochs": 60,
        "optimizer": {"learning_rate": 0.02},
    }
    config = TrainingConfig.model_validate({**given, "evaluation": {"permutations": 0}})
    return config, bgs.Dataset(stimuli, judged, simulated=True)


def features_and_truth(informative):
    features = np.random.default_rng(2).normal(size=(N, D))
    return features, features[:, :informative]


@pytest.mark.slow
def test_the_weaker_pull_where_people_see_other_directions_the_stronger_where_features_are_right(tmp_path):
    """With features as people see them, there is nothing to learn; with two of twelve dimensions seen, the others have to go."""
    chosen = {}
    for informative in (2, D):
        features, truth = features_and_truth(informative)
        config, data = planted(tmp_path, truth, features)
        study = load_study(config, dataset=data)
        chosen[informative] = new_trainer(config, new_backbone(config), study, None).config.transform.pull
    assert chosen[2] <= 0.01
    assert chosen[D] >= 0.1


@pytest.mark.slow
def test_the_choice_is_the_best_of_single_runs_that_left_clips_out(tmp_path):
    """The reference: each pull in a run of its own, validated once, at the end."""
    features, truth = features_and_truth(2)
    config, data = planted(tmp_path, truth, features)
    study = load_study(config, dataset=data)
    values = {}
    for pull in choosing.PULLS:
        settings = config.model_copy(update={
            "transform": config.transform.model_copy(update={"pull": pull}),
            "validation": config.validation.model_copy(update={"fraction": 0.2, "every": config.epochs}),
        })  # fmt: skip
        log = RunFolder(tmp_path / f"{pull}")
        new_trainer(settings, new_backbone(settings), study, log).run()
        values[pull] = log.read_metrics()[-1]["validation_rsa"]
    backbone = new_backbone(config)
    trainer = new_trainer(config, backbone, study, None)
    assert trainer.config.transform.pull == max(values, key=values.__getitem__)
    assert backbone.head.settings.pull == trainer.config.transform.pull
    assert float(backbone.penalty().detach()) == 0  # training starts anew, on all training clips


def test_the_pull_is_on_record_and_an_interrupted_run_goes_on_with_it(tmp_path, monkeypatch):
    features, truth = features_and_truth(2)
    config, data = planted(tmp_path, truth, features)
    run_training(config, tmp_path / "whole", dataset=data)
    provenance = json.loads((tmp_path / "whole/provenance.json").read_text())
    about = json.loads((tmp_path / "whole/adapter/bgs.json").read_text())
    assert provenance["pull"] == about["transform"]["pull"] in choosing.PULLS
    evaluated = json.loads((tmp_path / "whole/evaluation.json").read_text())
    assert evaluated["held-out-pairs"]["provenance"]["pull"] == provenance["pull"]

    class Interrupted(Exception):
        pass

    def stop(record):
        if record.epoch == 30:
            raise Interrupted

    folder, study = RunFolder(tmp_path / "stopped"), load_study(config, dataset=data)
    with pytest.raises(Interrupted):
        fit(config, study, folder, stop)
    monkeypatch.setattr(choosing, "PULLS", ())  # it is not chosen again
    fit(config, study, folder)
    again = embed_tuned(config, study, folder).values
    np.testing.assert_array_equal(again, bgs.Embeddings.load(tmp_path / "whole/tuned.safetensors").values)


def test_too_little_to_leave_out_is_one_line(tmp_path):
    features, truth = features_and_truth(2)
    config, data = planted(tmp_path, truth, features, trials=12)
    with pytest.raises(
        bgs.BgsError, match=r"transform\.pull.*cannot be chosen.*set transform\.pull to a number"
    ):
        run_training(config, tmp_path / "run", dataset=data)
    assert not (tmp_path / "run").exists()


def test_the_network_runs_once_where_its_embeddings_are_known(small_study, tiny_text, tmp_path, monkeypatch):
    """A frozen encoder's embeddings are passed on: the same result, and none of its passes is repeated."""
    data = bgs.load_dataset(small_study)
    one = [texts[0] for texts in data.stimuli.captions]
    stimuli = bgs.StimulusSet(
        data.stimuli.ids, captions=tuple((text,) for text in one), split=data.stimuli.split
    )
    given = {
        "model": f"text:{tiny_text}",
        "data": "made up",
        "lora": None,
        "transform": {"pull": 0.1},
        "epochs": 5,
    }
    config = TrainingConfig.model_validate(given)
    study = load_study(config, dataset=bgs.Dataset(stimuli, data.trials, simulated=True))
    base, passes = embed_base(config, study), []
    whole = Backbone.headless
    monkeypatch.setattr(
        Backbone,
        "headless",
        lambda self, batch: passes.append(isinstance(batch, Features)) or whole(self, batch),
    )
    tuned = {}
    for name, frozen in (("again", None), ("known", base)):
        passes.clear()
        folder = RunFolder(tmp_path / name)
        fit(config, study, folder, frozen=frozen)
        tuned[name] = embed_tuned(config, study, folder, frozen).values
        assert all(passes) == (name == "known")
    np.testing.assert_allclose(tuned["known"], tuned["again"], rtol=1e-4, atol=1e-5)
