"""`bgs ordinal` from a folder to files, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bgs.cli.main import main
from bgs.datasets import load_dataset
from bgs.embeddings import Embeddings
from bgs.judgments import ordinal_embedding


def run(*arguments: object) -> None:
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    assert stop.value.code == 0


def test_training_clips_are_embedded_from_judgments_among_them(small_study, tmp_path, capsys):
    out = tmp_path / "people.safetensors"
    run("ordinal", "--data", small_study, "--out", out, "--dimensions", 2)
    dataset = load_dataset(str(small_study))
    train = dataset.stimuli.train
    saved, about = Embeddings.load(out), json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    assert set(saved.stimulus_ids) == {dataset.stimuli.ids[i] for i in np.flatnonzero(train)}
    expected = ordinal_embedding(dataset.trials.within(train), dataset.stimuli.ids, dimensions=2)
    np.testing.assert_array_equal(saved.values, expected.values)
    assert saved.source == "ordinal:2"
    assert about["clips"] == "train"
    assert about["held_out"]["2"]["accuracy"] == expected.held_out[2].accuracy
    printed = " ".join(capsys.readouterr().out.split())
    assert "2 (chosen)" in printed
    assert (
        f"20 of 30 stimuli × 2 dimensions from {len(dataset.trials.within(train).judgments)} judg" in printed
    )


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--dimensions", "30"], "bgs: dimensions: out of range; expected 1 to 19, got 30"),
        (["--clips", "all", "--lapse", "1"], "bgs: lapse: out of range; expected 0 to below 1, got 1.0"),
        (
            ["--out", "people.json"],
            "bgs: --out: not an embedding file; expected a name ending in .safetensors",
        ),
    ],
)
def test_refusals_are_one_line_and_leave_nothing(small_study, tmp_path, monkeypatch, capsys, options, line):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(["ordinal", "--data", str(small_study), "--out", "people.safetensors", *options])
    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith(line)
    assert message.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
