"""Cross-validated training from ratings: every clip held out once, resumable, and refused where ratings are missing."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bgs import BgsError, Embeddings
from bgs.cli.main import main
from bgs.runs import cross_validation
from bgs.runs.cross_validation import cross_validate
from bgs.runs.study import load_study
from bgs.training import load_config

N = 12


@pytest.fixture
def config(tiny_text, tmp_path):
    """Twelve captioned stimuli with votes for three labels that follow the captions."""
    words = ["two men fight", "a woman hugs a child", "people talk in the park"]
    rows = ["stimulus_id,captions,kind,warm,cool"]
    for i in range(N):
        votes = np.full(3, 1) + 8 * np.eye(3, dtype=int)[i % 3] + i % 2
        rows.append(f's{i},"[""{words[i % 3]}""]",' + ",".join(map(str, votes)))
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "stimuli.csv").write_text("\n".join(rows) + "\n")
    path = tmp_path / "config.yaml"
    path.write_text(
        f"model: text:{tiny_text}\ndata: {tmp_path / 'study'}\nepochs: 3\n"
        "ratings: {columns: [kind, warm, cool], trials: 200}\ncross_validation: {folds: 3, repeats: 2}\n"
        "validation: {fraction: 0}\noptimizer: {learning_rate: 0.01}\nevaluation: {resamples: 100}\n"
    )
    return path


def test_every_stimulus_is_held_out_once_a_repeat(config, tmp_path, capsys):
    with pytest.raises(SystemExit) as done:
        main(["train", str(config), "--out", str(tmp_path / "run")])
    assert done.value.code == 0
    assert "tuned − base" in capsys.readouterr().out
    found = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert [(fold["repeat"], fold["fold"]) for fold in found["folds"]] == [
        (r, k) for r in range(2) for k in range(3)
    ]
    metrics = found["metrics"]
    assert metrics["tuned"]["n"] == 2 * 3 * 6  # pairs of four stimuli
    expected = np.mean([fold["tuned"] for fold in found["folds"]])
    assert metrics["tuned"]["value"] == pytest.approx(expected)
    assert metrics["difference"]["value"] == pytest.approx(
        metrics["tuned"]["value"] - metrics["base"]["value"]
    )


@pytest.mark.slow
def test_an_interrupted_experiment_goes_on_with_the_same_numbers(config, tmp_path, monkeypatch):
    settings = load_config(config)
    whole = cross_validate(settings, tmp_path / "whole")
    original, calls = Embeddings.save, []

    def interrupted(self, path):
        calls.append(path)
        if len(calls) == 4:
            raise KeyboardInterrupt
        original(self, path)

    monkeypatch.setattr(Embeddings, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cross_validate(settings, tmp_path / "broken")
    monkeypatch.setattr(Embeddings, "save", original)
    again = cross_validate(settings, tmp_path / "broken")
    assert again.folds == whole.folds
    assert again.difference == whole.difference


def test_repeats_differ_in_trials_and_the_target_is_the_ratings_own(config):
    settings = load_config(config)
    first = load_study(settings)
    second = load_study(settings.model_copy(update={"seed": 1}))
    assert not np.array_equal(first.trials.odd, second.trials.odd)
    np.testing.assert_array_equal(first.rdm, second.rdm)
    geometry = first.geometry(np.array([0, 1, 3, 6]))
    np.testing.assert_array_equal(geometry.rdm, first.rdm[np.ix_([0, 1, 3, 6], [0, 1, 3, 6])])


def test_data_are_loaded_and_the_base_model_embedded_once(config, tmp_path, monkeypatch):
    calls = []
    for name in ("load_study", "embed_base"):
        original = getattr(cross_validation, name)
        counted = lambda *given, name=name, original=original: calls.append(name) or original(*given)  # noqa: E731
        monkeypatch.setattr(cross_validation, name, counted)
    cross_validate(load_config(config), tmp_path / "run")
    assert calls == ["load_study", "embed_base"]
    files = sorted((tmp_path / "run").glob("repeat-*/fold-*/base.safetensors"))
    assert len(files) == 6
    assert len({Embeddings.load(path).hash() for path in files}) == 1


def test_a_fold_that_cannot_be_validated_is_refused_before_any_is_trained(config, tmp_path, monkeypatch):
    from bgs.runs import trainer

    asked, refuse = [], trainer._require_varied

    def constant_in_the_last(target):
        asked.append(target)
        return refuse(target * np.nan if len(asked) == 6 else target)

    monkeypatch.setattr(trainer, "_require_varied", constant_in_the_last)
    with pytest.raises(BgsError, match="nothing to validate on"):
        cross_validate(load_config(config, ["validation.fraction=0.5"]), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_missing_ratings_and_impossible_folds(config, tmp_path):
    with pytest.raises(BgsError, match="no ratings hot; expected rating columns kind, hot"):
        cross_validate(load_config(config, ["ratings.columns=[kind, hot]"]), tmp_path / "run")
    with pytest.raises(BgsError, match="invalid number of folds"):
        cross_validate(load_config(config, ["cross_validation.folds=5"]), tmp_path / "run2")
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "run2").exists()
