"""Are p-values uniform without an effect, and do paired intervals hold the truth? Simulated data, known truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from bgs.embeddings import Embeddings
from bgs.evaluation import (
    decode,
    model_rdm,
    pair_vector,
    partition_variance,
    probe,
    random_change_p_value,
    random_changes,
    transfer,
    unique_p_value,
)
from bgs.stimuli import StimulusSet

SETS, PERMUTATIONS, RESAMPLES = 500, 99, 200


def ids(n):
    return tuple(f"clip{i}" for i in range(n))


def distances(x):
    return np.linalg.norm(x[:, None] - x[None], axis=2)


def symmetric(rng, n):
    noise = np.triu(rng.normal(size=(n, n)), 1)
    return noise + noise.T


def uniform(p, seed=0):
    """KS p-value of p-values, spread evenly within the steps that permutations leave between them."""
    p = np.asarray(p) - np.random.default_rng(seed).random(len(p)) / (PERMUTATIONS + 1)
    print("share below .05:", np.mean(p <= 0.05), "KS p:", kstest(p, "uniform").pvalue)
    assert 0.025 <= np.mean(p <= 0.05) <= 0.08  # standard error of 1 %
    return kstest(p, "uniform").pvalue


def pair_noise(rng, n):
    """People and model have a third model's distances in common, and noise of their own in every pair."""
    other = distances(rng.normal(size=(n, 3)))
    return other + symmetric(rng, n), other + symmetric(rng, n), other


def own_features(rng, n):
    """They have the third model's features in common, and features of their own: clips, not pairs, differ."""
    shared = rng.normal(size=(n, 3))
    human, model = (distances(np.c_[shared, rng.normal(size=(n, 2))]) for _ in range(2))
    return human, model, distances(shared)


# Ranks of a sum are no sum of ranks: with noise in every pair human and model ranks bend alike over the third model's,
# which is a unique part, if a small one. So ranks are tried in the other world only.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "ranks"), [(pair_noise, False), (own_features, False), (own_features, True)]
)
def test_p_of_a_unique_part_is_uniform_without_one(world, ranks):
    rng = np.random.default_rng(2)
    p = []
    for seed in range(SETS):
        human, model, other = world(rng, 40)
        p.append(unique_p_value(human, model, [other], ranks=ranks, permutations=PERMUTATIONS, seed=seed))
    assert uniform(p) > 0.01


def spread_out(rng, n):
    """A base whose dimensions matter less and less."""
    return rng.normal(size=(n, 24)) * np.arange(1, 25) ** -0.7


def clustered(rng, n):
    """A base of eight kinds of clips."""
    return rng.normal(size=(8, 24))[rng.integers(8, size=n)] + 0.5 * rng.normal(size=(n, 24))


def noisy_copy(rng, base):
    return base + 0.6 * base.std() * rng.normal(size=base.shape)


def random_map(rng, base, rank=4):
    d = base.shape[1]
    return base + 0.15 * base @ rng.normal(size=(d, rank)) @ rng.normal(size=(rank, d))


def people_of(rng, base):
    """They go by the base's distances, with noise in every pair."""
    rdm = model_rdm(base)
    return rdm / pair_vector(rdm).std() + 0.7 * symmetric(rng, len(base))


# Eight clusters make two kinds of pairs, which no cubic follows quite.
@pytest.mark.slow
@pytest.mark.parametrize(("world", "most"), [(spread_out, 0.075), (clustered, 0.14)])
@pytest.mark.parametrize("change", [noisy_copy, random_map])
def test_a_changed_base_seldom_has_a_unique_part_where_people_go_by_the_base(world, change, most):
    rng, p = np.random.default_rng(8), []
    for seed in range(1000):
        base = world(rng, 40)
        human, model = people_of(rng, base), model_rdm(change(rng, base))
        p.append(unique_p_value(human, model, [model_rdm(base)], permutations=PERMUTATIONS, seed=seed))
    share = np.mean(np.array(p) <= 0.05)
    print("share below .05:", share)
    assert 0.03 <= share <= most


