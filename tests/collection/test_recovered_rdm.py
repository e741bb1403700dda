"""SIMULATED people of a known geometry: what the web path recovers is what is recovered without it."""

from __future__ import annotations

from uuid import uuid4

import numpy as np
from scipy.stats import spearmanr

import bgs
from bgs._rng import generator
from bgs.collection.schedule_table import read_schedule
from bgs.simulation.responses import choose_odd
from collection.conftest import CLIPS, write_study

GEOMETRY = generator(0, "recovered rdm").normal(size=(len(CLIPS), 2))
BLOCKS, TRIALS = 20, 15


def odd_one(block: str, trial: int, shown: tuple[str, ...]) -> str:
    """Which clip the person of this block finds odd, whatever the order on screen."""
    ordered = sorted(shown)
    once = [name for name in ordered if ordered.count(name) == 1]
    if len(once) == 1:
        return once[0]
    latents = np.stack([GEOMETRY[CLIPS.index(name)] for name in ordered])[None]
    return ordered[int(choose_odd(latents, 0.3, generator(0, block, str(trial)))[0])]


def rdm(folder):
    trials = bgs.load_dataset(folder).need_trials()
    return bgs.human_rdm(bgs.PairCounts.from_trials(trials)), len(trials)


def test_the_recovered_rdm_is_the_same_with_and_without_the_web(serve, tmp_path):
    path = write_study(tmp_path / "study", blocks=BLOCKS, trials=TRIALS)
    served = serve(path)
    for k in range(BLOCKS):
        visitor = served.join(f"p{k}").consent()
        session = visitor.session()
        for trial in session["trials"]:
            shown = tuple(clip["id"] for clip in trial["clips"])
            odd = shown.index(odd_one(session["block"], trial["trial"], shown))
            message = {
                "client_id": str(uuid4()),
                "trial": trial["trial"],
                "stimuli": shown,
                "odd": odd,
                "rt": 1000.0,
            }
            assert visitor.call("POST", "answers", json=message).status_code == 200
    bgs.Study(path).export(path / "trials.csv")
    collected, n = rdm(path)

    rows = ["participant,block,trial,stim1,stim2,stim3,odd,rt"]
    for block, trials in read_schedule(path, CLIPS).blocks.items():
        for one in trials:
            shown = ",".join(one.stimuli)
            rows.append(f"{block},{block},{one.number},{shown},{odd_one(block, one.number, one.stimuli)},1")
    (path / "trials.csv").write_text("\n".join(rows) + "\n")
    direct, expected = rdm(path)
    assert n == expected == BLOCKS * TRIALS
    np.testing.assert_array_equal(collected, direct)
    # and both show the geometry
    planted = np.linalg.norm(GEOMETRY[:, None] - GEOMETRY, axis=-1)
    upper = np.triu_indices(len(CLIPS), 1)
    assert spearmanr(collected[upper], planted[upper])[0] > 0.8
