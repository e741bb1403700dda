"""Files of an experiment that were altered are one line, and say what to do."""

from __future__ import annotations

import json
import shutil

import pytest

from bgs import BgsError
from bgs.experiments.config import load_experiment
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
