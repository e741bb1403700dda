"""Figures as scipy and loops give them; influences are derivatives; intervals where the samples allow for them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_judgments import make_stimuli, make_trials, planted

from bgs.evaluation import Comparison, model_rdm, select_protocol
from bgs.evaluation.comparison import DESIGNS, MEASURES
from bgs.evaluation.influence import correlation_influences, rank_influence, value_influence
from bgs.evaluation.rsa import centred, dense_ranks, weighted_pearson, weighted_spearman
from bgs.evaluation.showings import Showings


def compare(trials, models, n):
    rdms = np.stack([model_rdm(model) for model in models])
    return rdms, Comparison.of(select_protocol("all", make_stimuli(n), trials), rdms)


def measures_written_out(trials, rdm):
    """Trial by trial and pair by pair."""
    shown, kept, three, two = {}, {}, [], []
    for (a, b, c), odd in zip(trials.stimuli.tolist(), trials.odd.tolist(), strict=True):
        pairs = [tuple(sorted(pair)) for pair in ((b, c), (a, c), (a, b))]
        for slot, pair in enumerate(pairs):
            shown[pair] = shown.get(pair, 0) + 1
            kept[pair] = kept.get(pair, 0) + (slot == odd)
        distance = [rdm[pair] for pair in pairs]
        three.append((distance[odd] == min(distance)) / distance.count(min(distance)))
        wins = [
            (distance[odd] < d) + 0.5 * (distance[odd] == d) for slot, d in enumerate(distance) if slot != odd
        ]
        two.append(sum(wins) / 2)
    x, y = [rdm[pair] for pair in shown], [1 - kept[pair] / n for pair, n in shown.items()]
    rho, r = scipy.stats.spearmanr(x, y).statistic, scipy.stats.pearsonr(x, y).statistic
    return rho, r, np.mean(three), np.mean(two)


@pytest.mark.parametrize("seed", range(3))
def test_values_as_written_out(seed):
    rng = np.random.default_rng(seed)
    positions, trials = planted(rng, n=10, people=5, t=80)
    rdms, comparison = compare(
        trials, [positions + rng.normal(size=positions.shape), np.round(positions)], 10
    )
    for model, rdm in enumerate(rdms):
        np.testing.assert_allclose(comparison.values[:, model], measures_written_out(trials, rdm), atol=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(5, 30), st.integers(2, 30), st.integers(2, 5))
def test_the_influence_of_a_pair_is_a_derivative(seed, n, levels_x, levels_y):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(levels_x, size=n) / 7, rng.integers(levels_y, size=n) / 3
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert not rank_influence(dense_ranks(x), dense_ranks(y)).any()
        assert not value_influence(x, y).any()
        return
    found, step = (rank_influence(dense_ranks(x), dense_ranks(y)), value_influence(x, y)), 1e-6
    for pair in range(n):
        moved = [np.ones(n), np.ones(n)]
        moved[0][pair] += step
        moved[1][pair] -= step
        for of, influence in zip(
            (
                lambda w: weighted_spearman(dense_ranks(x)[None], dense_ranks(y), w)[0],
                lambda w: weighted_pearson(centred(x)[None], centred(y), w)[0],
            ),
            found,
            strict=True,
        ):
            slope = n * (of(moved[0]) - of(moved[1])) / (2 * step)
            # A correlation of ±1 has a corner there: clipping makes the slope one-sided.
            if abs(of(np.ones(n))) < 1 - 1e-9:
                assert influence[pair] == pytest.approx(slope, abs=1e-4)
    assert np.mean(found[0]) == pytest.approx(0, abs=1e-9)


def test_the_influence_of_a_showing_is_a_derivative():
    """For Pearson's correlation exactly: a copy of a judgment is a share of its pair, and moves its dissimilarity."""
    rng = np.random.default_rng(1)
    positions, trials = planted(rng, n=8, people=4, t=60)
    showings = Showings.of(select_protocol("all", make_stimuli(8), trials))
    distances = model_rdm(positions)[showings.first, showings.second]

    def r(copies):
        rows = [np.flatnonzero(showings.pair == pair) for pair in range(len(showings))]
        human = np.array([np.average(showings.apart[row], weights=copies[row]) for row in rows])
        weights = np.array([copies[row].mean() for row in rows])
        return weighted_pearson(centred(distances)[None], human, weights)[0]

    influence, once, step = correlation_influences(showings, distances)[1], np.ones(len(showings.pair)), 1e-6
    for row in range(0, len(once), 9):
        moved = [once.copy(), once.copy()]
        moved[0][row] += step
        moved[1][row] -= step
        assert influence[row] == pytest.approx((r(moved[0]) - r(moved[1])) / (2 * step), abs=1e-7)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    positions, trials = planted(rng, n=14, people=8, t=300)
    models = [positions + rng.normal(size=positions.shape), positions + 3 * rng.normal(size=positions.shape)]
    return trials, compare(trials, models, 14)[1]


