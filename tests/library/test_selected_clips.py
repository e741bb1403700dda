"""On SIMULATED clips, whose latents are known: sets differ in what was asked, and by chance in motion energy."""

from __future__ import annotations

import pytest

import bgs
from bgs.experiments.simulated import film_world
from bgs.library.selecting import BOUND
from bgs.simulation.clip_folder import ClipSettings


@pytest.mark.slow
def test_matched_sets_of_simulated_clips(tmp_path):
    film_world(ClipSettings(clips=120, size=64), tmp_path / "clips")
    found = bgs.select(tmp_path / "clips", 20, differ="arousal", out=tmp_path / "study").found
    motion = {row.name: row for row in found.balance}["motion_energy"]
    assert motion.before > 0.8
    assert motion.p > 0.05
    assert abs(motion.after) < BOUND
    assert found.difference.low > 0
    assert found.difference.least >= found.difference.asked
    study = bgs.load_dataset(tmp_path / "study")
    assert study.simulated
    assert {"motion_energy", "luminance", "contrast"} <= set(study.stimuli.ratings)
    assert bgs.design(tmp_path / "study", trials=60, studies=0).schedule is not None
