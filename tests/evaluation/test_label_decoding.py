"""Label decoding against scikit-learn, raters against a loop, and what must not decode."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifierCV
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bgs import BgsError
from bgs.embeddings import Embeddings
from bgs.evaluation import Decoding, decode, rater_reference
from bgs.evaluation.decoding import _folds
from bgs.evaluation.ridge import PENALTIES
from bgs.stimuli import StimulusSet

KINDS = ("adversarial", "friendly", "neutral")
FAST = {"resamples": 50, "permutations": 0}


def make(n=36, width=60, signal=2.0, seed=0):
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % 7 % 3  # classes of different size
    features = rng.normal(size=(n, width)) + signal * rng.normal(size=(3, width))[codes]
    ids = tuple(f"clip{i}" for i in range(n))
    return Embeddings(features, ids, "features"), StimulusSet(
        ids, labels={"kind": tuple(KINDS[c] for c in codes)}
    )


def test_leave_one_out_is_scikit_learns_ridge_classifier_with_even_priors():
    embeddings, stimuli = make(signal=0.3)
    labels, guesses = np.array(stimuli.labels["kind"]), []
    for left in range(36):
        kept = np.arange(36) != left
        model = make_pipeline(StandardScaler(), RidgeClassifierCV(PENALTIES)).fit(
            embeddings.values[kept], labels[kept]
        )
        shares = np.array([(labels[kept] == kind).mean() for kind in KINDS])
        probability = (model.decision_function(embeddings.values[[left]])[0] + 1) / 2  # from −1, 1 to 0, 1
        guesses.append(KINDS[(probability / shares).argmax()])
    found = decode(embeddings, stimuli, "kind", **FAST)
    assert found.metrics["embeddings"].value == pytest.approx(balanced_accuracy_score(labels, guesses))
    expected = [[sum((labels == a) & (np.array(guesses) == b)) for b in KINDS] for a in KINDS]
    assert [list(row) for row in found.confusion] == expected


def test_labels_are_decoded_better_from_better_embeddings_and_chance_is_a_third():
    embeddings, stimuli = make()
    noise = Embeddings(np.random.default_rng(2).normal(size=(36, 5)), embeddings.stimulus_ids, "noise")
    found = decode(embeddings, stimuli, "kind", against=noise, folds=6, resamples=300, permutations=99)
    assert found.metrics["embeddings"].value > 0.9
    assert found.metrics["embeddings"].p == 0.01
    assert found.metrics["against"].p > 0.05
    assert found.metrics["chance"].value == pytest.approx(1 / 3, abs=0.04)
    assert found.difference.low > 0
    text = json.dumps(found.to_json(), allow_nan=False)
    assert Decoding.from_json(json.loads(text)).to_json() == found.to_json()


def test_leaving_one_out_of_noise_is_at_chance_and_a_collapsed_model_too():
    """A plain classifier would fall below it: the clip left out makes its own label rarer."""
    accuracies = [
        decode(*make(signal=0.0, seed=seed, n=24, width=8), "kind", resamples=1, permutations=0)
        .metrics["embeddings"]
        .value
        for seed in range(20)
    ]
    assert np.mean(accuracies) == pytest.approx(1 / 3, abs=0.08)
    embeddings, stimuli = make()
    flat = Embeddings(np.full((36, 4), 0.1), embeddings.stimulus_ids, "flat")
    assert decode(flat, stimuli, "kind", **FAST).metrics["embeddings"].value == pytest.approx(1 / 3)


def test_folds_are_stratified():
    codes = np.repeat([0, 1, 2], [20, 10, 5])
    folds = _folds(codes, 5, 0)
    assert [np.bincount(codes[fold]).tolist() for fold in folds] == [[4, 2, 1]] * 5
    assert sorted(np.concatenate(folds).tolist()) == list(range(35))
    assert len(_folds(np.arange(201) % 2, None, 0)) == 10
    assert len(_folds(np.arange(200) % 2, None, 0)) == 200


def test_raters_against_a_loop_over_raters():
    counts = np.array([[8, 1, 1], [3, 3, 2], [0, 1, 5], [2, 6, 0]])
    kinds = ("adversarial", "friendly", "neutral", "friendly")
    raters = counts.sum(axis=1).astype(float)
    shares = dict(zip(KINDS, (counts / raters[:, None]).T, strict=True))
    ids = tuple("abcd")
    stimuli = StimulusSet(ids, labels={"kind": kinds}, ratings={**shares, "n": raters})
    per_clip = []
    for row in counts:
        scores = []
        for choice in np.repeat(np.arange(3), row):
            others = row.copy()
            others[choice] -= 1
            best = np.flatnonzero(others == others.max())
            scores.append((choice in best) / len(best))
        per_clip.append(np.mean(scores))
    expected = np.mean([per_clip[0], (per_clip[1] + per_clip[3]) / 2, per_clip[2]])
    found = rater_reference(stimuli, "kind", "n", resamples=50)
    assert found["one_rater"].value == pytest.approx(expected)
    assert found["one_rater"].value < found["new_panel"].value < 1
    as_counts = StimulusSet(
        ids, labels={"kind": kinds}, ratings={**dict(zip(KINDS, counts.T * 1.0, strict=True)), "n": raters}
    )
    again = rater_reference(as_counts, "kind", "n", resamples=50)
    assert {name: metric.value for name, metric in again.items()} == {
        name: metric.value for name, metric in found.items()
    }
    wrong = StimulusSet(ids, labels={"kind": kinds}, ratings={**shares, "n": raters + 1})
    with pytest.raises(BgsError, match="votes do not add up"):
        rater_reference(wrong, "kind", "n")
    with pytest.raises(BgsError, match="no votes"):
        rater_reference(stimuli, "kind", "m")


def test_what_cannot_be_decoded_is_said():
    embeddings, stimuli = make(n=9)
    for kinds, message in (
        (("a",) * 9, "got 1 label"),
        (("a",) * 8 + ("b",), "got one clip with label b"),
        (("",) * 9, "got 0 label"),
    ):
        with pytest.raises(BgsError, match=message):
            decode(embeddings, StimulusSet(stimuli.ids, labels={"kind": kinds}), "kind", **FAST)
    with pytest.raises(BgsError, match="no such label"):
        decode(embeddings, stimuli, "sort", **FAST)
    with pytest.raises(BgsError, match="invalid number of folds"):
        decode(embeddings, stimuli, "kind", folds=10, **FAST)
    some = StimulusSet(stimuli.ids, labels={"kind": ("a", "b", "") * 3})
    assert decode(embeddings, some, "kind", **FAST).metrics["embeddings"].n == 6
