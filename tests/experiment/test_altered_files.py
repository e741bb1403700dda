"""Files of an experiment that were altered are one line, and say what to do."""

from __future__ import annotations

import json
import shutil

import pytest

from bgs import BgsError
from bgs.experiments.config import load_experiment, validated_experiment
from bgs.experiments.grid import run_experiment
from bgs.experiments.page import report_experiment


@pytest.fixture
def copy(text_experiment, tmp_path):
    return shutil.copytree(text_experiment[1], tmp_path / "copy")


@pytest.mark.parametrize("change", [lambda marker: {}, lambda marker: {**marker, "seconds": "long"}])
def test_a_report_on_a_cell_whose_marker_was_altered(copy, change):
    marker = next(copy.glob("cells/*/base/seed-0/done.json"))
    marker.write_text(json.dumps(change(json.loads(marker.read_text()))))
    with pytest.raises(BgsError, match=r"done\.json: damaged"):
        report_experiment(copy)


def test_a_cell_whose_evaluation_lacks_a_protocol(copy):
    path = next(copy.glob("cells/*/base/seed-0/evaluation.json"))
    path.write_text("{}")
    with pytest.raises(BgsError, match=r"evaluation\.json: damaged.*held-out-pairs"):
        run_experiment(load_experiment(copy / "experiment.yaml"), copy)


def test_a_damaged_analysis_is_computed_again_with_a_note(text_settings, tmp_path, caplog):
    """`bgs experiment` replaces what cannot be read by what it would have written; the other analyses stay."""
    given = {**text_settings, "conditions": ["hybrid"], "seeds": [0]}
    given["analyses"] = dict.fromkeys(("gap", "variance", "dimensions", "disagreement")) | {"probes": {}}
    config = validated_experiment(given, "x")
    run_experiment(config, tmp_path / "out")
    path = tmp_path / "out/analyses/probes.json"
    before = path.read_bytes()
    path.write_bytes(before[: len(before) // 2])
    assert run_experiment(config, tmp_path / "out").failed == {}
    assert path.read_bytes() == before
    assert "probes.json" in caplog.text
    assert "computed again" in caplog.text
