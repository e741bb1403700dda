"""Ranked disagreements: by hand, beside a readable loop, and their invariances."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from bgs.evaluation import Disagreements, clearest_triplet, disagreements
from bgs.judgments import Trials


def trials(rows: list[tuple[int, int, int, int]], n: int) -> Trials:
    """(a, b, c, odd stimulus) rows."""
    shown = np.array([row[:3] for row in rows]).reshape(-1, 3)
    odd = np.array([row[:3].index(row[3]) for row in rows], dtype=np.int64)
    m = len(rows)
    return Trials(
        np.array(["p"] * m), np.array(["b"] * m), np.arange(m), shown, odd, np.full(m, np.nan), n
    )  # fmt: skip


def rdm(n: int, pairs: dict[tuple[int, int], float]) -> np.ndarray:
    values = np.full((n, n), np.nan)
    for (a, b), value in pairs.items():
        values[a, b] = values[b, a] = value
    np.fill_diagonal(values, 0.0)
    return values


def slow(judged: Trials, base: np.ndarray, tuned: np.ndarray) -> list[tuple]:
    """Every repaired triplet with its certainty, in a loop."""
    votes: dict[tuple, Counter] = {}
    for shown, odd in zip(judged.stimuli.tolist(), judged.odd.tolist(), strict=True):
        if len(set(shown)) == 3:
            votes.setdefault(tuple(sorted(shown)), Counter())[shown[odd]] += 1
    rows = []
    for (a, b, c), counted in votes.items():
        most = max(counted.values())
        winners = [clip for clip, count in counted.items() if count == most]
        left_out, margins = [], []
        for model in (base, tuned):
            ranked = sorted([(model[b, c], a), (model[a, c], b), (model[a, b], c)])
            upper = model[np.triu_indices(len(model), 1)]
            left_out.append(ranked[0][1])
            margins.append((ranked[1][0] - ranked[0][0]) / np.nanstd(upper))
        if len(winners) == 1 and min(margins) > 0 and left_out[0] != winners[0] == left_out[1]:
            share = (most + 1) / (sum(counted.values()) + 3)
            rows.append(((a, b, c), min(margins) * share))
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def test_by_hand():
    # People leave 2 out, three times out of four, however the clips were placed on the screen.
    judged = trials([(0, 1, 2, 2), (2, 0, 1, 2), (1, 2, 0, 2), (0, 2, 1, 0)], 3)
    base = rdm(3, {(0, 1): 0.9, (0, 2): 0.5, (1, 2): 0.1})  # keeps 1 and 2, leaves 0 out
    tuned = rdm(3, {(0, 1): 0.1, (0, 2): 0.7, (1, 2): 0.9})  # keeps 0 and 1
    found = disagreements(judged, base, tuned)
    assert (found.n_repaired, found.n_broken, found.n_triplets) == (1, 0, 1)
    only = found.repaired[0]
    assert (only.stimuli, only.votes) == ((0, 1, 2), (1, 0, 3))
    assert (only.people, only.base, only.tuned) == (2, 0, 2)
    margins = 0.4 / np.std([0.9, 0.5, 0.1]), 0.6 / np.std([0.1, 0.7, 0.9])
    assert only.certainty == pytest.approx(min(margins) * 4 / 7)
    swapped = disagreements(judged, tuned, base)
    assert (len(swapped.repaired), len(swapped.broken)) == (0, 1)
    assert swapped.broken[0].certainty == only.certainty


def test_ties_of_people_and_models_are_counted_and_left_out():
    judged = trials([(0, 1, 2, 0), (0, 1, 2, 1), (0, 1, 3, 3), (0, 2, 3, 3), (1, 2, 3, 1)], 4)
    tied = rdm(4, {(a, b): 0.5 for a in range(4) for b in range(a + 1, 4)})
    clear = rdm(4, {(0, 1): 0.1, (0, 2): 0.2, (0, 3): 0.8, (1, 2): 0.3, (1, 3): 0.9, (2, 3): 0.7})
    found = disagreements(judged, tied, clear)
    assert (found.n_people_tied, found.n_models_tied, found.n_triplets) == (1, 3, 0)
    assert found.repaired == found.broken == ()


def test_unknown_distances_are_left_out_without_a_word_from_numpy():
    judged = trials([(0, 1, 2, 0), (0, 1, 3, 3)], 4)
    base = rdm(4, {(0, 1): 0.9, (0, 3): 0.1, (1, 3): 0.5})  # clip 2 was never encoded
    tuned = rdm(4, {(0, 1): 0.1, (0, 3): 0.6, (1, 3): 0.5})
    found = disagreements(judged, base, tuned)
    assert (found.n_triplets, found.n_models_tied, found.n_repaired) == (1, 1, 1)
    nothing = rdm(4, {})
    assert disagreements(judged, nothing, nothing).n_models_tied == 2


def test_catch_trials_and_an_empty_table():
    judged = trials([(0, 0, 1, 1)], 3)
    base = rdm(3, {(0, 1): 0.1, (0, 2): 0.2, (1, 2): 0.3})
    assert disagreements(judged, base, base).n_triplets == 0


@pytest.fixture
def random_study():
    rng = np.random.default_rng(3)
    n = 14
    shown = np.array([rng.choice(n, 3, replace=False) for _ in range(400)])
    rows = [(*row, row[rng.integers(3)]) for row in shown.tolist()]
    models = []
    for _ in range(2):
        values = rng.random((n, n))
        models.append((values + values.T) / 2)
        np.fill_diagonal(models[-1], 0.0)
    return trials(rows, n), *models


def test_beside_the_loop(random_study):
    judged, base, tuned = random_study
    found = disagreements(judged, base, tuned, most=1000)
    expected = slow(judged, base, tuned)
    assert found.n_repaired == len(expected) > 20
    kept, used = [], set()
    for (a, b, c), certainty in expected:
        pairs = {(a, b), (a, c), (b, c)}
        if not pairs & used:
            kept.append(((a, b, c), certainty))
            used |= pairs
    assert [row.stimuli for row in found.repaired] == [row[0] for row in kept]
    assert [row.certainty for row in found.repaired] == pytest.approx([row[1] for row in kept])
    assert found.n_triplets + found.n_people_tied + found.n_models_tied == len(
        set(judged.triplet_codes.tolist())
    )


def test_no_two_share_a_pair_and_most_is_a_prefix(random_study):
    judged, base, tuned = random_study
    whole = disagreements(judged, base, tuned, most=1000)
    pairs = [
        {tuple(sorted(pair)) for pair in ((a, b), (a, c), (b, c))}
        for a, b, c in (r.stimuli for r in whole.repaired)
    ]
    assert sum(map(len, pairs)) == len(set().union(*pairs))
    assert disagreements(judged, base, tuned, most=3).repaired == whole.repaired[:3]


def test_scale_and_order_of_trials_do_not_matter(random_study):
    judged, base, tuned = random_study
    turned = np.random.default_rng(0).permutation(len(judged))
    mixed = judged.where(np.ones(len(judged), dtype=bool))
    mixed = Trials(
        **{k: getattr(mixed, k)[turned] for k in ("participant", "block", "trial", "stimuli", "odd", "rt")},
        n_stimuli=14,
    )
    expected = disagreements(judged, base, tuned)
    found = disagreements(mixed, base * 4, tuned * 0.5)  # exact in binary
    assert [row.stimuli for row in found.repaired] == [row.stimuli for row in expected.repaired]
    assert [r.certainty for r in found.broken] == pytest.approx([r.certainty for r in expected.broken])


def test_json_round_trip(random_study):
    found = disagreements(*random_study)
    assert Disagreements.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_the_clearest_triplet_is_where_people_agree_most_whoever_is_right():
    # People: 2 of 2 on (0, 1, 2); 3 of 3 on (0, 1, 3); tied on (0, 2, 3). Only base is right on (0, 1, 3).
    rows = [(0, 1, 2, 2)] * 2 + [(0, 1, 3, 3)] * 3 + [(0, 2, 3, 0), (0, 2, 3, 3)]
    base = rdm(4, {(0, 1): 0.1, (0, 2): 0.05, (1, 2): 0.6, (0, 3): 0.5, (1, 3): 0.9, (2, 3): 0.4})
    tuned = rdm(4, {(0, 1): 0.3, (0, 2): 0.7, (1, 2): 0.6, (0, 3): 0.2, (1, 3): 0.9, (2, 3): 0.1})
    found = clearest_triplet(trials(rows, 4), base, tuned)
    assert (found.stimuli, found.votes) == ((0, 1, 3), (0, 0, 3))
    assert (found.people, found.base, found.tuned) == (2, 2, 1)
    # Among equals the one on which both models are surest: margins of .05 and .3 against .4 and .1.
    equal = clearest_triplet(trials([(0, 1, 2, 2), (0, 1, 3, 3)], 4), base, tuned)
    assert equal.stimuli == (0, 1, 3)
    same = clearest_triplet(trials(rows, 4), base, base)  # they never differ: the strongest majority of all
    assert (same.stimuli, same.base, same.tuned) == ((0, 1, 3), 2, 2)
    nobody = trials(rows, 4).within(np.zeros(4, dtype=bool))
    assert clearest_triplet(nobody, base, tuned) is None


def test_the_clearest_triplet_beside_a_readable_loop():
    random = np.random.default_rng(3)
    for _ in range(20):
        rows = [
            (*shown, random.choice(shown))
            for shown in (random.choice(7, 3, replace=False) for _ in range(60))
        ]
        judged = trials([tuple(map(int, row)) for row in rows], 7)
        base, tuned = (rdm(7, dict(zip(_PAIRS, random.random(21), strict=True))) for _ in range(2))
        every = disagreements(judged, base, tuned, most=999)
        assert clearest_triplet(judged, base, tuned) == _slow_clearest(judged, base, tuned)
        assert every.n_triplets


_PAIRS = [(a, b) for a in range(7) for b in range(a + 1, 7)]


def _slow_clearest(judged, base, tuned):
    """Every triplet compared alone, the best kept."""
    best, highest = None, (-1.0, -1.0)
    for shown in sorted({tuple(sorted(row)) for row in judged.stimuli.tolist()}):
        inside = np.zeros(7, dtype=bool)
        inside[list(shown)] = True
        found = clearest_triplet(judged.within(inside), base, tuned)
        if found is not None and found.base != found.tuned:
            score = ((max(found.votes) + 1) / (sum(found.votes) + 3), found.certainty)
            if score > highest:
                best, highest = found, score
    return best
