"""`bgs embed` and `bgs train` as a user runs them: results on disk, errors in one line, exit code 2, nothing half-written."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from bgs import Embeddings
from bgs.cli.main import main


def fails(capsys, *arguments: object) -> str:
    """Run a command that must fail; its one line."""
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("bgs: ")
    assert error.count("\n") == 1
    return error


def runs(*arguments: object) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    assert caught.value.code == 0


@pytest.fixture
def config(tiny_text, small_study, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(
        f"model: text:{tiny_text}\ndata: {small_study}\nepochs: 2\nvalidation: {{every: 1}}\n"
        "evaluation: {resamples: 100, permutations: 20}\n"
    )
    return path


def test_train_embed_evaluate(config, small_study, tmp_path, capsys):
    run = tmp_path / "run"
    runs("train", config, "--out", run, "--set", "seed=3", "--set", "lora.rank=2")
    printed = capsys.readouterr().out
    assert "held-out-trials" in printed
    assert "held-out-pairs" in printed
    provenance = json.loads((run / "provenance.json").read_text())
    assert provenance["seed"] == 3
    assert set(provenance["data_hashes"]) == {"stimuli.csv", "trials.csv"}
    assert "torch" in provenance["versions"]
    evaluation = json.loads((run / "evaluation.json").read_text())
    assert set(evaluation) == {"held-out-trials", "held-out-pairs"}
    runs("embed", "--model", f"run:{run}", "--data", small_study, "--out", tmp_path / "tuned.safetensors")
    again = Embeddings.load(tmp_path / "tuned.safetensors")
    np.testing.assert_array_equal(again.values, Embeddings.load(run / "tuned.safetensors").values)
    runs("train", config, "--out", run, "--set", "seed=3", "--set", "lora.rank=2")


def test_a_failed_embed_writes_nothing(tiny_text, small_study, tmp_path, capsys):
    out = tmp_path / "out.safetensors"
    assert "unknown model" in fails(
        capsys, "embed", "--model", "smell:x", "--data", small_study, "--out", out
    )
    assert "no such data set" in fails(
        capsys, "embed", "--model", "lookup:3", "--data", "gracia", "--out", out
    )
    assert "device" in fails(
        capsys, "embed", "--model", "lookup:3", "--data", small_study, "--out", out, "--device", "warp"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_data_set_without_captions_cannot_feed_a_sentence_encoder(tiny_text, tmp_path, capsys):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "stimuli.csv").write_text("stimulus_id\na\nb\n")
    error = fails(
        capsys,
        "embed",
        "--model",
        f"text:{tiny_text}",
        "--data",
        tmp_path / "study",
        "--out",
        tmp_path / "x.safetensors",
    )
    assert "2 of 2 stimuli have no caption: a, b" in error
    assert not (tmp_path / "x.safetensors").exists()


def test_training_without_trials_or_with_too_few_clips(tiny_text, small_study, config, tmp_path, capsys):
    study = tmp_path / "study"
    study.mkdir()
    (study / "stimuli.csv").write_bytes((small_study / "stimuli.csv").read_bytes())
    error = fails(capsys, "train", config, "--out", tmp_path / "run", "--set", f"data={study}")
    assert "has no" in error
    assert "trials" in error
    error = fails(capsys, "train", config, "--out", tmp_path / "run", "--set", "validation.fraction=0.05")
    assert "validation.fraction: too few training stimuli" in error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda rows: rows[4].__setitem__(3, "clip99"), "trials.csv, row 5, column 'stim1': unknown stimulus"),
        (lambda rows: rows[4].__setitem__(6, "clip29"), "trials.csv, row 5, column 'odd': the odd one is not in its trial"),
        (lambda rows: rows[0].__setitem__(6, "choice"), "missing column odd"),
        (lambda rows: rows.clear(), "empty file"),
    ],
)  # fmt: skip
def test_bad_trials_stop_training_before_anything_is_written(
    config, small_study, tmp_path, capsys, edit, message
):
    study = tmp_path / "study"
    study.mkdir()
    (study / "stimuli.csv").write_bytes((small_study / "stimuli.csv").read_bytes())
    with (small_study / "trials.csv").open() as stream:
        rows = list(csv.reader(stream))
    edit(rows)
    with (study / "trials.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    assert message in fails(capsys, "train", config, "--out", tmp_path / "run", "--set", f"data={study}")
    assert not (tmp_path / "run").exists()


def test_a_clip_listed_twice(config, small_study, tmp_path, capsys):
    study = tmp_path / "study"
    study.mkdir()
    text = (small_study / "stimuli.csv").read_text().replace("clip07", "clip06")
    (study / "stimuli.csv").write_text(text)
    error = fails(capsys, "train", config, "--out", tmp_path / "run", "--set", f"data={study}")
    assert "row 9, column 'stimulus_id': stimulus 'clip06' listed twice" in error


def test_a_config_with_an_unknown_key(config, tmp_path, capsys):
    config.write_text(config.read_text() + "learning_rate: 3\n")
    assert "config.yaml: unknown key 'learning_rate'" in fails(
        capsys, "train", config, "--out", tmp_path / "run"
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.real
def test_frozen_minilm_scores_as_published_beside_the_data(garcia):
    """Figures measured by others on the same data: Spearman .362, 3AFC .552, two-way .697 on the published test trials."""
    from bgs.evaluation import evaluate
    from bgs.runs.embedder import embed_stimuli

    embeddings = embed_stimuli("text:minilm", garcia.stimuli)
    result = evaluate(embeddings, garcia.stimuli, garcia.trials, center=False, permutations=0)
    metrics = result.metrics
    assert metrics["rsa_spearman"].value == pytest.approx(0.362, abs=0.002)
    assert metrics["rsa_spearman_squared"].value == pytest.approx(0.131, abs=0.002)
    assert metrics["odd_one_out_3afc"].value == pytest.approx(0.552, abs=0.002)
    assert metrics["odd_one_out_two_way"].value == pytest.approx(0.697, abs=0.002)
    assert metrics["odd_one_out_3afc"].n == 368
