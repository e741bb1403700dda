"""Features known by file names are evaluated, as docs/features.md says."""

from __future__ import annotations

import numpy as np
import pytest

import bgs
from bgs.cli.main import main
from bgs.simulation import planted_dataset


def test_file_names_are_compared_without_folder_and_ending(tmp_path):
    stimuli, trials = planted_dataset(n_clips=20, n_trials=800, seed=1)
    bgs.datasets.write_folder(bgs.Dataset(stimuli, trials, simulated=True), tmp_path / "own")
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(20, 4)))
    (tmp_path / "x.ids.txt").write_text("\n".join(f"videos/{name}.mp4" for name in stimuli.ids))
    given = ["evaluate", "--embeddings", str(tmp_path / "x.npy"), "--data", str(tmp_path / "own")]
    with pytest.raises(SystemExit) as left:
        main([*given, "--permutations", "10"])
    assert not left.value.code


def test_no_clips_to_embed_is_one_line(tmp_path):
    bgs.Embeddings(np.ones((1, 2), np.float32), ("a",), "made up").save(tmp_path / "x.safetensors")
    model = bgs.load_model(f"features:{tmp_path / 'x.safetensors'}")
    with pytest.raises(bgs.BgsError, match="no stimuli"):
        model.embed([])
