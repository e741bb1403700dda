"""The estimate of an evaluation is near what it takes: only permutations are extrapolated."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgs.experiments import plan
from bgs.experiments.cells import cells_of
from bgs.experiments.config import validated_experiment
from bgs.experiments.folder import load_experiment_study


def test_what_does_not_depend_on_permutations_is_counted_once(text_settings, monkeypatch):
    evaluation = {**text_settings["training"]["evaluation"], "permutations": 1000}
    given = {**text_settings, "training": {**text_settings["training"], "evaluation": evaluation}}
    config = validated_experiment(given, "x")
    study = load_experiment_study(config, config.data)

    clock = [0.0]

    def evaluate(*_, permutations, **__):
        clock[0] += 0.2 + 0.001 * permutations

    monkeypatch.setattr(plan, "evaluate", evaluate)
    monkeypatch.setattr(plan.time, "perf_counter", lambda: clock[0])
    assert plan._evaluation_seconds(config, study) == pytest.approx(0.2 + 0.001 * 1000)


def test_cells_that_train_a_transform_cost_a_pass_of_the_frozen_model(text_settings):
    """Whatever condition they are of: hybrid too, where a model is given ``transform``."""
    frozen = {"lora": None, "transform": {}, "optimizer": {"warmup": 0}}
    model = text_settings["models"]["tiny"]
    given = {
        **text_settings, "models": {"adapted": model, "frozen": {**model, "training": frozen}},
        "conditions": ["base", "hybrid", "transform-only"],
    }  # fmt: skip
    config = validated_experiment(given, "x")
    cells = cells_of(config, Path("cells"), "data")
    cost = plan.Cost(0.1, train_seconds=1000.0, embed_seconds=1.0, cell_bytes=1, frame_bytes=0)
    found = plan.Plan(tuple(cells), frozenset(), dict.fromkeys(config.models, cost), evaluation_seconds=10.0)
    # One base and two seeds of each condition, each embedded and evaluated.
    assert found.seconds("adapted") == 5 * 11 + 2 * 1000 + 2 * 1
    assert found.seconds("frozen") == 5 * 11 + 2 * 1 + 2 * 1
