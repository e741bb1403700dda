"""Configurations: shipped ones load, wrong ones are refused in one line that names file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgs import BgsError
from bgs.training import load_config

CONFIGS = sorted(
    path
    for path in (Path(__file__).parents[2] / "configs").glob("*.yaml")
    if "\nmodels:" not in path.read_text(encoding="utf-8")  # of a single run, not of an experiment
)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_shipped_config_loads(path):
    config = load_config(path)
    assert load_config_text(config.to_yaml(), path) == config


def load_config_text(text: str, near: Path):
    import yaml

    from bgs._config import validate
    from bgs.training import TrainingConfig

    return validate(TrainingConfig, yaml.safe_load(text), near)


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
        ("optimizer: {plateau_threshold: 0.1}", "plateau_threshold conflicts with schedule: cosine"),
        ("refit: true\nvalidation: {fraction: 0}", "refit needs validation.fraction above 0"),
        ("validation: {shuffle: sklearn}", r"validation\.shuffle: .*scikit-learn.*got 'sklearn'"),
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


#: FACTS of v1, from the paper and from the authors' own script.
PAPER_V1 = {
    "model": "timesformer-k400?frames=16",  # facebook/timesformer-base-finetuned-k400, 16 frames
    "data": "garcia-isik-2025",
    "seed": 42,
    "epochs": 50,
    "gradient": "per-trial",
    "per_trial": {"batch": 4, "rsa_updates": 6, "rsa_clips": 24, "rsa_gradient_clips": 6, "trials": None},
    "lora": {"rank": 8, "alpha": 16, "dropout": 0.1, "layers": "all"},
    "head": {"dim": 128, "dropout": 0.3},
    "optimizer": {
        "learning_rate": 1e-4,
        "weight_decay": 0.01,  # AdamW's own
        "schedule": "plateau",
        "warmup": 0,
        "clip_norm": None,  # gradients are not clipped
        "plateau_patience": 3,
        "plateau_factor": 0.5,
        "plateau_threshold": 1e-4,  # ReduceLROnPlateau's own
    },
    "validation": {"fraction": 0.2, "shuffle": "scikit-learn", "every": 1, "patience": 5},
    "refit": False,
    "views": 0,
    "keep_graphs": 0,
    "ratings": None,
    "cross_validation": None,
}


def test_paper_v1_is_by_itself_the_published_recipe(tmp_path):
    """Nothing but the preset is given; every setting is held to what v1 did."""
    from bgs.backbones.catalogue import expand

    (tmp_path / "paper.yaml").write_text("preset: paper-v1")
    config = load_config(tmp_path / "paper.yaml")
    found = config.model_dump(mode="json")
    assert {key: found[key] for key in PAPER_V1} == PAPER_V1
    assert expand(config.model) == "timesformer:facebook/timesformer-base-finetuned-k400?frames=16"
    objective = config.objective
    assert (objective.alpha, objective.local, objective.margin) == (0.7, "hinge", 0.2)
    assert (objective.rsa, objective.weighting, objective.hard_negatives) == ("pearson", "mask", 0)
    assert [round(objective.beta.at(epoch), 3) for epoch in (0, 1, 3, 4, 9)] == [0.3, 0.4, 0.6, 0.7, 0.7]
    assert (config.evaluation.center, config.evaluation.distance) == (False, "cosine")
    assert "held-out-trials" in config.evaluation.protocols


def test_paper_v1_can_be_changed_key_by_key(write):
    config = load_config(write("preset: paper-v1\nseed: 1\noptimizer: {clip_norm: 1.0}"))
    assert (config.model, config.seed, config.optimizer.clip_norm) == ("text:minilm", 1, 1.0)
    assert config.optimizer.schedule == "plateau"


def test_a_lookup_table_is_not_validated(write):
    """It can say nothing about clips that it never saw: an epoch chosen on them is chosen by noise."""
    table = ["model=lookup:8", "lora=null"]
    assert load_config(write(""), table).validation.fraction == 0
    assert load_config(write("validation: {every: 3}"), table).validation.fraction == 0
    assert load_config(write(""), [*table, "validation.fraction=0"]).validation.fraction == 0
    assert load_config(write("")).validation.fraction == 0.2
    with pytest.raises(
        BgsError, match=r"validation\.fraction: a lookup table cannot generalise to new clips"
    ):
        load_config(write(""), [*table, "validation.fraction=0.2"])
    with pytest.raises(BgsError, match=r"schedule: plateau need validation\.fraction above 0"):
        load_config(write("preset: paper-v1"), table)
