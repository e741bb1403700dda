"""The loop learns, selects on validation only, stops early, and resumes to the very same numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from bgs import BgsError
from bgs.experiment.run import run_training
from bgs.experiment.study import load_study
from bgs.experiment.trainer import new_backbone, new_trainer
from bgs.judgments import Geometry, split_validation
from bgs.training import RunFolder, load_config, target_of
from bgs.training.config import OptimizerSettings
from bgs.training.loop import rate_factor

FAST = [
    "evaluation.resamples=100",
    "evaluation.permutations=20",
    "epochs=6",
    "validation.every=2",
    "lora.rank=2",
]


@pytest.fixture
def config(tiny_text, small_study, tmp_path):
    def _config(*overrides: str):
        path = tmp_path / "config.yaml"
        path.write_text(f"model: text:{tiny_text}\ndata: {small_study}\noptimizer: {{learning_rate: 0.01}}\n")
        return load_config(path, [*FAST, *overrides])

    return _config


def test_training_learns_and_the_run_folder_is_whole(config, tmp_path):
    results = run_training(config("epochs=15"), tmp_path / "run")
    records = RunFolder(tmp_path / "run").read_metrics()
    assert [record["epoch"] for record in records] == list(range(15))
    assert records[-1]["rsa"] > records[0]["rsa"] + 0.1
    validated = [record["epoch"] for record in records if record["validation_rsa"] is not None]
    assert validated == [1, 3, 5, 7, 9, 11, 13, 14]
    expected = {
        "config.yaml", "provenance.json", "metrics.jsonl", "checkpoint.safetensors",
        "adapter", "base.safetensors", "tuned.safetensors", "evaluation.json",
    }  # fmt: skip
    assert {path.name for path in (tmp_path / "run").iterdir()} == expected
    assert [result.protocol for result in results] == ["held-out-trials", "held-out-pairs"]
    assert "rsa_spearman" in results[0].differences


@pytest.mark.parametrize("target", ["shares", "choice-model"])
def test_a_run_aims_at_the_target_that_it_names(config, tmp_path, target):
    settings = config(f"objective.target={target}")
    study = load_study(settings)
    trainer = new_trainer(settings, new_backbone(settings), study, RunFolder(tmp_path / "run"))
    optimise, _ = split_validation(study.stimuli.train, settings.validation.fraction, settings.seed)
    wanted = target_of(Geometry.from_trials(study.trials, optimise, target))
    torch.testing.assert_close(trainer.method.target.dissimilarity, wanted.dissimilarity, rtol=0, atol=0)
    torch.testing.assert_close(trainer.method.target.counts, wanted.counts, rtol=0, atol=0)


class _Killed(Exception):
    pass


@pytest.mark.parametrize("killed_after", [1, 3, 4])
@pytest.mark.parametrize("gradient", ["full-geometry", "per-trial"])
def test_a_killed_run_resumes_to_the_same_numbers(config, tmp_path, monkeypatch, killed_after, gradient):
    extra = (
        ["gradient=per-trial", "per_trial.trials=20", "optimizer.schedule=plateau"]
        if gradient == "per-trial"
        else []
    )
    settings = config(*extra, "validation.patience=2")
    run_training(settings, tmp_path / "whole")

    def kill(folder, record):  # the record is lost half-way through its line, the checkpoint is an epoch old
        with folder.metrics.open("a") as stream:
            stream.write(f'{{"epoch": {record["epoch"]}, "lo')
        raise _Killed

    original = RunFolder.append_metrics
    monkeypatch.setattr(
        RunFolder,
        "append_metrics",
        lambda self, r: kill(self, r) if r["epoch"] == killed_after else original(self, r),
    )
    with pytest.raises(_Killed):
        run_training(settings, tmp_path / "broken")
    monkeypatch.setattr(RunFolder, "append_metrics", original)
    run_training(settings, tmp_path / "broken", resume=True)
    for name in ("metrics.jsonl", "adapter/adapter_model.safetensors"):
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert measured(tmp_path / "broken") == measured(tmp_path / "whole")


def measured(run) -> list:
    """Everything an evaluation says but the provenance, which names the run folder."""
    results = json.loads((run / "evaluation.json").read_text())
    return [[result["metrics"], result["differences"]] for result in results.values()]


def test_resuming_a_finished_run_changes_nothing(config, tmp_path):
    run_training(config(), tmp_path / "run")
    before = (tmp_path / "run/adapter/adapter_model.safetensors").read_bytes()
    run_training(config(), tmp_path / "run", resume=True)
    assert (tmp_path / "run/adapter/adapter_model.safetensors").read_bytes() == before


def test_folders_that_cannot_be_used_are_refused_untouched(config, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious.txt").write_text("mine")
    with pytest.raises(BgsError, match="output folder is not empty"):
        run_training(config(), tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["precious.txt"]
    with pytest.raises(BgsError, match="no run to resume"):
        run_training(config(), tmp_path / "new", resume=True)
    assert not (tmp_path / "new").exists()


def test_resuming_with_another_configuration_names_the_key(config, tmp_path):
    run_training(config(), tmp_path / "run")
    with pytest.raises(BgsError, match=r"settings: optimizer\.warmup; expected 3, got 9"):
        run_training(config("optimizer.warmup=9"), tmp_path / "run", resume=True)


def test_a_loss_that_is_not_finite_stops_the_run(config, tmp_path, monkeypatch):
    from bgs.objective import HybridObjective

    original = HybridObjective.local
    monkeypatch.setattr(HybridObjective, "local", lambda self, s, t: original(self, s, t) * float("nan"))
    with pytest.raises(BgsError, match="epoch 0, update 0: the loss is not finite"):
        run_training(config(), tmp_path / "run")


def test_test_stimuli_are_not_prepared_while_training(config, tmp_path, monkeypatch):
    from bgs.backbones.text import TextBackbone
    from bgs.training import Trainer

    prepared, finished = [], []
    original_prepare, original_run = TextBackbone.prepare, Trainer.run
    monkeypatch.setattr(
        TextBackbone,
        "prepare",
        lambda self, s: (finished or prepared.extend(s.ids), original_prepare(self, s))[1],
    )

    def run(self, **keywords):
        assert not any(name >= "clip20" for name in prepared)  # clip20 and later are held out
        state = original_run(self, **keywords)
        finished.append(True)
        return state

    monkeypatch.setattr(Trainer, "run", run)
    run_training(config(), tmp_path / "run")
    assert len(prepared) == 20


def test_no_held_out_judgment_reaches_training(config, tmp_path, small_study):
    """Scrambling every judgment that touches a held-out clip leaves the trained adapter bit-equal."""
    import pandas as pd

    run_training(config(), tmp_path / "run")
    scrambled = tmp_path / "scrambled"
    scrambled.mkdir()
    (scrambled / "stimuli.csv").write_bytes((small_study / "stimuli.csv").read_bytes())
    table = pd.read_csv(small_study / "trials.csv")
    shown = table[["stim1", "stim2", "stim3"]].to_numpy()
    touches = (shown >= "clip20").any(axis=1)
    assert 0 < touches.sum() < len(table)
    table.loc[touches, "odd"] = shown[touches, np.random.default_rng(1).integers(0, 3, touches.sum())]
    table.to_csv(scrambled / "trials.csv", index=False)
    run_training(config(f"data={scrambled}"), tmp_path / "again")
    name = "adapter/adapter_model.safetensors"
    assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "run" / name).read_bytes()


def test_early_stopping_keeps_the_best_epoch(config, tmp_path):
    run_training(
        config("epochs=40", "validation.every=1", "validation.patience=3", "seed=1"), tmp_path / "run"
    )
    records = RunFolder(tmp_path / "run").read_metrics()
    measured = [record["validation_rsa"] for record in records]
    assert len(measured) < 40
    assert int(np.argmax(measured)) == len(measured) - 1 - 3


def test_learning_rates():
    cosine = OptimizerSettings(warmup=2, schedule="cosine")
    assert rate_factor(cosine, 0, 10) == pytest.approx(1 / 3)
    assert rate_factor(cosine, 5, 10) == pytest.approx(0.5)
    assert rate_factor(OptimizerSettings(warmup=0, schedule="constant"), 7, 10) == 1.0


def test_a_lookup_table_learns_its_training_stimuli_and_nothing_else(config, tmp_path):
    results = run_training(
        config(
            "model=lookup:8",
            "lora=null",
            "epochs=60",
            "optimizer.learning_rate=0.05",
            "validation.fraction=0",
        ),
        tmp_path / "run",
    )
    records = RunFolder(tmp_path / "run").read_metrics()
    assert records[-1]["rsa"] > 0.8
    assert all(result.differences["rsa_spearman"].value == pytest.approx(0, abs=0.25) for result in results)
