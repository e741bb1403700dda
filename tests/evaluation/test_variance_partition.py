"""Variance partitioning against loops with scipy.optimize.nnls, closed forms, and what must not change it."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls
from scipy.stats import rankdata

from bgs import BgsError
from bgs.evaluation import VariancePartition, model_rdm, pair_vector, partition_variance, unique_p_value
from bgs.evaluation.nested_regression import NestedRegression
from bgs.evaluation.resampling import multiplicities
from bgs.evaluation.variance import commonality
from bgs.judgments import split_folds


def distances(x):
    return np.linalg.norm(x[:, None] - x[None], axis=2)


def moments_of(human, models, folds, transform, copies=None):
    """The regression and the moments of its pairs, one set of them."""
    first, second = np.triu_indices(len(human), 1)
    seen = np.isfinite(pair_vector(human))
    vectors = np.stack([pair_vector(rdm)[seen] for rdm in (human, *models)])
    regression = NestedRegression.of(vectors, first[seen], second[seen], folds, transform)
    return regression, regression(copies)[None]


def make(n=30, seed=0, k=3, unknown=0.1):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, k + 2))
    noise = np.triu(rng.normal(size=(n, n)), 1)
    human = distances(features) + 0.5 * (noise + noise.T)
    hidden = np.triu(rng.random((n, n)) < unknown, 1)
    human[hidden | hidden.T] = np.nan
    models = {name: distances(features[:, i : i + 3]) for i, name in enumerate("abcd"[:k])}
    return human, models


def r_squared(design, y, design_test, y_test):
    """Residuals and spread on the test pairs, from Lawson and Hanson's algorithm; the intercept is free."""
    middle = design.mean(axis=0)
    slopes = nnls(design - middle, y - y.mean())[0] if design.shape[1] else np.empty(0)
    residual = y_test - y.mean() - (design_test - middle) @ slopes
    return (residual**2).sum(), ((y_test - y.mean()) ** 2).sum()


def loop(human, models, subset, folds, transform, copies=None):
    """(held-out, in-sample) R² with pairs and copies written out one by one."""
    copies = np.ones(len(human), dtype=int) if copies is None else copies
    pairs = [
        (i, j)
        for i, j in itertools.combinations(range(len(human)), 2)
        if np.isfinite(human[i, j])
        for _ in range(copies[i] * copies[j])
    ]
    columns = np.array([[rdm[pair] for pair in pairs] for rdm in (human, *models)])
    if transform == "ranks":
        columns = np.array([rankdata(column) for column in columns])
    y, x = columns[0], columns[1:][list(subset)].T
    residuals = spreads = 0.0
    for fold in folds:
        fold = set(fold.tolist())
        inside = np.array([(i in fold) + (j in fold) for i, j in pairs])
        train, test = inside == 0, inside == 2
        residual, spread = r_squared(x[train], y[train], x[test], y[test])
        residuals, spreads = residuals + residual, spreads + spread
    whole = r_squared(x, y, x, y)
    return 1 - residuals / spreads, 1 - whole[0] / whole[1]


@pytest.mark.parametrize("transform", ["ranks", "z-scores"])
def test_parts_are_those_of_a_loop_with_nnls(transform):
    human, models = make()
    folds = split_folds(30, 5, 0)
    found = partition_variance(human, models, transform=transform, resamples=2, permutations=0)
    rdms = list(models.values())
    r2 = {
        s: loop(human, rdms, s, folds, transform)
        for k in (1, 2, 3)
        for s in itertools.combinations(range(3), k)
    }
    for which, parts in ((0, found.cross_validated), (1, found.in_sample)):
        a, b, c, ab, ac, bc, abc = (
            r2[s][which] for s in [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]
        )
        expected = {  # Nimon & Oswald 2013, written out
            "a": abc - bc, "b": abc - ac, "c": abc - ab,
            "a & b": ac + bc - c - abc, "a & c": ab + bc - b - abc, "b & c": ab + ac - a - abc,
            "a & b & c": a + b + c - ab - ac - bc + abc, "total": abc,
        }  # fmt: skip
        assert list(parts) == list(expected)
        assert [parts[name].value for name in expected] == pytest.approx(list(expected.values()), abs=1e-10)
        assert sum(m.value for name, m in parts.items() if name != "total") == pytest.approx(abc)
    assert found.alone["b"].value == pytest.approx(r2[1,][0])


