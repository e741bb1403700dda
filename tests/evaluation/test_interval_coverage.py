"""Do 95 % intervals hold the truth 95 % of the time? Simulated people, known truth, every design."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic_judgments import judge, make_stimuli, make_trials, random_triplets

from bgs.evaluation import DESIGNS, Comparison, bootstrap, model_rdm, select_protocol
from bgs.evaluation.comparison import MEASURES
from bgs.evaluation.summary import summarise, summarise_difference

N_CLIPS, N_PEOPLE, N_TRIALS = 50, 40, 370  # about the published test trials
SETS, TRUTH_SETS, RESAMPLES = 200, 1000, 300
READOUTS = [np.random.default_rng(k).normal(size=(4, 16)) for k in (1, 2)]


def sample_clips(rng):
    """Positions in the judges' space, and two models of them."""
    positions = rng.normal(size=(N_CLIPS, 4))
    models = [
        positions @ readout + noise * rng.normal(size=(N_CLIPS, 16))
        for readout, noise in zip(READOUTS, (1.5, 2.5), strict=True)
    ]
    return positions, np.stack([model_rdm(model) for model in models])


def sample_people(rng):
    return np.exp(0.7 * rng.normal(size=(N_PEOPLE, 4)))


def compare(rng, clips, people):
    positions, rdms = clips
    triplets, who = random_triplets(rng, N_CLIPS, N_TRIALS), rng.integers(N_PEOPLE, size=N_TRIALS)
    trials = make_trials(triplets, judge(rng, positions, triplets, who, people), N_CLIPS, who)
    return Comparison.of(select_protocol("all", make_stimuli(N_CLIPS), trials), rdms)


@pytest.mark.slow
@pytest.mark.parametrize("design", DESIGNS)
def test_intervals_cover_the_truth(design):
    """The truth of a design is the mean over new samples of what it resamples, the rest being as it is."""
    rng, fixed = np.random.default_rng(11), np.random.default_rng(12)
    the_clips, the_people = sample_clips(fixed), sample_people(fixed)

    def new_data():
        clips = the_clips if design == "participants" else sample_clips(rng)
        return compare(rng, clips, the_people if design == "clips" else sample_people(rng))

    truth = np.mean([new_data()() for _ in range(TRUTH_SETS)], axis=0)
    counts = dict.fromkeys(MEASURES, 1)
    covered = {}
    for seed in range(SETS):
        data = new_data()
        values, sizes = data(), (N_CLIPS, data.pairs.n_participants)
        draws = {
            each: bootstrap(data, *sizes, design=each, resamples=RESAMPLES, seed=seed) for each in DESIGNS
        }
        metrics = summarise(values[:, 0], {each: sample[..., 0] for each, sample in draws.items()}, counts)
        differences = summarise_difference(values, draws, counts)
        for row, name in enumerate(MEASURES):
            for kind, metric, target in (
                ("value", metrics[name], truth[row, 0]),
                ("difference", differences[name], truth[row, 0] - truth[row, 1]),
            ):
                low, high = metric.intervals[design]
                covered.setdefault((name, kind), []).append(low <= target <= high)
    coverage = {key: float(np.mean(hits)) for key, hits in covered.items()}
    print(design, coverage)
    # 200 data sets leave a standard error of 1.5 %.
    assert all(0.90 <= share <= 0.995 for share in coverage.values()), coverage
