"""The loop learns, selects on validation only, stops early, and resumes to the very same numbers."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from bgs import BgsError
from bgs.judgments import Geometry, split_validation
from bgs.runs.fitting import fit
from bgs.runs.run import run_training
from bgs.runs.run_folder import RunFolder
from bgs.runs.study import load_study
from bgs.runs.trainer import new_backbone, new_trainer
from bgs.training import TrainingLog, load_config, target_of
from bgs.training.checkpoint import LoopState
from bgs.training.loop import rate_factor, watch_plateau
from bgs.training.settings import OptimizerSettings

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
        "adapter", "base.safetensors", "tuned.safetensors", "center.safetensors", "evaluation.json",
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


@pytest.mark.parametrize(
    "killed_after", [pytest.param(1, marks=pytest.mark.slow), 3, pytest.param(4, marks=pytest.mark.slow)]
)
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

    original = TrainingLog.append_metrics
    monkeypatch.setattr(
        TrainingLog,
        "append_metrics",
        lambda self, r: kill(self, r) if r["epoch"] == killed_after else original(self, r),
    )
    with pytest.raises(_Killed):
        run_training(settings, tmp_path / "broken")
    monkeypatch.setattr(TrainingLog, "append_metrics", original)
    run_training(settings, tmp_path / "broken")
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
    run_training(config(), tmp_path / "run")
    assert (tmp_path / "run/adapter/adapter_model.safetensors").read_bytes() == before


def test_folders_that_cannot_be_used_are_refused_untouched(config, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious.txt").write_text("mine")
    with pytest.raises(BgsError, match="this folder contains other files"):
        run_training(config(), tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["precious.txt"]


def test_resuming_with_another_configuration_names_the_key(config, tmp_path):
    run_training(config(), tmp_path / "run")
    with pytest.raises(BgsError, match=r"settings: optimizer\.warmup; expected 3, got 9"):
        run_training(config("optimizer.warmup=9"), tmp_path / "run")


def test_a_loss_that_is_not_finite_stops_the_run(config, tmp_path, monkeypatch):
    from bgs.objective import HybridObjective

    original = HybridObjective.local
    monkeypatch.setattr(HybridObjective, "local", lambda self, s, t: original(self, s, t) * float("nan"))
    with pytest.raises(
        BgsError, match=r"epoch 0, update 0: the loss is not finite.*there is no checkpoint yet"
    ):
        run_training(config(), tmp_path / "run")


def train(settings, out) -> None:
    """A run without its evaluation."""
    fit(settings, load_study(settings), RunFolder(out))


def _breaks(monkeypatch, part: str) -> None:
    """From epoch 3 on, loss, gradient or parameters are not finite."""
    from bgs.training import FullGeometry

    original = FullGeometry.accumulate

    def accumulate(self, epoch, update):
        found = original(self, epoch, update)
        if epoch == 3:
            broken = next(iter(self.backbone.trainable().values()))
            if part == "gradient":
                broken.grad.fill_(float("inf"))
            elif part == "parameter":
                broken.data.fill_(float("nan"))
            else:
                found = replace(found, total=found.total * float("nan"))
        return found

    monkeypatch.setattr(FullGeometry, "accumulate", accumulate)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("loss", "epoch 3, update 0: the loss is not finite"),
        ("gradient", "epoch 3, update 0: the gradient is not finite"),
        ("parameter", "epoch 3, update 0: a trained parameter is not finite"),
    ],
)
def test_what_breaks_down_leaves_the_last_good_checkpoint(config, tmp_path, monkeypatch, part, message):
    from safetensors.torch import load_file

    with monkeypatch.context() as patch:
        _breaks(patch, part)
        with pytest.raises(
            BgsError, match=message + ".*learning_rate.*checkpoint after epoch 2 is kept"
        ) as caught:
            train(config(), tmp_path / "run")
    assert "\n" not in str(caught.value)
    kept = load_file(tmp_path / "run/checkpoint.safetensors")
    assert all(bool(tensor.isfinite().all()) for tensor in kept.values())
    assert [record["epoch"] for record in RunFolder(tmp_path / "run").read_metrics()] == [0, 1, 2]
    assert not (tmp_path / "run/adapter").exists()
    train(config(), tmp_path / "run")
    train(config(), tmp_path / "whole")
    name = "adapter/adapter_model.safetensors"
    assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_learning_rate_that_is_far_too_high_is_said(config, tmp_path):
    with pytest.raises(BgsError, match=r"not finite.*the learning rate, 1e\+03, is probably too high"):
        train(
            config("optimizer.learning_rate=1000", "optimizer.warmup=0", "optimizer.schedule=constant"),
            tmp_path / "run",
        )


def test_test_stimuli_are_not_prepared_while_training(config, tmp_path, monkeypatch):
    from bgs.backbones.text import TextBackbone
    from bgs.training import Trainer

    prepared, finished = [], []
    original_prepare, original_run = TextBackbone.prepare, Trainer.run
    monkeypatch.setattr(
        TextBackbone,
        "prepare",
        lambda self, s, **rest: (finished or prepared.extend(s.ids), original_prepare(self, s, **rest))[1],
    )

    def run(self, report):
        assert not any(name >= "clip20" for name in prepared)  # clip20 and later are held out
        state = original_run(self, report)
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


def test_the_plateau_schedule_is_pytorchs():
    import torch

    random = np.random.default_rng(0)
    for _ in range(50):
        settings = OptimizerSettings(
            schedule="plateau", plateau_patience=int(random.integers(0, 4)),
            plateau_factor=float(random.uniform(0.2, 0.9)), plateau_threshold=float(random.choice([0, 1e-4, 0.1])),
        )  # fmt: skip
        optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        reference = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, mode="max", patience=settings.plateau_patience, factor=settings.plateau_factor,
            threshold=settings.plateau_threshold, eps=0,
        )  # fmt: skip
        state = LoopState()
        for measured in random.uniform(-0.3, 0.6, size=30).round(2):
            watch_plateau(state, settings, float(measured))
            reference.step(float(measured))
            assert state.rate_factor == pytest.approx(optimizer.param_groups[0]["lr"])


def changed_study(study, folder, column: str):
    """The same study with other answers, or with other captions."""
    shutil.copytree(study, folder)
    name, old, new = (
        ("trials.csv", "p3,", "p4,") if column == "trials" else ("stimuli.csv", "kitchen", "room")
    )
    text = (folder / name).read_text()
    (folder / name).write_text(text.replace(old, new))
    return folder


@pytest.mark.parametrize(("what", "named"), [("trials", "trials"), ("captions", "stimuli")])
def test_other_data_are_not_gone_on_with(config, small_study, tmp_path, monkeypatch, what, named):
    """As long as the model is not loaded; provenance keeps saying what the run was begun with."""
    from bgs.runs import fitting

    study = tmp_path / "study"
    shutil.copytree(small_study, study)
    settings = config(f"data={study}")
    train(settings, tmp_path / "run")
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir() if path.is_file()}
    shutil.rmtree(study)
    changed_study(small_study, study, what)
    monkeypatch.setattr(fitting, "new_backbone", lambda config: pytest.fail("the model was loaded"))
    with pytest.raises(
        BgsError, match=f"the {named} differ from those that this run was started with.*new folder"
    ):
        train(settings, tmp_path / "run")
    after = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir() if path.is_file()}
    assert after == before


def test_other_code_and_other_weights_are_not_gone_on_with(config, tmp_path, monkeypatch):
    from bgs.runs import study

    train(config(), tmp_path / "run")
    path = tmp_path / "run/provenance.json"
    about = json.loads(path.read_text())
    assert set(about["origin"]) == {"stimuli", "trials", "sources of bgs", "weights of the model"}
    with monkeypatch.context() as patch:
        patch.setattr(study, "sources", lambda: "0" * 64)
        with pytest.raises(
            BgsError, match="the sources of bgs differ from those that this run was started with"
        ):
            train(config(), tmp_path / "run")
    about["origin"]["weights of the model"] = "0" * 64
    path.write_text(json.dumps(about))
    with pytest.raises(BgsError, match="the weights of the model differ from those"):
        train(config(), tmp_path / "run")
    path.unlink()
    with pytest.raises(BgsError, match=r"the stimuli differ from those.*expected nothing recorded"):
        train(config(), tmp_path / "run")


def test_nothing_to_evaluate_on_is_found_before_anything_is_trained(
    config, small_study, tmp_path, monkeypatch
):
    from bgs.runs import fitting

    study = tmp_path / "study"
    shutil.copytree(small_study, study)
    text = (study / "stimuli.csv").read_text()
    (study / "stimuli.csv").write_text(text.replace(",test,", ",train,"))
    with monkeypatch.context() as patch:
        patch.setattr(fitting, "new_backbone", lambda config: pytest.fail("the model was loaded"))
        with pytest.raises(
            BgsError,
            match=r"evaluation\.protocols: held-out-trials: the data set has no test stimuli.*\[all\]",
        ):
            run_training(config(f"data={study}"), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    results = run_training(config(f"data={study}", "evaluation.protocols=[all]"), tmp_path / "run")
    assert [result.protocol for result in results] == ["all"]


def test_a_test_clip_that_the_model_cannot_read_is_found_before_anything_is_trained(
    config, small_study, tmp_path
):
    study = tmp_path / "study"
    shutil.copytree(small_study, study)
    lines = (study / "stimuli.csv").read_text().splitlines()
    name, *_, split, valence = lines[-1].split(",")
    lines[-1] = f"{name},[],{split},{valence}"
    (study / "stimuli.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(BgsError, match="1 of 30 stimuli have no caption: clip29"):
        train(config(f"data={study}"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_validation_on_few_clips_is_said(config, tmp_path, caplog, monkeypatch):
    from bgs import _progress as progress

    monkeypatch.setattr(progress, "_NOTED", set())
    train(config(), tmp_path / "run")
    error = caplog.text
    assert "validation uses 6 observed pairs among 4 clips" in error
    assert "standard error of about 0.45" in error
    assert "Below 190 pairs (20 clips)" in error


def test_validation_on_dissimilarities_that_are_alike_is_refused(config, tmp_path, monkeypatch):
    from bgs.runs.study import Study

    monkeypatch.setattr(Study, "validation_target", lambda self, positions, among: np.ones((4, 4)))
    with pytest.raises(
        BgsError, match=r"validation\.fraction: nothing to validate on.*6 observed pairs among 4 clips"
    ):
        train(config(), tmp_path / "run")
    assert not (tmp_path / "run").exists()


REFIT = ("refit=true", "epochs=8", "validation.every=1", "optimizer.learning_rate=0.05", "seed=1")


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_a_refit_takes_all_training_clips_and_the_epochs_and_rates_that_validation_chose(
    config, tmp_path, schedule
):
    settings = config(
        *REFIT,
        f"optimizer.schedule={schedule}",
        *(["optimizer.plateau_patience=0"] * (schedule == "plateau")),
    )
    results = run_training(settings, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    first, second = folder.read_metrics(), folder.refit.read_metrics()
    chosen = int(np.argmax([record["validation_rsa"] for record in first])) + 1
    assert 0 < chosen < len(first)
    assert len(second) == chosen
    assert [r["learning_rate"] for r in second] == [r["learning_rate"] for r in first[:chosen]]
    assert all(record["validation_rsa"] is None for record in second)
    assert json.loads(folder.provenance.read_text())["refit"] == {"epochs": chosen, "clips": 20}
    assert all(result.provenance["refit"] == {"epochs": chosen, "clips": 20} for result in results)


def test_a_refit_is_a_run_without_validation_of_that_many_epochs(config, tmp_path):
    """Under a constant rate, where the length of the schedule does not matter, to the last bit."""
    constant = (*REFIT, "optimizer.schedule=constant", "optimizer.warmup=0")
    train(config(*constant), tmp_path / "run")
    epochs = json.loads(RunFolder(tmp_path / "run").provenance.read_text())["refit"]["epochs"]
    plain = config(*constant, "refit=false", "validation.fraction=0", f"epochs={epochs}")
    train(plain, tmp_path / "plain")
    name = "adapter/adapter_model.safetensors"
    assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()


def test_a_killed_refit_resumes_to_the_same_numbers(config, tmp_path, monkeypatch):
    settings = config(*REFIT)
    train(settings, tmp_path / "whole")
    original, count = TrainingLog.append_metrics, []

    def kill(self, record):
        if self.path.name == "refit" and record["epoch"] == 1:
            count.append(record)
            raise _Killed
        original(self, record)

    monkeypatch.setattr(TrainingLog, "append_metrics", kill)
    with pytest.raises(_Killed):
        train(settings, tmp_path / "broken")
    monkeypatch.setattr(TrainingLog, "append_metrics", original)
    train(settings, tmp_path / "broken")
    assert count
    for name in ("metrics.jsonl", "refit/metrics.jsonl", "adapter/adapter_model.safetensors"):
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_a_lookup_table_keeps_its_last_epoch_and_says_so(config, tmp_path, caplog, monkeypatch):
    from bgs import _progress as progress

    monkeypatch.setattr(progress, "_NOTED", set())
    train(config("model=lookup:8", "lora=null"), tmp_path / "run")
    assert all(record["validation_rsa"] is None for record in RunFolder(tmp_path / "run").read_metrics())
    assert "a lookup table cannot generalise to new clips" in caplog.text


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
