"""Configurations of experiments: shipped ones load, wrong ones are refused in one line that names file and key."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bgs import BgsError
from bgs.experiments.conditions import Condition
from bgs.experiments.config import load_experiment, validated_experiment

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("paper-*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_shipped_experiment_loads(path):
    config = load_experiment(path)
    assert validated_experiment(yaml.safe_load(config.to_yaml()), path) == config
    assert Condition.LANGUAGE_DISTILLATION in config.conditions
    assert f"bgs experiment configs/{path.name}" in path.read_text()


def test_the_shipped_experiments_are_those_of_the_paper():
    assert {path.stem.removeprefix("paper-") for path in CONFIGS} >= {
        "text-minilm", "quickstart", "vjepa2.1-l", "vjepa2-l", "timesformer", "videomae", "clip",
    }  # fmt: skip


def test_a_transform_has_its_own_optimisation_and_the_objective_of_hybrid():
    given = {
        "data": "study", "models": {"m": {"model": "text:minilm"}}, "captions": "text:minilm",
        "training": {"epochs": 30, "lora": {"rank": 4}, "optimizer": {"weight_decay": 0.5}, "evaluation": {"permutations": 3}},
        "transform_only": {"transform": {"pull": 0.5}},
    }  # fmt: skip
    config = validated_experiment(given, "x")
    hybrid, transform = (
        config.training_config("m", condition, 1, "study")
        for condition in (Condition.HYBRID, Condition.TRANSFORM_ONLY)
    )
    assert (hybrid.lora.rank, hybrid.transform, hybrid.epochs) == (4, None, 30)
    assert (transform.lora, transform.transform.pull, transform.epochs) == (None, 0.5, 200)
    assert transform.optimizer.weight_decay == 0
    assert (transform.objective, transform.evaluation) == (hybrid.objective, hybrid.evaluation)


@pytest.fixture
def write(tmp_path):
    def _write(
        text: str, head: str = "data: study\nmodels: {m: {model: 'lookup:2'}}\ncaptions: 'text:minilm'\n"
    ):
        path = tmp_path / "grid.yaml"
        path.write_text(head + text)
        return path

    return _write


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: 3", r"grid\.yaml: unknown key 'seed'.*did you mean seeds"),
        ("simulate: {clip: 100}", r"unknown key 'simulate\.clip'.*did you mean clips"),
        ("analyses: {probes: {attribute: all}}", r"unknown key 'analyses\.probes\.attribute'.*did you mean attributes"),
        ("conditions: [hybird]", r"conditions\.0: .*got 'hybird'"),  # codespell:ignore hybird
        ("seeds: []", "seeds: .*at least 1"),
        ("transform_only: {transform: null}", "null leaves nothing to train"),
        ("seeds: [1, 1]", "a seed is listed twice"),
        ("simulate: {}", "expected either data or simulate"),
        ("training: {epoch: 3}", r"grid\.yaml: training of m, base: unknown key 'epoch'.*did you mean epochs"),
        ("training: {seed: 3}", r"training\.seed conflicts with the grid: see the key seeds"),
        ("training: {preset: paper-v1}", r"training\.preset conflicts with the grid: see the key conditions"),
        ("training: {objective: {preset: hybrid}}", r"training\.objective\.preset conflicts with the grid"),
        ("training: {objective: {local: choice}}", r"training of m, budget-matched: objective: hard_negatives conflicts"),
        ("training: {objective: 3}", r"training of m, base: objective: .*got 3"),
    ],
)  # fmt: skip
def test_wrong_keys_are_named(write, text, message):
    with pytest.raises(BgsError, match=message) as caught:
        load_experiment(write(text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (
            "data: d\nmodels: {m: {model: x, trainig: {}}}\n",  # codespell:ignore trainig
            r"unknown key 'models\.m\.trainig'.*did you mean training",
        ),
        ("data: d\nmodels: {a/b: {model: x}}\n", r"models\.a/b"),
        ("data: d\nmodels: {}\n", "models"),
        ("models: {m: {model: x}}\n", "expected either data or simulate"),
        ("data: d\nmodels: {m: {model: x}}\n", "language-distillation needs captions"),
        (
            "data: d\nmodels: {m: {model: x, training: {evaluation: {}}}}\nconditions: [hybrid]\n",
            r"models\.m\.training\.evaluation: all models are measured alike",
        ),
    ],
)
def test_wrong_models_are_named(write, head, message):
    with pytest.raises(BgsError, match=message) as caught:
        load_experiment(write("", head))
    assert "\n" not in str(caught.value)


def test_a_models_own_training_comes_over_the_common_one(write):
    head = "data: d\nmodels:\n  a: {model: 'lookup:2'}\n  b: {model: 'lookup:{seed}', training: {optimizer: {warmup: 7}}}\n"
    config = load_experiment(
        write("conditions: [rsa-only]\ntraining: {epochs: 9, optimizer: {learning_rate: 0.5}}\n", head),
        ["seeds=[4, 5]"],
    )
    assert config.conditions == (Condition.BASE, Condition.RSA_ONLY)  # base is always there
    a, b = (config.training_config(model, Condition.RSA_ONLY, 5, "d") for model in "ab")
    assert (a.optimizer.warmup, b.optimizer.warmup) == (3, 7)
    assert (b.epochs, b.optimizer.learning_rate, b.objective.alpha, b.seed) == (9, 0.5, 0, 5)
    assert (config.base_seeds("a"), config.base_seeds("b")) == ((4,), (4, 5))
    assert (config.base_seed("a", 5), config.base_seed("b", 5)) == (4, 5)


def test_a_plan_counts_the_second_training_of_a_refit():
    """At most as many epochs again, on the training clips and those of validation."""
    from bgs._config import validate
    from bgs.experiments.plan import _Amount, _forward_passes
    from bgs.training import TrainingConfig

    given = {
        "model": "text:minilm",
        "data": "x",
        "epochs": 10,
        "views": 1,
        "micro_batch": 8,
        "validation": {"every": 5},
    }
    once, twice = (validate(TrainingConfig, {**given, "refit": refit}, "x") for refit in (False, True))
    amount = _Amount(stimuli=50, optimised=32, watched=8, trials=100)
    assert _forward_passes(twice, amount, 1.0) - _forward_passes(once, amount, 1.0) == 10 * (4 * (32 + 8) - 8)
    kept = validate(TrainingConfig, {**given, "micro_batch": 40, "refit": True}, "x")
    assert _forward_passes(kept, amount, 1.0) - _forward_passes(once, amount, 1.0) == 10 * (
        3 * (32 + 40) - (4 * 32 - 8)
    )