@pytest.mark.slow
@pytest.mark.parametrize("change", [noisy_copy, random_map])
def test_p_against_random_changes_keeps_its_level_where_people_weigh_the_base_s_dimensions(change):
    """Any change of the base then moves towards people or away from them: relabelling does not ask that."""
    rng, draws, p = np.random.default_rng(9), 19, []
    for seed in range(400):
        base = spread_out(rng, 40)
        tuned = change(rng, base)
        human = people_of(rng, base * np.exp(rng.normal(size=24)))
        models = [Embeddings(values, ids(40), "model") for values in (base, tuned)]
        changes = random_changes(*models, ids(40), draws=draws, seed=seed)
        p.append(random_change_p_value(human, changes, {"base": model_rdm(base)}, seed=seed).p)
    levels = np.array([0.05, 0.25, 0.5])
    shares = (np.array(p)[:, None] <= levels).mean(axis=0)
    print("shares below .05, .25, .5:", shares)
    error = 3 * np.sqrt(levels * (1 - levels) / len(p))
    assert (shares <= levels + error).all()
    # Larger p are larger than uniform ones: parts of exactly 0 tie, and noise in every direction helps less than a map.
    if change is random_map:
        assert shares[0] >= 0.05 - error[0]


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["k-fold", "held-out"])
def test_p_of_a_probe_is_uniform_without_a_relation(protocol):
    rng, n, p = np.random.default_rng(3), 40, []
    split = ("train",) * 28 + ("test",) * 12
    for seed in range(SETS):
        embeddings = Embeddings(rng.normal(size=(n, 20)), ids(n), "noise")
        stimuli = StimulusSet(ids(n), split=split, ratings={"a": rng.normal(size=n)})
        settings = {"protocol": protocol, "resamples": 2, "permutations": PERMUTATIONS, "seed": seed}
        p.append(probe(embeddings, stimuli, **settings).scores["a"].pearson.p)
    assert uniform(p) > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("folds", [None, 5])
def test_p_of_decoding_is_never_too_small_without_a_relation(folds):
    """Accuracies take few values, so that p is uniform from above only: P(p ≤ a) ≤ a."""
    rng, n, p = np.random.default_rng(4), 30, []
    for seed in range(SETS):
        embeddings = Embeddings(rng.normal(size=(n, 10)), ids(n), "noise")
        labels = tuple(rng.permutation(["a"] * 12 + ["b"] * 10 + ["c"] * 8).tolist())
        stimuli = StimulusSet(ids(n), labels={"kind": labels})
        settings = {"folds": folds, "resamples": 2, "permutations": PERMUTATIONS, "seed": seed}
        p.append(decode(embeddings, stimuli, "kind", **settings).metrics["embeddings"].p)
    levels = np.array([0.05, 0.1, 0.25, 0.5, 0.75])
    shares = (np.array(p)[:, None] <= levels).mean(axis=0)
    print(shares)
    assert (shares <= levels + 3 * np.sqrt(levels * (1 - levels) / SETS)).all()
    assert (shares >= 0.6 * levels - 0.01).all()


N_CLIPS = 60
READOUTS = [np.random.default_rng(k).normal(size=(4, 16)) for k in (1, 2)]


def new_clips(rng, n=N_CLIPS):
    """Positions in the judges' space, and a tuned and a base model of them."""
    positions = rng.normal(size=(n, 4))
    models = [
        Embeddings(positions @ readout + noise * rng.normal(size=(n, 16)), ids(n), name)
        for readout, noise, name in zip(READOUTS, (1.5, 2.5), ("tuned", "base"), strict=True)
    ]
    return positions, models


