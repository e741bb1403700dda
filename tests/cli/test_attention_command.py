"""`bgs attention`: tables, strips and films of a small encoder on clips whose regions are known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bgs._numbers import plain
from bgs.cli.main import main
from bgs.evaluation import AttentionShares
from bgs.stimuli import RegionMasks, write_masks
from bgs.stimuli.masks import mask_path
from clips import write_clip

MODEL = "scratch:videomae-tiny"
QUICK = ("--resamples", "50", "--permutations", "50")


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
def study(tmp_path_factory):
    """Five clips of a bright square that moves to the right; four have masks."""
    folder = tmp_path_factory.mktemp("study")
    lines = ["stimulus_id,video"]
    for number in range(5):
        pictures, labels = [], np.zeros((12, 64, 64), np.uint8)
        for t in range(12):
            x = 4 * t
            picture = np.full((64, 64, 3), 40, np.uint8)
            picture[8 * number : 8 * number + 16, x : x + 16] = 220
            labels[t, 8 * number : 8 * number + 16, x : x + 16] = 1
            pictures.append(picture)
        write_clip(folder / f"c{number}.mp4", pictures)
        lines.append(f"c{number}.mp4,c{number}.mp4")
        if number < 4:
            write_masks(mask_path(folder, f"c{number}.mp4"), RegionMasks(labels, ("background", "agent")))
    (folder / "stimuli.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_two_models_are_compared(study, tmp_path, capsys):
    runs(
        "attention", "--model", f"{MODEL}?seed=1", "--against", MODEL, "--data", study, "--out", tmp_path,
        "--strips", 2, "--video", "--json", tmp_path / "copy.json", *QUICK,
    )  # fmt: skip
    out = capsys.readouterr().out
    assert (tmp_path / "copy.json").read_bytes() == (tmp_path / "attention.json").read_bytes()
    assert max(len(line) for line in out.splitlines() if str(tmp_path) not in line) <= 80
    assert "2 strips" in " ".join(out.split())
    result = AttentionShares.from_json(json.loads((tmp_path / "attention.json").read_text()))
    assert set(result.clips) == {"c0.mp4", "c1.mp4", "c2.mp4", "c3.mp4"}
    agent = result.metrics["agent"]
    assert agent["area"].value == pytest.approx(1 / 16, abs=0.01)
    row = next(line for line in out.splitlines() if "agent" in line)
    for metric in (agent["area"], result.against["agent"]["share"], agent["share"]):
        assert plain(metric.value, 3) in row
    assert agent["share"].value - result.against["agent"]["share"].value == pytest.approx(
        result.differences["agent"].value
    )
    assert result.provenance["model"]["source"] == f"{MODEL}?seed=1"
    assert sorted(path.name for path in (tmp_path / "strips").iterdir()) == ["c0.png", "c1.png"]
    assert sorted(path.name for path in (tmp_path / "videos").iterdir()) == ["c0.mp4", "c1.mp4"]


@pytest.mark.parametrize("method", ["last-layer", "gradient"])
def test_one_model_by_other_methods(study, tmp_path, capsys, method):
    runs(
        "attention",
        "--model",
        MODEL,
        "--data",
        study,
        "--out",
        tmp_path,
        "--method",
        method,
        "--strips",
        0,
        *QUICK,
    )
    out = capsys.readouterr().out
    assert f"({method})" in out
    assert "share − area" in out
    assert [path.name for path in tmp_path.iterdir()] == ["attention.json"]


def test_boxes_instead_of_masks(study, tmp_path, capsys):
    """One box a clip, over its left half."""
    images = [{"id": i, "video": f"c{i}.mp4", "width": 64, "height": 64} for i in range(3)]
    annotations = [{"image_id": i, "category_id": 1, "bbox": [0, 0, 32, 64]} for i in range(3)]
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "left"}]}
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    runs(
        "attention", "--model", MODEL, "--data", study, "--out", tmp_path, "--boxes", tmp_path / "boxes.json",
        "--strips", 0, *QUICK,
    )  # fmt: skip
    result = json.loads((tmp_path / "attention.json").read_text())
    assert result["metrics"]["left"]["area"]["value"] == 0.5
    assert result["metrics"]["left"]["share"]["n"] == 3
    assert result["provenance"]["boxes"]["file"] == "boxes.json"


def test_without_masks_there_are_strips(study, tmp_path, capsys):
    bare = tmp_path / "bare"
    bare.mkdir()
    for path in [study / "stimuli.csv", *study.glob("*.mp4")]:
        (bare / path.name).write_bytes(path.read_bytes())
    runs("attention", "--model", MODEL, "--data", bare, "--out", tmp_path / "out", "--strips", 1)
    assert "no region masks, so only strips are drawn" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["strips"]
    runs(
        "attention", "--model", MODEL, "--data", bare, "--masks", study, "--out", tmp_path / "out", "--strips", 0,
        *QUICK,
    )  # fmt: skip
    assert (tmp_path / "out" / "attention.json").is_file()


def test_ids_of_any_length_and_kind(study, tmp_path):
    """Ids are names in a table; files named after them are safe and distinct all the same."""
    odd = tmp_path / "odd"
    odd.mkdir()
    ids = ["x" * 300, "a/b", "a_b", "../up"]
    lines = ["stimulus_id,video", *(f"{name},c{i}.mp4" for i, name in enumerate(ids))]
    (odd / "stimuli.csv").write_text("\n".join(lines) + "\n")
    for path in study.glob("*.mp4"):
        (odd / path.name).write_bytes(path.read_bytes())
    out = tmp_path / "out"
    runs("attention", "--model", MODEL, "--data", odd, "--out", out, "--video")
    assert len(list((out / "strips").glob("*.png"))) == len(list((out / "videos").glob("*.mp4"))) == len(ids)
    assert sorted(path.name for path in out.iterdir()) == ["strips", "videos"]


def test_errors_are_one_line(study, tmp_path, capsys):
    start = ("attention", "--data", study, "--out", tmp_path / "out", "--model")
    assert "no attention over clips; expected a video encoder" in fails(capsys, *start, "pixels:")
    assert "no masks of these clips" in fails(capsys, *start, MODEL, "--masks", tmp_path)
    assert "conflicts" in fails(capsys, *start, MODEL, "--masks", study, "--boxes", "x.json")
    assert "cannot read" in fails(capsys, *start, MODEL, "--boxes", tmp_path / "x.json")
    damaged = tmp_path / "damaged"
    path = mask_path(damaged, "c0.mp4")
    path.parent.mkdir(parents=True)
    save_file(load_file(mask_path(study, "c0.mp4")), path)
    assert "not a mask file" in fails(capsys, *start, MODEL, "--masks", damaged)
    assert not (tmp_path / "out").exists()


def test_low_level_models_are_embedded(study, tmp_path, capsys):
    from bgs import Embeddings

    for model in ("pixels:", "motion:"):
        runs("embed", "--model", model, "--data", study, "--out", tmp_path / "e.safetensors")
        assert len(Embeddings.load(tmp_path / "e.safetensors")) == 5
