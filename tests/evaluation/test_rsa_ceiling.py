"""The noise ceiling of an RSA: loops over pairs of judgments, known truths, invariances, designs that have none."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_judgments import judge, make_stimuli, make_trials, planted, random_triplets

from bgs.evaluation import evaluate, rsa_ceiling, select_protocol
from bgs.evaluation.reliability import Reliability
from bgs.evaluation.showings import Showings
from bgs.judgments import PairCounts, human_rdm


def reliability_by_loop(trials, positions, own):
    """Every two judgments of a pair by different people in different triplets; the RDM from the trials in ``own``."""
    shown = {}
    for row, (clips, odd) in enumerate(zip(trials.stimuli.tolist(), trials.odd.tolist(), strict=True)):
        for pair in itertools.combinations(sorted(set(clips) & set(positions)), 2):
            shown.setdefault(pair, []).append(
                (row, frozenset(clips), trials.participant[row], clips[odd] in pair)
            )
    rdm = {
        pair: np.mean([apart for row, _, _, apart in seen if row in own])
        for pair, seen in shown.items()
        if any(row in own for row, *_ in seen)
    }
    mean_product = {}
    for same in (False, True):
        compared = {
            pair: [
                (a, b)
                for a, b in itertools.permutations(shown[pair], 2)
                if (a[1] == b[1]) == same and a[2] != b[2]
            ]
            for pair in rdm
        }
        weight = {pair: len(both) ** 0.5 for pair, both in compared.items()}
        if not any(weight.values()):
            continue
        share = {pair: np.mean([apart for *_, apart in shown[pair]]) for pair in rdm}
        mean = sum(weight[pair] * share[pair] for pair in rdm) / sum(weight.values())
        product = {
            pair: np.mean([(a[3] - mean) * (b[3] - mean) for a, b in both])
            for pair, both in compared.items()
            if both
        }
        mean_product[same] = sum(weight[pair] * product[pair] for pair in product) / sum(weight.values())
    thirds = len(set(trials.stimuli.ravel().tolist())) - 2
    elsewhere = mean_product[False]
    signal = elsewhere + (mean_product.get(True, elsewhere) - elsewhere) / thirds
    return signal / np.var(list(rdm.values()))


@pytest.mark.parametrize("protocol", ["all", "held-out-pairs", "held-out-trials"])
@pytest.mark.parametrize("seed", range(3))
def test_as_by_loop(protocol, seed):
    _, trials = planted(np.random.default_rng(seed), n=12, people=4, t=150)
    stimuli = make_stimuli(12, n_test=6)
    everything, chosen = trials, select_protocol(protocol, stimuli, trials)
    trials = trials.where(np.isin(trials.stimuli, chosen.positions).sum(axis=1) >= 2)
    assert len(trials) < len(everything) or protocol == "all"
    inside = np.isin(trials.stimuli, chosen.positions).sum(axis=1)
    own = set(np.flatnonzero(inside >= (2 if protocol == "held-out-pairs" else 3)).tolist())
    expected = reliability_by_loop(trials, chosen.positions.tolist(), own)
    assert Reliability(Showings.of(chosen)).value == pytest.approx(expected, abs=1e-12)


def reliability(trials, n=12):
    return Reliability(Showings.of(select_protocol("all", make_stimuli(n), trials)))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_order_slots_and_names_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    _, trials = planted(rng, n=12, people=5, t=200)
    order, names, people = rng.permutation(200), rng.permutation(12), rng.permutation(5)
    slots = np.array([rng.permutation(3) for _ in range(200)])
    again = make_trials(
        np.take_along_axis(names[trials.stimuli[order]], slots, axis=1),
        (slots == trials.odd[order][:, None]).argmax(axis=1),
        12,
        people[trials.participant[order].astype(int)],
    )
    first, second = reliability(trials), reliability(again)
    assert first.value == pytest.approx(second.value, abs=1e-10)
    for design, interval in first.intervals().items():
        assert second.intervals()[design] == pytest.approx(interval, abs=1e-8, nan_ok=True)


def test_doubling_the_table_changes_nothing_but_the_noise_it_claims():
    """A person's second look at the same triplet is never compared with the first."""
    _, trials = planted(np.random.default_rng(0), n=12, people=6, t=300)
    rows = np.tile(np.arange(300), 2)
    twice = make_trials(trials.stimuli[rows], trials.odd[rows], 12, trials.participant[rows])
    assert reliability(twice).value == pytest.approx(reliability(trials).value, abs=1e-12)


