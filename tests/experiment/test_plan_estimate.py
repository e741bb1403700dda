"""The estimate of an evaluation is near what it takes: only permutations are extrapolated."""

from __future__ import annotations

import pytest

from bgs.experiments import plan
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
