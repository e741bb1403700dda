"""Random changes of a base embedding: as large as tuning's, and what their unique parts make of a tuned model's."""

from __future__ import annotations

import numpy as np
import pytest

from bgs import BgsError
from bgs.embeddings import Embeddings
from bgs.evaluation import (
    model_rdm,
    pair_vector,
    partition_variance,
    pearson,
    random_change_p_value,
    random_changes,
    spearman,
)

N, D = 24, 12
IDS = tuple(f"clip{i}" for i in range(N))


def embeddings(values, ids=IDS):
    return Embeddings(values, ids, "test")


def symmetric(rng, n=N):
    noise = np.triu(rng.normal(size=(n, n)), 1)
    return noise + noise.T


@pytest.fixture
def world():
    """Base, and people who weigh its dimensions in their own way."""
    rng = np.random.default_rng(0)
    base = rng.normal(size=(N, D)) + 0.3
    weights = np.exp(1.2 * rng.normal(size=D))
    human = model_rdm(base * weights) + 0.02 * symmetric(rng)
    return base, weights, human


@pytest.mark.parametrize("distance", ["cosine", "correlation"])
@pytest.mark.parametrize(("transform", "correlate"), [("ranks", spearman), ("z-scores", pearson)])
def test_changes_are_as_large_as_tuning_s(world, distance, transform, correlate):
    base, weights, _ = world
    tuned = base * weights**0.5
    found = random_changes(
        embeddings(base), embeddings(tuned), IDS, distance=distance, transform=transform, draws=8
    )
    before, after = (pair_vector(model_rdm(values, distance)) for values in (base, tuned))
    assert found.correlation == pytest.approx(correlate(before, after), abs=1e-9)
    assert found.reached == pytest.approx(found.correlation, abs=0.005)
    each = [correlate(vector, before) for vector in found.vectors]
    assert each == pytest.approx([found.correlation] * 8, abs=0.01)


@pytest.mark.parametrize("distance", ["cosine", "correlation"])
def test_a_change_is_x_plus_s_x_a_b(world, distance):
    """The distances of a step, from inner products, are those of the changed embedding itself."""
    from bgs.evaluation.random_change import _Path

    base, rng, w = world[0], np.random.default_rng(5), 0.3
    change = base @ rng.normal(size=(D, 4)) @ rng.normal(size=(4, D))
    found = _Path.of(base, change, distance).distances(w)
    x, z = base, change
    if distance == "correlation":
        x, z = (values - values.mean(axis=1, keepdims=True) for values in (base, change))
    s = w / (1 - w) * np.linalg.norm(x) / np.linalg.norm(z)
    assert found == pytest.approx(pair_vector(model_rdm(base + s * change, distance)), abs=1e-10)


def test_rows_are_aligned_by_id_and_centred_on_what_is_named(world):
    base, weights, _ = world
    order, shown, training = np.random.default_rng(1).permutation(N), IDS[:10], IDS[10:]
    tuned = base * weights
    shuffled = embeddings(tuned[order], tuple(IDS[i] for i in order))
    found = [
        random_changes(embeddings(base), one, shown, center_ids=training, draws=3)
        for one in (embeddings(tuned), shuffled)
    ]
    np.testing.assert_allclose(found[0].vectors, found[1].vectors)
    assert found[0].tuned == pytest.approx(pair_vector(model_rdm(tuned[:10], center=tuned[10:].mean(axis=0))))


def test_p_counts_the_unique_parts_of_partitions(world):
    base, weights, human = world
    tuned = base * weights**0.3
    changes = random_changes(embeddings(base), embeddings(tuned), IDS, draws=19, seed=3)

    def unique(vector):
        rdm = np.zeros((N, N))
        rdm[np.triu_indices(N, 1)] = vector
        models = {"tuned": rdm + rdm.T, "base": model_rdm(base)}
        found = partition_variance(human, models, folds=3, resamples=2, permutations=0)
        return found.cross_validated["tuned"].value

    random, observed = [unique(vector) for vector in changes.vectors], unique(changes.tuned)
    found = random_change_p_value(human, changes, {"base": model_rdm(base)}, folds=3)
    assert found.p == (1 + np.sum(np.array(random) >= observed)) / 20
    assert found.value == pytest.approx(np.median(random))
    assert [found.low, found.high] == pytest.approx(np.quantile(random, [0.025, 0.975]))


def test_what_learned_people_s_weights_stands_out_and_a_random_map_does_not(world):
    base, weights, human = world
    rng = np.random.default_rng(2)
    mapped = base + 0.1 * base @ rng.normal(size=(D, 4)) @ rng.normal(size=(4, D))
    p = {
        name: random_change_p_value(
            human,
            random_changes(embeddings(base), embeddings(values), IDS, draws=39),
            {"base": model_rdm(base)},
        ).p
        for name, values in (("learned", base * weights**0.7), ("random", mapped))
    }
    assert p["learned"] == 1 / 40
    assert p["random"] > 0.05


def test_where_no_change_is_as_large_the_result_says_so(world):
    base = world[0]
    other = embeddings(np.random.default_rng(9).normal(size=(N, D)))
    found = random_changes(embeddings(base), other, IDS, draws=3)
    assert found.reached > found.correlation + 0.1


def test_bad_input_is_said_in_one_line(world):
    base = embeddings(world[0])
    with pytest.raises(BgsError, match="rank: out of range; expected 1 or more, got 0"):
        random_changes(base, base, IDS, rank=0)
    with pytest.raises(BgsError, match="draws"):
        random_changes(base, base, IDS, draws=0)
    with pytest.raises(BgsError, match="constant distances"):
        random_changes(base, embeddings(np.ones((N, D))), IDS)
    with pytest.raises(BgsError, match="have no embedding"):
        random_changes(base, base, ("elsewhere",))
