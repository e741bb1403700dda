"""Configurations: shipped ones load, wrong ones are refused in one line that names file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgs import BgsError
from bgs.training import load_config

CONFIGS = sorted(
    path
    for path in (Path(__file__).parents[2] / "configs").glob("*.yaml")
    if not path.name.startswith("paper-")  # experiments
)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_shipped_config_loads(path):
    config = load_config(path)
    assert load_config_text(config.to_yaml(), path) == config


def load_config_text(text: str, near: Path):
    import yaml

    from bgs.training.config import validated

    return validated(yaml.safe_load(text), near)


@pytest.fixture
def write(tmp_path):
    def _write(text: str) -> Path:
        path = tmp_path / "config.yaml"
        path.write_text("model: text:minilm\ndata: garcia-isik-2025\n" + text)
        return path

    return _write


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch: 3", r"config\.yaml: unknown key 'epoch'.*did you mean epochs"),
        (
            "optimizer: {learning_rat: 1}",
            r"unknown key 'optimizer\.learning_rat'.*did you mean learning_rate",
        ),
        ("lora: {rnk: 1}", r"unknown key 'lora\.rnk'.*did you mean rank"),
        ("objective: {beta: {stat: 1}}", r"unknown key 'objective\.beta\.stat'.*did you mean start"),
        ("epochs: 0", r"epochs: .*greater than or equal to 1.*got 0"),
        ("epochs: many", r"epochs: .*got 'many'"),
        ("gradient: half", r"gradient: .*full-geometry.*got 'half'"),
        ("lora: {layers: first}", r"lora\.layers: expected `all` or `last:k`"),
        ("objective: {local: choice, margin: 0.1}", "margin conflicts"),
        (
            "objective: {target: ordinal}\nratings: {columns: [kind, mean]}",
            r"objective\.target conflicts with ratings",
        ),
        ("objective: {target: medians}", r"objective\.target: .*'shares', 'choice-model' or 'ordinal'"),
        ("per_trial: {batch: 2}", "per_trial conflicts with gradient: full-geometry"),
        ("gradient: per-trial\nkeep_graphs: 2", "keep_graphs conflicts"),
        ("optimizer: {plateau_factor: 0.1}", "plateau_factor conflicts with schedule: cosine"),
        ("validation: {fraction: 0, patience: 2}", "need validation.fraction above 0"),
        ("per_trial: {rsa_clips: 5, rsa_gradient_clips: 6}\ngradient: per-trial", "larger than rsa_clips"),
        ("- 1", "not YAML"),
    ],
)
def test_wrong_keys_are_named(write, text, message):
    with pytest.raises(BgsError, match=message) as caught:
        load_config(write(text))
    assert "\n" not in str(caught.value)


def test_missing_keys_files_and_overrides(tmp_path, write):
    (tmp_path / "empty.yaml").write_text("")
    (tmp_path / "half.yaml").write_text("model: lookup:2")
    with pytest.raises(BgsError, match="not a configuration"):
        load_config(tmp_path / "empty.yaml")
    with pytest.raises(BgsError, match="key 'data' is missing"):
        load_config(tmp_path / "half.yaml")
    with pytest.raises(BgsError, match="no such configuration file"):
        load_config(tmp_path / "none.yaml")
    with pytest.raises(BgsError, match="not an override"):
        load_config(write(""), ["epochs"])
    with pytest.raises(BgsError, match=r"unknown key 'optimizer\.x'"):
        load_config(write(""), ["optimizer.x=1"])


def test_overrides_reach_into_the_file(write):
    config = load_config(
        write("optimizer: {warmup: 7}"),
        ["optimizer.learning_rate=1e-4", "seed=3", "objective.preset=rsa-only"],
    )
    assert (config.optimizer.warmup, config.optimizer.learning_rate, config.seed) == (7, 1e-4, 3)
    assert config.objective.alpha == 0


def test_paper_v1_is_the_published_recipe(write):
    config = load_config(write("preset: paper-v1"))
    assert config.gradient == "per-trial"
    assert (config.per_trial.batch, config.per_trial.rsa_updates) == (4, 6)
    assert (config.per_trial.rsa_clips, config.per_trial.rsa_gradient_clips) == (24, 6)
    assert (config.epochs, config.validation.patience, config.validation.fraction) == (50, 5, 0.2)
    assert (config.optimizer.learning_rate, config.optimizer.schedule) == (1e-4, "plateau")
    assert (config.optimizer.plateau_patience, config.optimizer.plateau_factor) == (3, 0.5)
    assert (config.lora.rank, config.lora.alpha, config.lora.dropout) == (8, 16, 0.1)
    assert (config.head.dim, config.head.dropout) == (128, 0.3)
    assert (config.objective.alpha, config.objective.margin) == (0.7, 0.2)
    assert [round(config.objective.beta.at(epoch), 3) for epoch in (0, 4, 9)] == [0.3, 0.7, 0.7]
