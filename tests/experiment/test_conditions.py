"""Conditions: the same clips and trials, other relations among them."""

from __future__ import annotations

import numpy as np
import pytest

from bgs.datasets import Dataset
from bgs.experiments.conditions import Captions, Condition, Shuffled
from bgs.experiments.config import validated_experiment
from bgs.experiments.grid import run_experiment
from bgs.judgments import Geometry
from bgs.objective import ObjectiveSettings
from bgs.runs.study import Study, people
from bgs.simulation import planted_dataset

NAN = np.nan


@pytest.fixture
def geometry() -> Geometry:
    """Stimuli 1, 3, 4 and 6 of seven; the pair of 1 and 6 was never shown."""
    rdm = np.array([[0, 0.2, 0.5, NAN], [0.2, 0, 1, 0.3], [0.5, 1, 0, 0.7], [NAN, 0.3, 0.7, 0]])
    weights = np.array([[0, 4, 2, 0], [4, 0, 1, 3], [2, 1, 0, 5], [0, 3, 5, 0]])
    triplets = np.array([[0, 1, 2], [3, 2, 1], [2, 0, 1]])
    return Geometry(np.array([1, 3, 4, 6]), triplets, np.array([2, 1, 0]), rdm, weights)


def test_captions_judge_the_same_trials_by_hand(geometry):
    distances = np.full((7, 7), 9.0)
    for (a, b), distance in {
        (1, 3): 0.8,
        (1, 4): 0.1,
        (1, 6): 0.05,
        (3, 4): 0.6,
        (3, 6): 0.4,
        (4, 6): 0.4,
    }.items():
        distances[a, b] = distances[b, a] = distance
    found = Captions(distances)(geometry)
    # (1, 3, 4): 1 and 4 are closest, 3 is left out: slot 1.
    # (6, 4, 3): 6–4 and 6–3 tie at .4; leaving out 4 (slot 1) comes before leaving out 3 (slot 2).
    # (4, 1, 3): 4 and 1 are closest, 3 is left out: slot 2.
    assert found.odd.tolist() == [1, 1, 2]
    expected = [[9, 0.8, 0.1, NAN], [0.8, 9, 0.6, 0.4], [0.1, 0.6, 9, 0.4], [NAN, 0.4, 0.4, 9]]
    np.testing.assert_array_equal(found.rdm, expected)  # the pair that nobody saw stays unseen
    np.testing.assert_array_equal(found.triplets, geometry.triplets)
    np.testing.assert_array_equal(found.weights, geometry.weights)


def test_shuffled_names_keep_all_but_the_names(geometry):
    found = Shuffled(0)(geometry)
    rename = {
        int(old): int(new) for old, new in zip(geometry.triplets.ravel(), found.triplets.ravel(), strict=True)
    }
    assert sorted(rename.values()) == [0, 1, 2, 3]
    assert rename != {i: i for i in range(4)}
    for i in range(4):
        for j in range(4):
            np.testing.assert_equal(found.rdm[rename[i], rename[j]], geometry.rdm[i, j])
            assert found.weights[rename[i], rename[j]] == geometry.weights[i, j]
    np.testing.assert_array_equal(found.odd, geometry.odd)


def test_shuffled_rdms_have_the_same_entries_but_not_the_same_places():
    stimuli, trials = planted_dataset(60, 3000)
    dataset = Dataset(stimuli, trials, simulated=True, name="planted")
    study = Study(dataset, stimuli, trials)
    positions = np.flatnonzero(stimuli.train)
    upper = np.triu_indices(len(positions), 1)
    true = study.geometry(positions).rdm[upper]
    correlations = []
    for seed in range(3):
        shuffled = Study(dataset, stimuli, trials, source=Shuffled(seed))
        rdm = shuffled.geometry(positions).rdm[upper]
        np.testing.assert_array_equal(np.sort(rdm), np.sort(true))
        both = np.isfinite(rdm) & np.isfinite(true)
        correlations.append(np.corrcoef(rdm[both], true[both])[0, 1])
        target = shuffled.validation_target(positions[:10], positions)
        people_say = study.validation_target(positions[:10], positions)
        np.testing.assert_array_equal(np.sort(target, axis=None), np.sort(people_say, axis=None))
        assert not np.array_equal(target, people_say, equal_nan=True)
    assert np.abs(correlations).max() < 0.1
    assert len(set(correlations)) == 3


def test_each_condition_is_the_objective_it_names():
    common = {"margin": 0.3, "beta": {"start": 0.5}}
    settings = {c: ObjectiveSettings(**c.objective(common)) for c in Condition}
    assert all(found.margin == 0.3 for found in settings.values())
    assert settings[Condition.HYBRID].beta.start == 0.5
    assert settings[Condition.TRIPLET_ONLY].beta.at(100) == 0  # what makes the condition wins
    assert settings[Condition.RSA_ONLY].alpha == 0
    assert settings[Condition.BUDGET_MATCHED].hard_negatives == 738
    assert (
        settings[Condition.SHUFFLED]
        == settings[Condition.LANGUAGE_DISTILLATION]
        == settings[Condition.HYBRID]
    )
    assert Condition.RSA_ONLY.source(0, None) is people


def test_a_transform_stands_beside_lora_in_the_grid(text_settings, tmp_path):
    """Same objective, same seeds, paired difference; its cell holds no adapter of the network."""
    given = {
        **text_settings,
        "conditions": ["hybrid", "transform-only"],
        "seeds": [0],
        "transform_only": {"epochs": 5},
    }
    given["analyses"] = dict.fromkeys(("gap", "variance", "probes", "dimensions", "disagreement"))
    outcome = run_experiment(validated_experiment(given, "x"), tmp_path / "out")
    assert outcome.failed == {}
    found = outcome.table.protocols["held-out-pairs"]
    assert set(found.differences["tiny"]) >= {"hybrid - transform-only", "transform-only - base"}
    cell = tmp_path / "out/cells/tiny/transform-only/seed-0/adapter"
    assert sorted(path.name for path in cell.iterdir()) == ["bgs.json", "head.safetensors"]