@pytest.mark.parametrize("transform", ["ranks", "z-scores"])
def test_a_resample_is_the_replicated_list_of_pairs(transform):
    human, models = make(n=16)
    folds = split_folds(16, 3, 1)
    copies = multiplicities(np.random.default_rng(3), 16, 1)[0]
    regression, moments = moments_of(human, list(models.values()), folds, transform, copies)
    expected = loop(human, list(models.values()), (0, 2), folds, transform, copies.astype(int))
    assert regression.held_out(moments, [(0, 2)])[0, 0] == pytest.approx(expected[0], abs=1e-10)
    assert regression.in_sample(moments, [(0, 2)])[0, 0] == pytest.approx(expected[1], abs=1e-10)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 6), transform=st.sampled_from(["ranks", "z-scores"]))
def test_slopes_are_those_of_lawson_and_hanson(seed, k, transform):
    """Predictors that go with people, against them, and with each other: every set of slopes may be at its bound."""
    rng = np.random.default_rng(seed)
    human, _ = make(n=18, seed=seed)
    signal = np.nan_to_num(human)
    models = []
    for _ in range(k):
        noise = np.triu(rng.normal(size=(18, 18)), 1)
        models.append(rng.choice([-1.0, 0.3, 1.0]) * signal + noise + noise.T + sum(models, start=0.0))
    folds = split_folds(18, 3, seed)
    regression, moments = moments_of(human, models, folds, transform)
    subsets = [s for size in (0, 1, 2, k) for s in itertools.combinations(range(k), min(size, k))]
    expected = [loop(human, models, s, folds, transform) for s in subsets]
    found = regression.held_out(moments, subsets)[0], regression.in_sample(moments, subsets)[0]
    np.testing.assert_allclose(np.stack(found, axis=1), expected, atol=1e-9)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), transform=st.sampled_from(["ranks", "z-scores"]))
def test_what_goes_the_other_way_adds_nothing(seed, transform):
    """−x beside an x that has a slope raises nothing, −x for it leaves nothing; with a predictor more R² never falls."""
    human, models = make(n=15, seed=seed, k=2)
    a, b = models.values()
    regression, moments = moments_of(human, [a, b, -a], split_folds(15, 3, seed), transform)
    subsets = [(), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]
    r2 = dict(zip(subsets, regression.in_sample(moments, subsets)[0].tolist(), strict=True))
    assert r2[()] == 0
    assert min(r2[0,], r2[2,]) == 0  # one of the two goes against people
    for with_people, mirrored in ((0, 2), (2, 0)):
        if r2[tuple(sorted((1, with_people)))] > r2[1,] + 1e-9:
            assert r2[0, 1, 2] == pytest.approx(r2[tuple(sorted((1, with_people)))], abs=1e-9)
            assert r2[tuple(sorted((1, mirrored)))] == r2[1,]
    for smaller, larger in itertools.permutations(subsets, 2):
        if set(smaller) < set(larger):
            assert r2[larger] >= r2[smaller] - 1e-12


def test_a_model_against_people_is_not_credited():
    """Captions less a share of what people say: its distances go against people's once the captions are known."""
    human, models = make(n=40, unknown=0.0)
    human, captions = (rankdata(pair_vector(rdm)) / 780 for rdm in (human, models["a"]))
    rdms = []
    for vector in (human, captions, captions - 0.6 * human):
        rdm = np.zeros((40, 40))
        rdm[np.triu_indices(40, 1)] = vector
        rdms.append(rdm + rdm.T)
    found = partition_variance(
        rdms[0], {"against": rdms[2] + 1, "captions": rdms[1]}, resamples=50, permutations=99
    )
    assert found.in_sample["against"].value == 0
    assert found.cross_validated["against"].value == pytest.approx(0, abs=0.005)
    assert found.cross_validated["against"].p > 0.5
    assert found.cross_validated["captions"].p == 0.01


