"""Pair counts and the human RDM against a slow loop, and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_trials import any_trials, make_trials
from hypothesis import given
from hypothesis import strategies as st

from bgs.judgments import Kind, PairCounts, Trials, human_rdm


def slow_counts(trials: Trials) -> tuple[np.ndarray, np.ndarray]:
    together = np.zeros((trials.n_stimuli, trials.n_stimuli), dtype=np.int64)
    shown = together.copy()
    for clips, odd in zip(trials.stimuli.tolist(), trials.odd.tolist(), strict=True):
        if len(set(clips)) < 3:
            continue
        for i in range(3):
            for j in range(3):
                if i != j:
                    shown[clips[i], clips[j]] += 1
                    together[clips[i], clips[j]] += odd not in (i, j)
    return together, shown


@given(any_trials())
def test_counts_equal_a_slow_loop(trials: Trials) -> None:
    together, shown = slow_counts(trials)
    counts = PairCounts.from_trials(trials)
    np.testing.assert_array_equal(counts.together, together)
    np.testing.assert_array_equal(counts.shown, shown)


@given(any_trials(), st.randoms(use_true_random=False))
def test_order_of_trials_and_slots_does_not_matter(trials: Trials, random) -> None:
    order = list(range(len(trials)))
    random.shuffle(order)
    slots = random.sample(range(3), 3)
    moved = make_trials(
        trials.stimuli[order][:, slots], np.argsort(slots)[trials.odd[order]], trials.n_stimuli
    )
    before, after = PairCounts.from_trials(trials), PairCounts.from_trials(moved)
    np.testing.assert_array_equal(before.together, after.together)
    np.testing.assert_array_equal(before.shown, after.shown)


@given(any_trials(), st.randoms(use_true_random=False))
def test_relabelling_stimuli_relabels_counts(trials: Trials, random) -> None:
    label = np.array(random.sample(range(trials.n_stimuli), trials.n_stimuli))
    relabelled = PairCounts.from_trials(make_trials(label[trials.stimuli], trials.odd, trials.n_stimuli))
    before = PairCounts.from_trials(trials)
    np.testing.assert_array_equal(relabelled.subset(label).together, before.together)
    np.testing.assert_array_equal(relabelled.subset(label).shown, before.shown)


@given(any_trials())
def test_rdm_is_nan_exactly_where_no_judgment_shows_the_pair(trials: Trials) -> None:
    counts = PairCounts.from_trials(trials)
    rdm = human_rdm(counts)
    off = ~np.eye(trials.n_stimuli, dtype=bool)
    np.testing.assert_array_equal(np.isnan(rdm[off]), counts.shown[off] == 0)
    assert (rdm.diagonal() == 0).all()
    known = rdm[~np.isnan(rdm)]
    assert ((known >= 0) & (known <= 1)).all()


def test_rdm_worked_by_hand() -> None:
    # pair (0, 1): shown three times, kept twice; pair (0, 3) never shown
    trials = make_trials([[0, 1, 2], [2, 0, 1], [0, 1, 2]], [2, 0, 0], 4)
    rdm = human_rdm(PairCounts.from_trials(trials))
    assert rdm[0, 1] == pytest.approx(1 / 3)
    assert rdm[1, 2] == pytest.approx(2 / 3)
    assert rdm[0, 2] == 1
    assert np.isnan(rdm[3, :3]).all()


def test_coverage() -> None:
    counts = PairCounts.from_trials(make_trials([[0, 1, 2]], [0], 4))
    assert counts.coverage == 0.5
    assert np.isnan(counts.subset(np.array([1])).coverage)


def test_kinds() -> None:
    trials = make_trials([[0, 1, 2], [0, 0, 1], [1, 0, 1], [0, 1, 1], [2, 2, 2]], [0, 1, 2, 0, 1], 3)
    assert trials.kind.tolist() == [Kind.JUDGMENT, *[Kind.CATCH] * 3, Kind.DEGENERATE]
    assert len(trials.judgments) == 1
