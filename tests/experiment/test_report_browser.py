"""The report of whole experiments in a real browser: no complaint, nothing fetched, fit for a phone, small."""

from __future__ import annotations

import pytest

from bgs.api.quickstarts import STUDY
from bgs.experiments.config import validated_experiment
from bgs.experiments.grid import run_experiment
from bgs.experiments.page import report_experiment, write_report
from browser import BROWSER, measured

pytestmark = [pytest.mark.slow, pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine")]


def _loads_without_complaint(path, tmp_path):
    found, log = measured(path, tmp_path / "profile")
    assert "CONSOLE" not in log
    assert {key: found[key] for key in ("broken", "flat", "wide", "fetched")} == {
        "broken": 0,
        "flat": 0,
        "wide": 0,
        "fetched": [],
    }
    return found


def test_a_report_on_captions(text_experiment, tmp_path):
    _loads_without_complaint(report_experiment(text_experiment[1], tmp_path / "page.html"), tmp_path)


def test_a_report_on_60_held_out_clips(tmp_path):
    evaluation = {"center": True, "resamples": 200, "permutations": 50}
    settings = STUDY | {
        "simulate": {"clips": 240, "trials": 8000},
        "conditions": ["hybrid", "language-distillation"],
        "seeds": [0],
        "training": STUDY["training"] | {"epochs": 1, "evaluation": evaluation},
        "analyses": {
            "variance": {"low_level": ["pixels:grey", "motion:energy"]},
            "attention": {"regions": {"agents": ["agent A", "agent B", "agent C"]}},
        },
    }
    outcome = run_experiment(validated_experiment(settings, "x"), tmp_path / "out")
    assert outcome.failed == {}
    path = write_report(outcome.experiment, outcome.table, outcome.failed)
    assert path.stat().st_size < 3e6
    found = _loads_without_complaint(path, tmp_path)
    assert found["images"] > 10
