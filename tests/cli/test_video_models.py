"""Video models from the command line: `bgs models`, and real clips through embed and train for a tiny VideoMAE."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import torch

from bgs import Embeddings
from bgs.cli.main import main
from clips import write_clip
from tiny_models import KINDS, save_small_study, save_tiny_video, tiny_vjepa2_1


def runs(*arguments: object) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    assert caught.value.code == 0


def fails(capsys, *arguments: object) -> str:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    assert caught.value.code == 2
    return capsys.readouterr().err


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return f"videomae:{save_tiny_video('videomae', tmp_path_factory.mktemp('videomae'))}"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The small study with a clip for each stimulus: its kind decides the colour, its number the brightness."""
    folder = save_small_study(tmp_path_factory.mktemp("video-study"))
    with (folder / "stimuli.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for i, row in enumerate(rows):
        picture = np.full((48, 64, 3), 40 + i, dtype=np.uint8)
        picture[8:40, 8:56, i % len(KINDS)] = 220
        row["video"] = write_clip(folder / f"{row['stimulus_id']}.mp4", [picture] * 6).name
    with (folder / "stimuli.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture
def broken_study(study, tmp_path):
    """The same, two of its clips unreadable."""
    for path in study.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "clip03.mp4").write_bytes(b"")
    (tmp_path / "clip17.mp4").unlink()
    return tmp_path


def test_models_are_listed_within_80_columns(capsys):
    runs("models")
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any("timesformer-k400" in line and "8×224" in line and "121 M" in line for line in lines)
    runs("models", "list")
    assert capsys.readouterr().out.splitlines() == lines
    runs("models", "--json", "-")
    found = json.loads(capsys.readouterr().out)
    fields = {"name", "family", "checkpoint", "frames", "size", "parameters", "memory", "licence", "about"}
    assert fields == found[0].keys()
    tiny = next(i for i, line in enumerate(lines) if "tiny-videomae" in line)
    assert "in this package" in lines[tiny]
    assert "pretrained on SIMULATED clips" in lines[tiny + 1]


def test_a_checkpoint_is_converted(tmp_path, monkeypatch, capsys):
    from bgs.backbones.vjepa2_1_network import SIZES

    encoder = tiny_vjepa2_1()
    monkeypatch.setitem(SIZES, "b", encoder.config)
    torch.save(
        {"ema_encoder": {f"module.{k}": v for k, v in encoder.state_dict().items()}}, tmp_path / "up.pt"
    )
    runs("models", "convert", "vjepa2.1-b", tmp_path / "up.pt", "--out", tmp_path / "model")
    assert f"vjepa2.1:{tmp_path / 'model'}" in capsys.readouterr().out
    assert "a different size" in fails(
        capsys, "models", "convert", "vjepa2.1-l", tmp_path / "up.pt", "--out", tmp_path / "other"
    )


def test_layers(model, study, tmp_path, capsys):
    runs("embed", "--model", model, "--data", study, "--out", tmp_path / "all.safetensors", "--all-layers")
    assert "30 stimuli × 32 dimensions × 4 layers" in capsys.readouterr().out
    runs("embed", "--model", model, "--data", study, "--out", tmp_path / "two.safetensors", "--layer", "2")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *(f"all.layer-{k:02d}.safetensors" for k in range(4)), "two.safetensors"
    ]  # fmt: skip
    two = Embeddings.load(tmp_path / "two.safetensors")
    np.testing.assert_allclose(
        two.values, Embeddings.load(tmp_path / "all.layer-02.safetensors").values, atol=1e-6
    )
    assert two.source.endswith("?layer=2")
    assert two.details["setting layer"] == "2"
    assert "conflicts" in fails(
        capsys,
        "embed",
        "--model",
        model,
        "--data",
        study,
        "--out",
        "x.safetensors",
        "--layer",
        1,
        "--all-layers",
    )
    assert "expected a video model" in fails(
        capsys,
        "embed",
        "--model",
        "lookup:3",
        "--data",
        study,
        "--out",
        tmp_path / "x.safetensors",
        "--all-layers",
    )
    assert "no layers to choose from" in fails(
        capsys,
        "embed",
        "--model",
        "lookup:3",
        "--data",
        study,
        "--out",
        tmp_path / "x.safetensors",
        "--layer",
        1,
    )
    assert "no such layer" in fails(
        capsys, "embed", "--model", model, "--data", study, "--out", tmp_path / "x.safetensors", "--layer", 7
    )


def test_bad_clips_stop_everything_or_are_left_out(model, broken_study, tmp_path, capsys):
    out = tmp_path / "out" / "e.safetensors"
    error = fails(capsys, "embed", "--model", model, "--data", broken_study, "--out", out)
    assert "2 of 30 clips cannot be read" in error
    assert not out.parent.exists()
    runs("embed", "--model", model, "--data", broken_study, "--out", out, "--skip-bad")
    found = Embeddings.load(out)
    assert len(found) == 28
    assert not {"clip03", "clip17"} & set(found.stimulus_ids)
    with (out.parent / "failures.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["stimulus_id"] for row in rows] == ["clip03", "clip17"]
    assert all(row["reason"] for row in rows)
    config = tmp_path / "config.yaml"
    config.write_text(f"model: {model}\ndata: {broken_study}\n")
    assert "clips cannot be read" in fails(capsys, "train", config, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_real_clips_train_and_reload(model, study, tmp_path, capsys):
    config = tmp_path / "config.yaml"
    config.write_text(
        f"model: {model}\ndata: {study}\nepochs: 2\nmicro_batch: 8\nvalidation: {{every: 1}}\n"
        "lora: {rank: 2, layers: 'last:2'}\nhead: {dim: 8}\nevaluation: {resamples: 100, permutations: 20}\n"
    )
    runs("train", config, "--out", tmp_path / "run")
    assert "parameters are trained" in capsys.readouterr().err
    runs(
        "train",
        config,
        "--out",
        tmp_path / "slow",
        "--set",
        "gradient_checkpointing=true",
        "--set",
        "lora.dropout=0.1",
    )
    tuned = Embeddings.load(tmp_path / "run" / "tuned.safetensors")
    np.testing.assert_allclose(
        tuned.values, Embeddings.load(tmp_path / "slow" / "tuned.safetensors").values, atol=1e-5
    )
    runs(
        "embed",
        "--model",
        f"run:{tmp_path / 'run'}",
        "--data",
        study,
        "--out",
        tmp_path / "again.safetensors",
        "--micro-batch",
        8,
    )
    np.testing.assert_array_equal(Embeddings.load(tmp_path / "again.safetensors").values, tuned.values)
    assert "the layer of this model is already set" in fails(
        capsys,
        "embed",
        "--model",
        f"run:{tmp_path / 'run'}",
        "--data",
        study,
        "--out",
        "x.safetensors",
        "--layer",
        1,
    )
    about = json.loads((tmp_path / "run" / "adapter" / "bgs.json").read_text())
    assert about["settings"]["frames"] == 4
    assert about["head"] == {"dim": 8, "dropout": 0.3}


def test_a_checkpoint_without_a_preprocessor_file_is_noted_once(study, tmp_path, capsys):
    folder = save_tiny_video("videomae", tmp_path / "model", preprocessor=False)
    runs("embed", "--model", f"videomae:{folder}", "--data", study, "--out", tmp_path / "e.safetensors")
    assert capsys.readouterr().err.count("note: ") == 1
