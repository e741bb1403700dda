"""``transform-only`` beside settings of adapters; the learning curve trains as the cells do."""

from __future__ import annotations

import numpy as np
import pytest

from bgs._codec import from_json
from bgs._files import read_json
from bgs.experiments.chapters.learning_curve import LearningCurves
from bgs.experiments.config import validated_experiment
from bgs.experiments.grid import run_experiment

OTHERS = dict.fromkeys(("gap", "variance", "probes", "dimensions", "disagreement"))


@pytest.mark.parametrize(
    "training",
    [
        {"validation": {"fraction": 0.2}, "refit": True},
        {"validation": {"fraction": 0.2, "patience": 3}},
        {"validation": {"fraction": 0.2}, "optimizer": {"schedule": "plateau", "plateau_factor": 0.3}},
    ],
)
def test_settings_of_adapters_that_need_validation_do_not_reach_a_transform(text_settings, training):
    given = {**text_settings, "conditions": ["hybrid", "transform-only"]}
    given["training"] = {**given["training"], **training}
    config = validated_experiment(given, "x")
    both = {c: config.training_config("tiny", c, 0, "x") for c in config.trained}
    assert [one.validation.fraction for one in both.values()] == [0.2, 0.0]
    assert both[config.trained[0]].refit == training.get("refit", False)


@pytest.mark.parametrize(
    ("condition", "keys"),
    [
        ("transform-only", {"transform_only": {"epochs": 5, "views": 1, "optimizer": {"learning_rate": 0.05}}}),
        (
            "transform-only",
            {"transform_only": {"epochs": 5, "transform": {"dropout": 0.5}, "optimizer": {"learning_rate": 0.05}}},
        ),
        (
            "transform-only",
            {"transform_only": {"epochs": 8, "refit": True, "validation": {"fraction": 0.3},
                                "optimizer": {"learning_rate": 0.05}}},
        ),
        pytest.param(
            "transform-only", {"transform_only": {"epochs": 5, "optimizer": {"learning_rate": 0.05}}},
            marks=pytest.mark.slow,
        ),
        ("hybrid", {}),
    ],
)  # fmt: skip
def test_the_last_point_of_a_curve_is_the_cell(text_settings, tmp_path, condition, keys):
    given = {**text_settings, "conditions": [condition], "seeds": [0], **keys}
    given["analyses"] = {
        **OTHERS,
        "learning_curve": {"shares": [0.5, 1.0], "draws": 1, "condition": condition},
    }
    outcome = run_experiment(validated_experiment(given, "x"), tmp_path / "out")
    assert outcome.failed == {}
    found = from_json(LearningCurves, read_json(tmp_path / "out/analyses/learning_curve.json")["result"])
    cell = outcome.table.protocols["held-out-pairs"].models["tiny"][condition].metrics.rsa_spearman
    for points in found.models["tiny"].curves.values():
        assert points[-1].rsa.value == pytest.approx(cell.value, abs=1e-6)
    assert np.isfinite(cell.value)
