"""Truth that was planted in simulated judgments is known to the analyses, and comes back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bgs.datasets import Dataset
from bgs.evaluation import pair_vector, partition_variance, spearman
from bgs.experiments.chapters import NotApplicable
from bgs.experiments.chapters.planted import drivers, planted_rdm
from bgs.judgments import PairCounts, human_rdm
from bgs.runs.study import Study
from bgs.simulation import TRUTH, ObserverSettings, analytic_ceilings, simulate_judgments, write_truth
from bgs.simulation.observers import weighted_rdm
from bgs.stimuli import StimulusSet

WEIGHTS = ObserverSettings().weights
CLIPS, TRIALS = 70, 12_000
ALL = np.arange(CLIPS)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """What was simulated, and the study that an analysis sees."""
    random, folder = np.random.default_rng(3), tmp_path_factory.mktemp("world")
    ratings = {name: random.normal(size=CLIPS) for name in WEIGHTS}
    stimuli = StimulusSet(ids=tuple(f"clip-{i}" for i in range(CLIPS)), ratings=ratings)
    judged = simulate_judgments(stimuli, TRIALS, ObserverSettings(n_observers=20), seed=4)
    write_truth(folder / TRUTH, judged, analytic_ceilings(judged, draws=3))
    dataset = Dataset(
        stimuli,
        judged.trials,
        simulated=True,
        name="world",
        licence="simulated",
        citation="SIMULATED",
        folder=folder,
    )
    return judged, Study(dataset, stimuli, judged.trials)


def test_what_observers_go_by_is_known(world):
    assert drivers(world[1]) == tuple(WEIGHTS)


def test_the_planted_rdm_is_what_the_observed_one_tends_to(world):
    judged, study = world
    planted = planted_rdm(study, ALL)
    observed = pair_vector(human_rdm(PairCounts.from_trials(judged.trials)))
    assert spearman(observed, pair_vector(planted.rdm)) ** 2 == pytest.approx(planted.reliability, abs=0.03)
    many = pair_vector(human_rdm(PairCounts.from_trials(simulate_judgments(
        study.stimuli, 400_000, judged.settings, seed=4).trials)))  # fmt: skip
    assert spearman(many, pair_vector(planted.rdm)) > 0.98


def test_planted_unique_variance_comes_back_within_its_interval(world):
    """Two models that each know a part of what observers go by, and share one of it."""
    judged, study = world
    planted, observed = planted_rdm(study, ALL), human_rdm(PairCounts.from_trials(judged.trials))
    names = list(WEIGHTS)

    def model(*known: str) -> np.ndarray:
        return weighted_rdm(judged.latents, np.array([WEIGHTS[n] if n in known else 0.0 for n in names]))

    models = {"video": model("valence", "arousal", "intimacy"), "captions": model("intimacy", "dominance")}
    found = partition_variance(observed, models, resamples=300, permutations=50).cross_validated
    truth = partition_variance(planted.rdm, models, resamples=2, permutations=0).cross_validated
    for name, part in found.items():
        assert part.low <= planted.reliability * truth[name].value <= part.high, name
    assert found["video"].low > 0
    # Over tables by the same observers the mean is the planted part: one table's is .02 off (standard deviation).
    fresh = [human_rdm(PairCounts.from_trials(judged.again(draw))) for draw in range(8)]
    parts = [partition_variance(rdm, models, resamples=2, permutations=0).cross_validated for rdm in fresh]
    for name, part in truth.items():
        mean = np.mean([one[name].value for one in parts])
        assert mean == pytest.approx(planted.reliability * part.value, abs=0.025), name


def test_of_people_and_of_other_judgments_nothing_is_known(world):
    judged, study = world
    fewer = replace(study, trials=judged.trials.where(np.arange(TRIALS) < 100))
    with pytest.raises(NotApplicable, match="not those"):
        planted_rdm(fewer, ALL)
    people = replace(study, dataset=replace(study.dataset, folder=None))
    assert drivers(people) is None
    with pytest.raises(NotApplicable, match="is unknown"):
        planted_rdm(people, ALL)