def weighted_reliability(found, copies):
    """The reliability when showing i is there ``copies[i]`` times, and its pair so much more often."""
    whole, signals = found.showings, []
    for products, same in ((found.elsewhere, False), (found.again, True)):
        signal = total = 0.0
        for pair in range(len(whole)):
            rows = np.flatnonzero(whole.pair == pair)
            both = [
                (i, j)
                for i, j in itertools.permutations(rows.tolist(), 2)
                if (whole.triplet[i] == whole.triplet[j]) == same and whole.person[i] != whole.person[j]
            ]
            if both:
                weights = [copies[i] * copies[j] for i, j in both]
                of_pair = [products.deviations[i] * products.deviations[j] for i, j in both]
                weight = products.weights[pair] * copies[rows].mean()
                signal, total = signal + weight * np.average(of_pair, weights=weights), total + weight
        signals.append(signal / total)
    rows = [np.flatnonzero((whole.pair == pair) & whole.own) for pair in range(len(whole))]
    rdm = np.array([np.average(whole.apart[mine], weights=copies[mine]) for mine in rows])
    sizes = np.array([copies[mine].mean() for mine in rows])
    variance = np.average((rdm - np.average(rdm, weights=sizes)) ** 2, weights=sizes)
    return (signals[0] + (signals[1] - signals[0]) / whole.n_thirds) / variance


def test_influence_is_the_derivative():
    """By finite differences, the means that deviations are from being held."""
    _, trials = planted(np.random.default_rng(3), n=9, people=5, t=100)
    whole = Reliability(Showings.of(select_protocol("held-out-trials", make_stimuli(9, n_test=6), trials)))
    assert not whole.showings.own.all()
    assert whole.again.comparisons.any()
    once, step = np.ones(len(whole.showings.pair)), 1e-5
    assert weighted_reliability(whole, once) == pytest.approx(whole.value)
    for row in range(0, len(once), 7):
        moved = [once.copy(), once.copy()]
        moved[0][row] += step
        moved[1][row] -= step
        slope = (weighted_reliability(whole, moved[0]) - weighted_reliability(whole, moved[1])) / (2 * step)
        assert whole.influence()[row] == pytest.approx(slope, abs=1e-7)


def repeated_context(rng, n=60, people=30, t=9000):
    """People share no geometry at all, but each triplet has an odd one that everybody sees."""
    kinds = random_triplets(rng, n, 1500)
    shown = kinds[rng.integers(1500, size=t)]
    odd_of = {tuple(sorted(kind)): rng.choice(kind) for kind in kinds.tolist()}
    odd = [row.index(odd_of[tuple(sorted(row))]) for row in shown.tolist()]
    return make_trials(shown, odd, n, rng.integers(people, size=t))


def test_what_belongs_to_a_triplet_is_no_agreement_about_pairs():
    """Halves of the people agree perfectly here; a prediction of pairs can say little."""
    found = [reliability(repeated_context(np.random.default_rng(seed)), 60).value for seed in range(10)]
    assert abs(np.mean(found)) < 0.1


def test_the_ceiling_is_what_the_truth_reaches():
    rng = np.random.default_rng(0)
    positions, attention = rng.normal(size=(25, 4)), np.exp(0.7 * rng.normal(size=(400, 4)))

    def table(t):
        triplets, who = random_triplets(rng, 25, t), rng.integers(400, size=t)
        return make_trials(triplets, judge(rng, positions, triplets, who, attention), 25, who)

    upper = np.triu_indices(25, 1)
    truth = human_rdm(PairCounts.from_trials(table(400_000)))[upper]
    few = [table(2_000) for _ in range(20)]
    reached = [np.corrcoef(truth, human_rdm(PairCounts.from_trials(trials))[upper])[0, 1] for trials in few]
    metrics = [rsa_ceiling(select_protocol("all", make_stimuli(25), trials))[0] for trials in few]
    assert np.mean([m["rsa_ceiling"].value for m in metrics]) == pytest.approx(np.mean(reached), abs=0.015)
    assert np.mean([m["rsa_ceiling"].low < np.mean(reached) < m["rsa_ceiling"].high for m in metrics]) >= 0.8
    for m in metrics:
        assert m["rsa_ceiling"].value ** 2 == pytest.approx(m["rsa_ceiling_squared"].value)
        assert m["rsa_reliability"].value == pytest.approx(m["rsa_ceiling_squared"].value)


