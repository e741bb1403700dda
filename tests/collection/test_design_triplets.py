"""Triplets of a schedule: balanced, covering, informative; each against a slow reference."""

from __future__ import annotations

import math

import design_reference as reference
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bgs._rng import generator
from bgs.collection.design import informative_triplets, people_ensemble
from bgs.collection.design.adaptive import information
from bgs.collection.design.balanced import balanced_triplets
from bgs.collection.design.covering import covering, covering_triplets, steiner_triples
from bgs.judgments import Trials
from bgs.simulation import WORLDS


@given(n_clips=st.integers(3, 40), n=st.integers(0, 60), seed=st.integers(0, 5))
@settings(max_examples=60)
def test_balanced_triplets_show_every_clip_equally_often_within_one(n_clips, n, seed):
    triplets = balanced_triplets(n_clips, n, generator(seed))
    assert triplets.shape == (n, 3)
    assert all(len(set(row)) == 3 for row in triplets.tolist())
    times = np.bincount(triplets.ravel(), minlength=n_clips)
    assert times.max() - times.min() <= 1


@pytest.mark.parametrize(("n_clips", "n"), [(3, 5), (4, 30), (5, 40), (7, 40), (25, 100), (26, 100)])
def test_balanced_triplets_equal_dealing_by_hand(n_clips, n):
    assert balanced_triplets(n_clips, n, generator(1)).tolist() == reference.balanced(
        n_clips, n, generator(1)
    )


def test_balanced_triplets_are_random():
    """Every pair of 10 clips comes together about as often: 9,000 triplets, 45 pairs, 600 times each expected."""
    times = reference.pair_times(balanced_triplets(10, 9_000, generator(2)), 10)[np.triu_indices(10, 1)]
    assert abs(times - 600).max() < 100


@pytest.mark.parametrize("v", [3, 7, 9, 13, 15, 19, 21, 25, 27, 31])
def test_steiner_triples_are_those_of_the_books(v):
    m = v // 3
    names = [(x, i) for i in range(3) for x in range(m)] + [(-1, -1)]
    found = {frozenset(names[point] for point in triple) for triple in steiner_triples(v).tolist()}
    assert found == (reference.bose(v // 6) if v % 6 == 3 else reference.skolem(v // 6))
    assert (reference.pair_times(steiner_triples(v), v)[np.triu_indices(v, 1)] == 1).all()


@pytest.mark.parametrize("n", [*range(3, 30), 54, 120, 250])
def test_a_covering_shows_every_pair_and_is_near_the_bound(n):
    triplets = covering(n)
    assert all(len(set(row)) == 3 for row in triplets.tolist())
    assert (reference.pair_times(triplets, n)[np.triu_indices(n, 1)] >= 1).all()
    bound = math.ceil(n / 3 * math.ceil((n - 1) / 2))  # Schönheim 1964
    assert bound <= len(triplets) <= 1.1 * bound + 2
    if n >= 120:
        assert len(triplets) <= 1.02 * n * (n - 1) / 6


def test_rounds_of_a_covering_add_up_and_an_incomplete_one_repeats_no_pair():
    size = len(covering(20))
    whole = reference.pair_times(covering_triplets(20, 3 * size, generator(0)), 20)
    assert whole[np.triu_indices(20, 1)].min() >= 3
    part = reference.pair_times(covering_triplets(21, 35, generator(0)), 21)
    assert part.max() == 1


@pytest.mark.parametrize("members", [1, 4])
def test_information_equals_its_definition(members):
    rng = generator(3)
    rdms = rng.random((members, 8, 8)) * 3
    rdms = rdms + rdms.transpose(0, 2, 1)
    triplets = balanced_triplets(8, 30, rng)
    expected = [reference.information(rdms, row) for row in triplets.tolist()]
    np.testing.assert_allclose(information(rdms, triplets), expected, atol=1e-12)


def test_information_is_greatest_where_nothing_is_known():
    rdms = np.zeros((3, 4, 4))
    rdms[:, 3], rdms[:, :, 3] = np.nan, np.nan
    known, unknown = information(rdms, np.array([[0, 1, 2], [0, 1, 3]]))
    assert known == pytest.approx(0.0)
    assert unknown == pytest.approx(math.log(3))
    assert information(rdms[:1], np.array([[0, 1, 2]]))[0] == pytest.approx(math.log(3))


def test_informative_triplets_are_more_informative_than_random_ones():
    rng = generator(4)
    points = rng.normal(size=(5, 30, 2)) * 0.5 + rng.normal(size=(30, 2)) * 3
    rdms = np.linalg.norm(points[:, :, None] - points[:, None], axis=-1)
    chosen = informative_triplets(rdms, 200, rng, random_share=0.0)
    random = informative_triplets(rdms, 200, rng, random_share=1.0)
    assert information(rdms, chosen).mean() > 2 * information(rdms, random).mean()
    assert all(len(set(row)) == 3 for row in chosen.tolist())


def answered(n: int, clips: int, seed: int) -> Trials:
    people = np.array([f"p{k % 10}" for k in range(n)])
    zeros = np.zeros(n, dtype=np.int64)
    asked = Trials(
        people,
        people,
        zeros,
        balanced_triplets(clips, n, generator(seed)),
        zeros,
        np.full(n, np.nan),
        clips + 1,
    )
    world = WORLDS["matched"]
    return world.judge(asked, world.draw_clips(seed, clips + 1), seed)


def test_an_ensemble_agrees_more_the_more_judgments_there_are():
    spread = []
    for n in (200, 2_000):
        found = people_ensemble(answered(n, 12, 5), 0, members=4, dimensions=2)
        assert np.isnan(found[:, 12, :12]).all()  # no judgment shows the last clip
        known = found[:, :12, :12]
        spread.append(known.std(axis=0).sum() / known.mean(axis=0).sum())
    assert spread[1] < 0.7 * spread[0]


def test_clips_that_no_chain_of_judgments_links_are_unknown_to_each_other():
    trials = answered(400, 12, 5)
    apart = trials.where(np.isin(trials.count_in(np.arange(13) < 6), [0, 3]))
    found = people_ensemble(apart, 0, members=2, dimensions=2)
    assert np.isfinite(found[:, :6, :6]).all()
    assert np.isfinite(found[:, 6:12, 6:12]).all()
    assert np.isnan(found[:, :6, 6:]).all()
    assert np.isnan(people_ensemble(trials.where(trials.trial < 0), 0)).all()