def test_gaussian_predictors_give_their_closed_form():
    """Standard normal pairs, corr(x1, x2) = ρ, y = b1·x1 + b2·x2 + e: R² = b'Cb / (b'Cb + σ²)."""
    n, rho, b, sigma = 400, 0.5, np.array([1.0, 0.5]), 1.0
    rng = np.random.default_rng(0)
    rows = np.triu_indices(n, 1)
    x1 = rng.normal(size=len(rows[0]))
    x2 = rho * x1 + np.sqrt(1 - rho**2) * rng.normal(size=len(x1))
    y = b[0] * x1 + b[1] * x2 + sigma * rng.normal(size=len(x1))

    def matrix(values):
        rdm = np.zeros((n, n))
        rdm[rows] = values
        return rdm + rdm.T

    explained = b[0] ** 2 + b[1] ** 2 + 2 * rho * b[0] * b[1]
    variance = explained + sigma**2
    total, alone = (
        explained / variance,
        ((b[0] + rho * b[1]) ** 2 / variance, (b[1] + rho * b[0]) ** 2 / variance),
    )
    found = partition_variance(
        matrix(y), {"one": matrix(x1), "two": matrix(x2)}, transform="z-scores", resamples=2, permutations=0
    )
    expected = {
        "one": total - alone[1],
        "two": total - alone[0],
        "one & two": sum(alone) - total,
        "total": total,
    }
    for parts in (found.in_sample, found.cross_validated):
        assert {name: metric.value for name, metric in parts.items()} == pytest.approx(expected, abs=0.015)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), scale=st.floats(0.01, 100.0), shift=st.floats(-5.0, 5.0))
def test_order_of_stimuli_and_scale_of_rdms_do_not_matter(seed, scale, shift):
    human, models = make(n=15, seed=seed, k=2)
    folds, order = split_folds(15, 3, seed), np.random.default_rng(seed).permutation(15)
    place = np.argsort(order)
    for transform in ("ranks", "z-scores"):
        run = {"transform": transform, "resamples": 2, "permutations": 0}
        plain = partition_variance(human, models, folds=folds, **run)
        moved = partition_variance(
            human[np.ix_(order, order)],
            {name: np.round(scale * rdm + shift, 10)[np.ix_(order, order)] for name, rdm in models.items()},
            folds=[place[fold] for fold in folds], **run,
        )  # fmt: skip
        for kind in ("cross_validated", "in_sample"):
            values = [[m.value for m in getattr(found, kind).values()] for found in (plain, moved)]
            np.testing.assert_allclose(*values, atol=1e-6)


def test_parts_of_five_predictors_are_unique_ones_and_the_total():
    parts, models, signs = commonality(5)
    assert parts == [(0,), (1,), (2,), (3,), (4,)]
    assert signs.shape == (5, len(models))
    assert {models[i] for i in np.flatnonzero(signs[0])} == {(1, 2, 3, 4), (0, 1, 2, 3, 4)}
    assert [len(commonality(k)[0]) for k in (2, 3, 4)] == [3, 7, 15]


def test_what_adds_something_is_told_from_what_does_not():
    rng = np.random.default_rng(1)
    features = rng.normal(size=(60, 5))
    models = {"real": distances(features[:, :3]), "part": distances(features[:, 2:4])}
    models["noise"] = distances(features[:, 2:4] + rng.normal(size=(60, 2)))
    found = partition_variance(distances(features[:, :4]), models, resamples=200, permutations=99)
    assert found.cross_validated["real"].low > 0
    assert found.cross_validated["real"].p == 0.01
    assert found.in_sample["noise"].p > 0.05
    assert found.cross_validated["noise"].low < 0 < found.cross_validated["noise"].high
    text = json.dumps(found.to_json(), allow_nan=False)
    assert VariancePartition.from_json(json.loads(text)).to_json() == found.to_json()


