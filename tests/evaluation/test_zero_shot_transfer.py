"""Transfer against scipy and loops over triplets; ties, sampling, overlap with the training set."""

from __future__ import annotations

import itertools
import json
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import spearmanr

from bgs import BgsError
from bgs.embeddings import Embeddings
from bgs.evaluation import Transfer, model_rdm, pair_vector, transfer
from bgs.evaluation.ideal_observer import ObservedTriplets
from bgs.judgments.rated import hellinger_rdm
from bgs.stimuli import StimulusSet

KINDS = ("adversarial", "friendly", "neutral")
FAST = {"resamples": 20, "permutations": 0}


def make(n=24, seed=0):
    rng = np.random.default_rng(seed)
    positions = rng.normal(size=(n, 3))
    chances = np.exp(2 * positions)
    votes = np.array([rng.multinomial(20, row / row.sum()) for row in chances]).astype(float)
    ids = tuple(f"phase{i}" for i in range(n))
    stimuli = StimulusSet(
        ids, labels={"relation": tuple(KINDS[i] for i in votes.argmax(axis=1))},
        ratings={**dict(zip(KINDS, votes.T / 20, strict=True)), "n_raters": np.full(n, 20.0)},
    )  # fmt: skip
    readout = rng.normal(size=(3, 8))
    tuned = Embeddings(positions @ readout + 0.5 * rng.normal(size=(n, 8)), ids, "tuned")
    return tuned, Embeddings(rng.normal(size=(n, 8)), ids, "base"), stimuli


def chance_of_agreeing(human, model, triplet):
    """Both keep a closest pair, drawn fairly among ties; None where the human distances all tie."""
    pairs = list(itertools.combinations(triplet, 2))
    kept = []
    for rdm in (human, model):
        least = min(rdm[pair] for pair in pairs)
        closest = [pair for pair in pairs if rdm[pair] == least]
        kept.append({pair: Fraction(1, len(closest)) for pair in closest})
    if len(kept[0]) == 3:
        return None
    return sum(share * kept[1].get(pair, 0) for pair, share in kept[0].items())


def test_triplets_are_those_of_a_loop_with_ties_shared():
    rng = np.random.default_rng(0)
    human, model = (np.round(model_rdm(rng.normal(size=(9, 3))), 1) for _ in range(2))
    found = ObservedTriplets.of(human, model[None], 1000, 0)
    scores = [chance_of_agreeing(human, model, t) for t in itertools.combinations(range(9), 3)]
    known = [score for score in scores if score is not None]
    assert found.tied > 0
    assert found.left_out == len(scores) - len(known)
    assert found()[0] == pytest.approx(float(sum(known) / len(known)))
    assert ObservedTriplets.of(human, np.ones((1, 9, 9)), 1000, 0)()[0] == pytest.approx(1 / 3)
    assert ObservedTriplets.of(human, human[None], 1000, 0)()[0] == pytest.approx(
        1 - found.tied / len(known) / 2
    )


def test_many_triplets_are_drawn_without_repetition_and_estimate_the_same():
    rng = np.random.default_rng(1)
    positions = rng.normal(size=(40, 3))
    human, model = model_rdm(positions), model_rdm(positions + rng.normal(size=(40, 3)))
    every, drawn = (ObservedTriplets.of(human, model[None], most, 0) for most in (10**6, 3000))
    assert (every.drawn, drawn.drawn, len(drawn)) == (False, True, 3000)
    assert len(np.unique(drawn.triplets, axis=0)) == 3000
    assert (np.diff(drawn.triplets, axis=1) > 0).all()
    assert drawn()[0] == pytest.approx(every()[0], abs=0.03)


def test_rsa_is_scipys_on_the_hellinger_distances():
    tuned, base, stimuli = make()
    found = transfer(tuned, stimuli, KINDS, against=base, **FAST)
    votes = np.stack([stimuli.ratings[kind] for kind in KINDS], axis=1)
    human = pair_vector(hellinger_rdm(votes)).round(12)
    for metrics, model in ((found.metrics, tuned), (found.against_metrics, base)):
        expected = spearmanr(pair_vector(model_rdm(model.values)), human)[0]
        assert metrics["rsa_spearman"].value == pytest.approx(expected)
    gap = found.metrics["rsa_spearman"].value - found.against_metrics["rsa_spearman"].value
    assert found.differences["rsa_spearman"].value == pytest.approx(gap)
    assert found.metrics["rsa_spearman"].n == 24 * 23 // 2
    assert found.provenance["n_triplets"] <= 24 * 23 * 22 // 6


def test_euclidean_target_standardises_ratings_and_leaves_unrated_clips_out():
    tuned, _, stimuli = make()
    rng = np.random.default_rng(2)
    ratings = {"small": rng.normal(size=24), "large": 100 * rng.normal(size=24)}
    ratings["small"][5] = np.nan
    found = transfer(
        tuned, StimulusSet(stimuli.ids, ratings=ratings), ("small", "large"), target="euclidean", **FAST
    )
    kept = np.arange(24) != 5
    columns = np.stack([ratings["small"][kept], ratings["large"][kept]], axis=1)
    columns = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    human = np.linalg.norm(columns[:, None] - columns[None], axis=2)
    expected = spearmanr(pair_vector(model_rdm(tuned.values[kept])), pair_vector(human))[0]
    assert found.metrics["rsa_spearman"].value == pytest.approx(expected)
    assert found.differences == {}
    assert found.provenance["n_clips"] == 23


def test_a_better_model_transfers_better_in_all_three():
    tuned, base, stimuli = make(n=40)
    found = transfer(
        tuned,
        stimuli,
        KINDS,
        against=base,
        label="relation",
        raters="n_raters",
        resamples=200,
        permutations=49,
    )
    assert found.metrics["rsa_spearman"].p == 0.02
    for difference in (*found.differences.values(), found.decoding.difference):
        assert difference.low > 0
        assert difference.p < 0.05
    assert {"chance", "one_rater", "new_panel"} <= set(found.decoding.metrics)
    text = json.dumps(found.to_json(), allow_nan=False)
    assert Transfer.from_json(json.loads(text)).to_json() == found.to_json()


def test_clips_trained_on_are_refused_by_id_and_by_file():
    tuned, _, stimuli = make()
    hashes = {name: f"hash of {name}" for name in stimuli.ids}
    for trained in (
        {"trained_on": ["phase3", "other"]},
        {"video_hashes": hashes, "trained_hashes": ["hash of phase3"]},
    ):
        with pytest.raises(BgsError, match="1 clips were used in training: phase3"):
            transfer(tuned, stimuli, KINDS, **trained, **FAST)
        assert transfer(tuned, stimuli, KINDS, **trained, allow_overlap=True, **FAST).provenance[
            "overlap"
        ] == ["phase3"]
    assert (
        transfer(tuned, stimuli, KINDS, trained_on=["clip"], video_hashes=hashes, **FAST).provenance[
            "overlap"
        ]
        == []
    )


def test_bad_targets_are_said():
    tuned, _, stimuli = make()
    for ratings, change, message in (
        (("friendly", "kind"), {}, "kind: no such rating"),
        ((), {}, "no ratings are named"),
        (KINDS, {"target": "cosine"}, "unknown target"),
        (KINDS, {"label": "kind"}, "no such label"),
    ):
        with pytest.raises(BgsError, match=message):
            transfer(tuned, stimuli, ratings, **change, **FAST)