def test_the_interval_bends_towards_1_and_breaks_off_there():
    from bgs.evaluation.reliability import _interval

    low, high = _interval(0.9, 0.05)
    assert 0.9 - low > 0.05 > high - 0.9 > 0
    assert 1 - np.sqrt((1 - low) * (1 - high)) == pytest.approx(0.9)
    assert _interval(0.999, 0.01) == pytest.approx((0.989, 1.0))
    assert _interval(1.02, 0.01) == pytest.approx((1.01, 1.0))


def test_guesses_have_ceiling_zero_not_nan():
    _, trials = planted(np.random.default_rng(0), n=20, people=6, t=300)
    guesses = make_trials(
        trials.stimuli, np.random.default_rng(1).integers(3, size=300), 20, trials.participant
    )
    metrics, _ = rsa_ceiling(select_protocol("all", make_stimuli(20), guesses))
    assert metrics["rsa_ceiling"].value < 0.3
    assert metrics["rsa_ceiling"].low == 0


def test_a_design_without_two_triplets_that_share_a_pair_is_refused():
    trials = make_trials([[0, 1, 2]] * 6 + [[3, 4, 5]] * 6, [0, 1, 0, 0, 2, 0] * 2, 6, list("abcdef") * 2)
    metrics, warnings = rsa_ceiling(select_protocol("all", make_stimuli(6), trials))
    assert all(np.isnan([m.value, m.low, m.high]).all() for m in metrics.values())
    assert "no pair was judged by two people in two different triplets" in warnings[0]


def test_one_person_has_no_ceiling():
    _, trials = planted(np.random.default_rng(0), n=12, people=1, t=300)
    metrics, warnings = rsa_ceiling(select_protocol("all", make_stimuli(12), trials))
    assert np.isnan(metrics["rsa_ceiling"].value)
    assert "two people" in warnings[0]


def test_few_comparable_pairs_warn():
    shared = [[0, 1, 2], [0, 1, 3]]
    alone = [[2 + k, 5 + k, 12 + k] for k in range(5)]
    trials = make_trials(shared + alone, [2, 0, 1, 1, 0, 2, 1], 20, list("abcdefg"))
    _, warnings = rsa_ceiling(select_protocol("all", make_stimuli(20), trials))
    assert "only 5% of the pairs" in warnings[0]


def test_evaluate_says_it():
    trials = make_trials([[0, 1, 2]] * 3, [0, 1, 0], 3, list("abc"))
    from bgs.embeddings import Embeddings

    model = Embeddings(np.random.default_rng(0).normal(size=(3, 4)), make_stimuli(3).ids, "m")
    result = evaluate(model, make_stimuli(3), trials, protocol="all", center=False, permutations=0)
    assert any("two different triplets" in warning for warning in result.warnings)


@pytest.mark.parametrize(("people", "clips", "known"), [(12, 12, "both"), (5, 12, "clips"), (12, 4, None)])
def test_small_samples_leave_the_interval_that_they_can_speak_of(people, clips, known):
    """As for every other figure: over clips alone where participants are few, none where clips are."""
    _, trials = planted(np.random.default_rng(0), n=clips, people=people)
    found = rsa_ceiling(select_protocol("all", make_stimuli(clips), trials))[0]["rsa_ceiling"]
    assert np.isfinite(found.value)
    assert set(found.intervals) == {"both", "clips"}
    for design, interval in found.intervals.items():
        wanted = known == "both" or design == known
        assert np.isfinite(interval).all() == wanted
    if known is None:
        assert np.isnan([found.low, found.high]).all()
    else:
        assert (found.low, found.high) == found.intervals[known]