def test_every_design_has_an_interval_around_the_value(data):
    _, comparison = data
    for metrics in (comparison.metrics(0), comparison.difference(0, 1)):
        for name, metric in metrics.items():
            assert set(metric.intervals) == set(DESIGNS)
            assert metric.low < metric.value < metric.high
            assert (metric.low, metric.high) == metric.intervals["both"]
            widths = {design: high - low for design, (low, high) in metric.intervals.items()}
            if not name.endswith("squared"):
                assert widths["both"] >= max(widths.values()) - 1e-12


def test_a_difference_turned_round_has_the_interval_turned_round(data):
    _, comparison = data
    for name, metric in comparison.difference(0, 1).items():
        other = comparison.difference(1, 0)[name]
        assert [other.value, other.low, other.high] == pytest.approx(
            [-metric.value, -metric.high, -metric.low]
        )
    same = comparison.difference(0, 0)
    assert all((metric.value, metric.low, metric.high) == (0, 0, 0) for metric in same.values())


@pytest.mark.parametrize("people", [1, 3, 5])
def test_few_participants_leave_intervals_over_clips(people):
    rng = np.random.default_rng(0)
    positions, trials = planted(rng, n=12, people=people, t=200)
    _, comparison = compare(trials, [positions, positions + rng.normal(size=positions.shape)], 12)
    for metrics in (comparison.metrics(0), comparison.difference(0, 1)):
        for metric in metrics.values():
            assert np.isfinite([metric.low, metric.high]).all()
            assert (metric.low, metric.high) == metric.intervals["clips"]
            assert np.isnan(metric.intervals["both"]).all()
    assert any("intervals are over clips only" in warning for warning in comparison.warnings())


def test_few_clips_have_no_interval_and_say_so():
    rng = np.random.default_rng(0)
    positions, trials = planted(rng, n=4, people=8, t=60)
    _, comparison = compare(trials, [positions], 4)
    for metric in comparison.metrics(0).values():
        assert np.isfinite(metric.value)
        assert np.isnan([metric.low, metric.high]).all()
    assert any("4 clips: too few" in warning for warning in comparison.warnings())


def test_answers_all_alike_do_not_tell_how_they_vary():
    """Every trial right is no proof that all others would be: there is no interval of width 0."""
    positions = np.random.default_rng(0).normal(size=(10, 3))
    rdm, triplets = model_rdm(positions), np.array(list(itertools.combinations(range(10), 3)))
    a, b, c = triplets.T
    odd = np.stack([rdm[b, c], rdm[a, c], rdm[a, b]]).argmin(axis=0)
    trials = make_trials(triplets, odd, 10, np.arange(120) % 8)
    _, comparison = compare(trials, [positions, 2 * positions + 1e-9], 10)
    right = comparison.metrics(0)["odd_one_out_3afc"]
    assert right.value == 1
    assert np.isnan([right.low, right.high]).all()
    collapsed = Comparison.of(select_protocol("all", make_stimuli(10), trials), np.ones((1, 10, 10)))
    chance = collapsed.metrics(0)["odd_one_out_3afc"]
    assert (chance.low, chance.value, chance.high) == pytest.approx((1 / 3, 1 / 3, 1 / 3))


def test_two_noisy_copies_of_one_model_seldom_differ():
    """7 clips and 10 trials: a 95 % interval leaves 0 out in few of 150 draws, whatever the measure."""
    excluded = dict.fromkeys(MEASURES, 0)
    for seed in range(150):
        rng = np.random.default_rng(seed)
        positions, trials = planted(rng, n=7, people=6, t=10)
        copies = [positions + 0.6 * rng.normal(size=positions.shape) for _ in range(2)]
        difference = compare(trials, copies, 7)[1].difference(0, 1)
        for name in MEASURES:
            excluded[name] += difference[name].low > 0 or difference[name].high < 0
    assert max(excluded.values()) <= 12, excluded
