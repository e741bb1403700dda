"""Transfer of a model that is known by its features alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import bgs
from bgs._files import read_json
from bgs.experiments.config import validated_experiment
from bgs.experiments.grid import run_experiment


def test_features_of_other_clips_only_are_a_reason_that_is_said(text_settings, small_study, tmp_path):
    data = bgs.load_dataset(small_study)
    values = np.random.default_rng(0).normal(size=(len(data.stimuli), 4)).astype(np.float32)
    bgs.Embeddings(values, data.stimuli.ids, "made up").save(tmp_path / "x.safetensors")
    ids = tuple(f"other {name}" for name in data.stimuli.ids)
    rating = np.linspace(0, 1, len(ids))
    second = replace(data.stimuli, ids=ids, split=None, captions=None, ratings={"friendly": rating})
    bgs.datasets.write_folder(bgs.Dataset(second, simulated=True), tmp_path / "second")
    given = {**text_settings, "models": {"f": {"model": f"features:{tmp_path / 'x.safetensors'}"}}}
    given |= {"conditions": ["hybrid"], "captions": None, "seeds": [0]}
    given["training"] = {"epochs": 2, "evaluation": text_settings["training"]["evaluation"]}
    given["analyses"] = dict.fromkeys(("gap", "variance", "probes", "dimensions", "disagreement"))
    given["analyses"]["transfer"] = {
        "data": str(tmp_path / "second"),
        "ratings": ["friendly"],
        "target": "euclidean",
    }
    outcome = run_experiment(validated_experiment(given, "x"), tmp_path / "out")
    assert outcome.failed == {}
    kept = read_json(tmp_path / "out/analyses/transfer.json")
    assert "have no embedding" in kept["not_applicable"]