def test_unique_p_counts_what_a_loop_counts():
    """The residual matrix is relabelled, and the studentised slope comes from lstsq and a double loop over dyads."""
    from bgs._rng import generator

    human, models = make(n=12, k=2)
    rows = np.triu_indices(12, 1)
    seen = np.isfinite(human[rows])
    x, z = (rankdata(models[name][rows]) for name in "ab")
    z = (z - z.mean()) / z.std()
    design = np.c_[np.ones(len(z)), z, z**2, z**3]
    residual = np.zeros((12, 12))
    residual[rows] = x - design @ np.linalg.lstsq(design, x, rcond=None)[0]
    residual += residual.T
    y, design = rankdata(human[rows][seen]), design[seen]
    dyads = list(zip(*(row[seen] for row in rows), strict=True))
    sharing = np.array([[bool({i, j} & {k, m}) for k, m in dyads] for i, j in dyads])

    def statistic(label):
        e = residual[np.ix_(label, label)][rows][seen]
        slopes = np.linalg.lstsq(np.c_[design, e], y, rcond=None)[0]
        left = y - np.c_[design, e] @ slopes
        e = e - design @ np.linalg.lstsq(design, e, rcond=None)[0]
        influence = e * left
        variance = max(influence @ sharing @ influence, influence @ influence)
        return slopes[-1] * (e @ e) / np.sqrt(variance)

    rng, observed = generator(4, "permutation", "unique"), statistic(np.arange(12))
    count = sum(statistic(rng.permutation(12)) >= observed for _ in range(49))
    found = unique_p_value(human, models["a"], [models["b"]], permutations=49, seed=4)
    assert found == (1 + count) / 50
    mirrored = unique_p_value(human, -models["a"], [models["b"]], permutations=49, seed=4)
    assert mirrored == pytest.approx(1 - found + 1 / 50)  # the other side of the same shuffles
    assert np.isnan(unique_p_value(human, models["a"], [models["a"]], permutations=9, seed=0))


def test_bad_input_is_said_in_one_line():
    human, models = make(n=12, k=2)
    cases = [
        ({"models": {"a": models["a"]}}, "two to 10 models"),
        ({"models": {str(i): models["a"] for i in range(11)}}, "two to 10 models"),
        ({"models": models | {"b": np.ones((12, 12))}}, "b: no variance"),
        ({"models": models | {"b": np.ones((3, 3))}}, "b: the RDM has the wrong shape"),
        ({"models": models | {"b": np.full((12, 12), np.nan)}}, "b: a model distance is unknown"),
        ({"human": np.full((12, 12), np.nan)}, "human: no variance"),
        ({"transform": "logs"}, "unknown transform"),
        ({"folds": 9}, "invalid number of folds"),
        ({"folds": [np.arange(5), np.arange(5)]}, "folds do not contain"),
    ]
    for change, message in cases:
        arguments = {"human": human, "models": models, "resamples": 2, "permutations": 0, "folds": 3} | change
        with pytest.raises(BgsError, match=message):
            partition_variance(arguments.pop("human"), arguments.pop("models"), **arguments)


def test_cosine_rdms_of_embeddings_fit():
    human, _ = make(n=12, k=2)
    rng = np.random.default_rng(0)
    models = {name: model_rdm(rng.normal(size=(12, 5))) for name in ("tuned", "captions")}
    found = partition_variance(human, models, folds=3, resamples=20, permutations=9)
    assert found.provenance["n_pairs"] == np.isfinite(pair_vector(human)).sum()
    assert all(np.isfinite([m.low, m.high]).all() for m in found.cross_validated.values())
