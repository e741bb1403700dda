"""Resamples equal data sets written out; intervals follow their rule."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.stats
from synthetic_judgments import make_stimuli, make_trials, planted

from bgs.evaluation import DESIGNS, Comparison, bootstrap, model_rdm, percentile_interval, select_protocol
from bgs.evaluation.comparison import MEASURES
from bgs.evaluation.resampling import design_intervals, multiplicities


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    positions, trials = planted(rng, n=10, people=5, t=80)
    models = [positions + rng.normal(size=positions.shape), np.round(positions)]
    rdms = np.stack([model_rdm(model) for model in models])
    return trials, rdms, Comparison.of(select_protocol("all", make_stimuli(10), trials), rdms)


def measures_written_out(trials, rdm, clips, people):
    """Every copy of every clip and person: trials and pairs listed one by one."""
    names = sorted(set(trials.participant.tolist()))
    shown, kept, everyone, three, two = {}, {}, {}, [], []
    for who, (a, b, c), odd in zip(
        trials.participant.tolist(), trials.stimuli.tolist(), trials.odd.tolist(), strict=True
    ):
        copies = int(people[names.index(who)])
        pairs = [tuple(sorted(pair)) for pair in ((b, c), (a, c), (a, b))]
        for slot, pair in enumerate(pairs):
            everyone[pair] = everyone.get(pair, 0) + 1
            shown[pair] = shown.get(pair, 0) + copies
            kept[pair] = kept.get(pair, 0) + copies * (slot == odd)
        distance = [rdm[pair] for pair in pairs]
        times = int(copies * clips[a] * clips[b] * clips[c])
        best = min(distance)
        three += [(distance[odd] == best) / distance.count(best)] * times
        wins = [
            (distance[odd] < d) + 0.5 * (distance[odd] == d) for slot, d in enumerate(distance) if slot != odd
        ]
        two += [sum(wins) / 2] * times
    # 2520 = lcm(1, …, 10) makes the share of a pair's judgments a whole number of copies.
    x, y = [], []
    for (i, j), n in shown.items():
        times = round(clips[i] * clips[j] * n / everyone[i, j] * 2520)
        if times:
            x += [rdm[i, j]] * times
            y += [1 - kept[i, j] / n] * times
    return (
        scipy.stats.spearmanr(x, y).statistic,
        scipy.stats.pearsonr(x, y).statistic,
        np.mean(three),
        np.mean(two),
    )


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("seed", range(3))
def test_a_resample_equals_the_data_written_out(data, design, seed):
    trials, rdms, comparison = data
    rng = np.random.default_rng(seed)
    clips = multiplicities(rng, 10) if design != "participants" else None
    people = multiplicities(rng, 5) if design != "clips" else None
    fast = comparison(clips, people)
    for model, rdm in enumerate(rdms):
        weights = [np.ones(n) if w is None else w for w, n in ((clips, 10), (people, 5))]
        expected = measures_written_out(trials, rdm, *weights)
        np.testing.assert_allclose(fast[:, model], expected, atol=1e-6)


def test_everything_once_is_the_point_estimate(data):
    _, _, comparison = data
    np.testing.assert_allclose(comparison(np.ones(10), np.ones(5)), comparison(), atol=1e-12)


def test_draws_depend_on_seed_and_design_only(data):
    _, _, comparison = data

    def draw(**change):
        return bootstrap(comparison, 10, 5, **({"design": "both", "resamples": 4, "seed": 1} | change))

    assert draw().shape == (4, len(MEASURES), 2)
    np.testing.assert_array_equal(draw(), draw())
    np.testing.assert_array_equal(draw(resamples=2), draw()[:2])
    assert (draw() != draw(seed=2)).any()
    assert (draw() != draw(design="clips")).any()


def test_one_participant_has_no_interval_over_participants():
    trials = make_trials(list(itertools.combinations(range(6), 3)), np.arange(20) % 3, 6)
    comparison = Comparison.of(
        select_protocol("all", make_stimuli(6), trials), np.random.default_rng(0).random((1, 6, 6))
    )
    sizes = {"n_clips": 6, "n_participants": 1, "resamples": 3, "seed": 0}
    assert np.isnan(bootstrap(comparison, **sizes, design="participants")).all()
    assert np.isnan(bootstrap(comparison, **sizes, design="both")).all()
    assert np.isfinite(bootstrap(comparison, **sizes, design="clips")).any()


def test_intervals_are_shifted_to_the_value_and_stay_in_range():
    draws = np.linspace(0, 1, 1001)
    assert percentile_interval(draws, 0.5, (-1.0, 1.0)) == pytest.approx((0.025, 0.975))
    assert percentile_interval(draws - 0.3, 0.5, (-1.0, 1.0)) == pytest.approx((0.025, 0.975))
    assert percentile_interval(draws, 0.9, (-1.0, 1.0)) == pytest.approx((0.425, 1.0))
    assert percentile_interval(draws, 0.5, (-1.0, 1.0), spread=0.5) == pytest.approx((0.2625, 0.7375))


def test_undefined_draws_are_left_out_unless_they_are_most():
    draws = np.linspace(0, 1, 1001)
    assert percentile_interval(np.append(draws, [np.nan] * 100), 0.5, (-1.0, 1.0)) == pytest.approx(
        (0.025, 0.975)
    )
    assert np.isnan(percentile_interval(np.append(draws, [np.nan] * 2000), 0.5, (-1.0, 1.0))).all()
    assert np.isnan(percentile_interval(draws, float("nan"), (-1.0, 1.0))).all()


def test_judgment_noise_counts_once():
    """Draws whose variances are c + 3 j, p + j and c + p + 7 j get intervals of c + j, p + j, c + p + j."""
    rng = np.random.default_rng(0)
    c, p, j = 4.0, 1.0, 2.0
    of_clips, of_people, *of_judgments = rng.normal(size=(5, 200_000))
    draws = {
        "clips": np.sqrt(c) * of_clips + np.sqrt(3 * j) * of_judgments[0],
        "participants": np.sqrt(p) * of_people + np.sqrt(j) * of_judgments[1],
    }
    draws["both"] = draws["clips"] + draws["participants"] + np.sqrt(3 * j) * of_judgments[2]
    intervals = design_intervals(draws, 0.0, (-99.0, 99.0))
    widths = {design: (high - low) / (2 * 1.96) for design, (low, high) in intervals.items()}
    expected = {"clips": np.sqrt(c + j), "participants": np.sqrt(p + j), "both": np.sqrt(c + p + j)}
    assert widths == pytest.approx(expected, rel=0.02)
