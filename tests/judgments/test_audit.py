"""The audit on tables small enough to check by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.stats import binomtest

from bgs.judgments import Trials
from bgs.judgments.duplicates import DuplicateCount
from bgs.judgments.trial_audit import audit, response_times
from bgs.stimuli import StimulusSet

STIMULI = StimulusSet(ids=tuple("abcdef"), split=("train",) * 4 + ("test",) * 2)


def table(rows: list[tuple[str, int, int, int, int]]) -> Trials:
    numbers = np.array([row[1:] for row in rows])
    return Trials(
        participant=np.array([row[0] for row in rows]),
        block=np.array(["1"] * len(rows)),
        trial=np.arange(len(rows)),
        stimuli=numbers[:, :3],
        odd=numbers[:, 3],
        rt=np.arange(1.0, len(rows) + 1),
        n_stimuli=len(STIMULI),
    )


TRIALS = table(
    [
        ("ann", 0, 1, 2, 0),
        ("ann", 0, 0, 3, 2),  # check, passed
        ("ann", 1, 4, 1, 0),  # check, failed: the doubled clip was chosen
        ("bob", 2, 1, 0, 2),  # the first triplet again, the same odd clip
        ("bob", 1, 0, 2, 0),  # and again, another odd clip
        ("bob", 5, 5, 5, 1),  # degenerate
        ("bob", 3, 4, 5, 0),  # mixes the splits
    ]
)


def test_counts_and_attention_checks() -> None:
    found = audit(TRIALS, STIMULI)
    assert (found.rows, found.judgments, found.degenerate) == (7, 4, 1)
    assert (found.attention.shown, found.attention.passed, found.attention.pass_rate) == (2, 1, 0.5)
    ann, bob = found.participants
    assert (ann.participant, ann.rows, ann.checks, ann.passed, ann.median_rt) == ("ann", 3, 2, 1, 2.0)
    assert found.flagged == ()
    assert (bob.participant, bob.rows, bob.checks, bob.passed, bob.median_rt) == ("bob", 4, 0, 0, 5.5)


def test_duplicates_and_slots() -> None:
    found = audit(TRIALS, STIMULI)
    assert found.copies == found.doubles == DuplicateCount(0, 0, 0, 0)
    assert [slot.value for slot in found.odd_by_slot] == [0.75, 0.0, 0.25]
    assert found.odd_by_slot[0].low < 0.34
    for slot in found.odd_by_slot:
        exact = proportion(round(slot.value * 4), 4)
        assert (slot.low, slot.high) == pytest.approx(exact, abs=1e-6)


def proportion(hits: int, n: int) -> tuple[float, float]:
    interval = binomtest(hits, n).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def test_repeat_agreement() -> None:
    found = audit(TRIALS, STIMULI).agreement
    assert (found.repeated_triplets, found.pairs) == (1, 3)
    assert found.over_pairs == found.over_triplets == pytest.approx(1 / 3)


def test_coverage_and_leakage() -> None:
    found = audit(TRIALS, STIMULI)
    assert found.leakage is not None
    assert found.leakage.rows == (4, 1, 1, 1)
    assert found.leakage.judgments == (3, 0, 1, 0)
    assert found.leakage.mixed_judgments == 1
    counted = {name: (pairs.pairs, pairs.observed) for name, pairs in found.coverage.items()}
    assert counted == {
        "all": (15, 6), "train": (6, 3), "train trials": (6, 3),
        "test": (1, 1), "test trials": (1, 0), "mixed": (8, 2),
    }  # fmt: skip


def test_without_split_repeats_checks_or_times() -> None:
    trials = Trials(
        *(np.array(["x"]),) * 2, np.array([0]), np.array([[0, 1, 2]]), np.array([0]), np.array([np.nan]), 6
    )
    found = audit(trials, StimulusSet(ids=tuple("abcdef")))
    assert found.leakage is None
    assert found.rt is None
    assert list(found.coverage) == ["all"]
    assert math.isnan(found.attention.pass_rate)
    assert math.isnan(found.agreement.over_pairs)
    plain = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert plain["attention"]["pass_rate"] is None
    assert plain["participants"][0]["median_rt"] is None


def test_response_time_outliers_follow_the_stated_rule() -> None:
    rng = np.random.default_rng(0)
    times = np.exp(rng.normal(1.5, 0.5, 2000))
    found = response_times(np.concatenate([times, [1e-4, 5e4, np.nan]]))
    assert found is not None
    assert found.known == 2002
    assert found.maximum == 5e4
    assert found.low == pytest.approx(np.exp(1.5 - 5 * 0.5), rel=0.2)
    assert found.high == pytest.approx(np.exp(1.5 + 5 * 0.5), rel=0.2)
    assert found.outliers == 2