def coverage(measure, truth_sets=2000, sets=SETS):
    """Share of new data sets whose intervals hold what is measured in the mean over new data sets."""
    rng = np.random.default_rng(5)
    truth = np.mean([[m.value for m in measure(rng, seed, 1)] for seed in range(truth_sets)], axis=0)
    held = [
        [m.low <= t <= m.high for m, t in zip(measure(rng, seed, RESAMPLES), truth, strict=True)]
        for seed in range(sets)
    ]
    shares = np.mean(held, axis=0)
    print("truth", truth, "coverage", shares)
    return shares


@pytest.mark.slow
def test_paired_intervals_of_transfer_hold_the_truth():
    """As many clips as PHASE has."""
    n = 100

    def measure(rng, seed, resamples):
        positions, (tuned, base) = new_clips(rng, n)
        ratings = {f"r{i}": positions[:, i] + 0.5 * rng.normal(size=n) for i in range(4)}
        found = transfer(
            tuned, StimulusSet(ids(n), ratings=ratings), tuple(ratings), against=base, target="euclidean",
            resamples=resamples, permutations=0, seed=seed, most_triplets=2000,
        )  # fmt: skip
        return found.differences.values()

    shares = coverage(measure, truth_sets=1000)
    assert ((shares >= 0.92) & (shares <= 0.98)).all()


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["k-fold", "held-out", "few-shot"])
def test_paired_intervals_of_probes_hold_the_truth(protocol):
    split = None if protocol == "few-shot" else ("train",) * 30 + ("test",) * 30
    train_positions, train_models = new_clips(np.random.default_rng(6), 30)

    def measure(rng, seed, resamples):
        positions, (tuned, base) = new_clips(rng)
        if protocol == "held-out":  # what is drawn anew are the clips tested on
            positions[:30] = train_positions
            tuned.values[:30], base.values[:30] = (model.values for model in train_models)
        noise = np.random.default_rng(7).normal(size=N_CLIPS) if protocol == "held-out" else None
        rating = positions @ [1.0, 0.5, -0.5, 0.2] + rng.normal(size=N_CLIPS)
        if noise is not None:
            rating[:30] = positions[:30] @ [1.0, 0.5, -0.5, 0.2] + noise[:30]
        stimuli = StimulusSet(ids(N_CLIPS), split=split, ratings={"a": rating})
        settings = {
            "protocol": protocol,
            "shots": 10,
            "resamples": resamples,
            "permutations": 0,
            "seed": seed,
        }
        score = probe(tuned, stimuli, against=base, **settings).differences["a"]
        return score.pearson, score.r_squared

    shares = coverage(measure)
    assert ((shares >= 0.92) & (shares <= 0.98)).all()


@pytest.mark.slow
def test_paired_intervals_of_decoding_hold_the_truth():
    def measure(rng, seed, resamples):
        positions, (tuned, base) = new_clips(rng)
        labels = tuple(
            np.array(["a", "b", "c"])[(positions[:, :3] + 0.5 * rng.normal(size=(N_CLIPS, 3))).argmax(1)]
        )
        stimuli = StimulusSet(ids(N_CLIPS), labels={"kind": tuple(map(str, labels))})
        found = decode(
            tuned, stimuli, "kind", against=base, folds=10, resamples=resamples, permutations=0, seed=seed
        )
        return [found.difference]

    assert 0.92 <= coverage(measure, truth_sets=1000)[0] <= 0.98


@pytest.mark.slow
def test_intervals_of_variance_parts_hold_the_truth():
    """Two models with features in common, people with noise in every pair. 60 clips are few: 500 sets gave 91 to 94 %."""

    def measure(rng, seed, resamples):
        features = rng.normal(size=(N_CLIPS, 5))
        human = distances(features) + symmetric(rng, N_CLIPS)
        models = {"a": distances(features[:, :3]), "b": distances(features[:, 2:5])}
        found = partition_variance(human, models, resamples=resamples, permutations=0, seed=seed)
        return [*found.cross_validated.values(), *found.in_sample.values()]

    shares = coverage(measure, truth_sets=500, sets=250)
    assert ((shares >= 0.89) & (shares <= 0.98)).all()
