"""Probes against scikit-learn used directly; deletions against refitting; folds, missing and constant ratings."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.linear_model import Ridge as SklearnRidge
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bgs import BgsError
from bgs.embeddings import Embeddings
from bgs.evaluation import Probes, probe
from bgs.evaluation.clip_scores import clip_pearson, clip_r_squared
from bgs.evaluation.few_shot_probes import shot_groups
from bgs.evaluation.resampling import multiplicities
from bgs.evaluation.ridge import PENALTIES, Ridge, fold_deletions, fold_deviations
from bgs.judgments import split_folds
from bgs.stimuli import StimulusSet

FAST = {"resamples": 50, "permutations": 0}


def make(n=40, width=30, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, width)) * rng.uniform(0.1, 3, width) + rng.normal(size=width)
    ids = tuple(f"clip{i}" for i in range(n))
    ratings = {
        "valence": features @ rng.normal(size=width) / 5 + noise * rng.normal(size=n),
        "noise": rng.normal(size=n),
    }
    split = ("train",) * (n - 12) + ("test",) * 12
    return Embeddings(features, ids, "features"), StimulusSet(ids, split=split, ratings=ratings)


def pipeline():
    return make_pipeline(StandardScaler(), RidgeCV(PENALTIES, alpha_per_target=True))


@pytest.mark.parametrize("width", [5, 200])
def test_ridge_is_scikit_learns(width):
    embeddings, _ = make(width=width)
    rng, x = np.random.default_rng(1), embeddings.values
    y = np.c_[x @ rng.normal(size=width) + 3 * rng.normal(size=40), rng.normal(size=(40, 2))] + 2.0
    fitted = pipeline().fit(x[:30], y[:30])
    ours = Ridge.fit(x[:30], y[:30], x[30:])
    np.testing.assert_allclose(ours.penalties, fitted[-1].alpha_)
    np.testing.assert_allclose(ours.deviations(), fitted.predict(x[30:]) - y[:30].mean(axis=0), atol=1e-9)


def test_a_deleted_row_is_as_if_it_had_not_been_there():
    embeddings, stimuli = make(n=18)
    x, y = embeddings.values, np.stack(list(stimuli.ratings.values()), axis=1)
    folds = split_folds(18, 3, 0)
    predicted, means = fold_deletions(x, y, folds)
    whole, whole_means = fold_deviations(x, y, folds)
    for fold in folds:
        rest = np.setdiff1d(np.arange(18), fold)
        scaler = StandardScaler().fit(x[rest])
        penalties = Ridge.fit(x[rest], y[rest], x[fold]).penalties
        for row in range(18):
            kept = rest[rest != row]
            if row in fold:
                np.testing.assert_allclose(predicted[row, fold], whole[fold])
                np.testing.assert_allclose(means[row, fold], whole_means[fold])
                continue
            np.testing.assert_allclose(means[row, fold], np.tile(y[kept].mean(axis=0), (len(fold), 1)))
            for t in range(2):
                ridge = SklearnRidge(penalties[t]).fit(scaler.transform(x[kept]), y[kept, t])
                expected = ridge.predict(scaler.transform(x[fold])) - y[kept, t].mean()
                np.testing.assert_allclose(predicted[row, fold, t], expected, atol=1e-9)


def test_held_out_protocol_is_scikit_learns_on_the_split():
    embeddings, stimuli = make()
    found = probe(embeddings, stimuli, protocol="held-out", **FAST)
    for name, score in found.scores.items():
        y = stimuli.ratings[name]
        guess = pipeline().fit(embeddings.values[:28], y[:28]).predict(embeddings.values[28:])
        residual, spread = ((y[28:] - guess) ** 2).sum(), ((y[28:] - y[:28].mean()) ** 2).sum()
        assert score.pearson.value == pytest.approx(pearsonr(guess, y[28:])[0], nan_ok=True)
        assert score.r_squared.value == pytest.approx(1 - residual / spread)
        assert score.pearson.n == 12


def test_k_fold_is_scikit_learns_over_folds_and_leaves_unrated_clips_out():
    embeddings, stimuli = make(n=43)
    y = stimuli.ratings["valence"]
    y[[3, 17, 40]] = np.nan
    score = probe(embeddings, stimuli, attributes=["valence"], **FAST).scores["valence"]
    rated = np.flatnonzero(np.isfinite(y))
    guess, centre = np.empty(40), np.empty(40)
    for fold in split_folds(40, 5, 0):
        rest = np.setdiff1d(np.arange(40), fold)
        centre[fold] = y[rated[rest]].mean()
        guess[fold] = (
            pipeline()
            .fit(embeddings.values[rated[rest]], y[rated[rest]])
            .predict(embeddings.values[rated[fold]])
        )
    assert score.pearson.value == pytest.approx(pearsonr(guess - centre, y[rated] - centre)[0])
    expected = 1 - ((y[rated] - guess) ** 2).sum() / ((y[rated] - centre) ** 2).sum()
    assert score.r_squared.value == pytest.approx(expected)
    assert score.pearson.n == 40


def test_few_shot_is_scikit_learns_over_groups_of_held_out_clips():
    embeddings, stimuli = make(n=60)
    stimuli = StimulusSet(stimuli.ids, split=("train",) * 20 + ("test",) * 40, ratings=stimuli.ratings)
    y = stimuli.ratings["valence"]
    y[[3, 25]] = np.nan
    score = probe(embeddings, stimuli, attributes=["valence"], protocol="few-shot", shots=12, **FAST).scores[
        "valence"
    ]
    pool = np.flatnonzero(np.isfinite(y) & stimuli.test)
    groups = shot_groups(39, 12, 0, "valence")
    assert [len(group) for group in groups] == [12, 12, 12]
    assert len(np.unique(groups)) == 36
    r, squared = [], []
    for group in groups:
        trained, others = pool[group], np.delete(pool, group)
        guess = pipeline().fit(embeddings.values[trained], y[trained]).predict(embeddings.values[others])
        r.append(pearsonr(guess, y[others])[0])
        squared.append(1 - ((y[others] - guess) ** 2).sum() / ((y[others] - y[trained].mean()) ** 2).sum())
    assert score.pearson.value == pytest.approx(np.mean(r))
    assert score.r_squared.value == pytest.approx(np.mean(squared))
    assert (score.pearson.n, score.pearson.low < np.mean(r) < score.pearson.high) == (39, True)


def test_few_clips_find_what_is_strong_and_many_also_what_is_weak():
    rng = np.random.default_rng(0)
    y, others = rng.normal(size=150), rng.normal(size=(150, 40))
    stimuli = StimulusSet(tuple(f"c{i}" for i in range(150)), ratings={"valence": y})
    weak = np.c_[y, others]
    strong = np.c_[np.tile(y[:, None], (1, 20)), others[:, :20]]
    models = [Embeddings(x, stimuli.ids, name) for x, name in ((strong, "strong"), (weak, "weak"))]
    few, all_but_a_fold = (
        probe(
            models[0], stimuli, against=models[1], protocol=protocol, shots=15, resamples=200, permutations=0
        )
        for protocol in ("few-shot", "k-fold")
    )
    assert few.differences["valence"].pearson.low > 0.3
    assert all_but_a_fold.differences["valence"].pearson.value < 0.1


def test_few_shot_p_is_of_the_same_probes_on_shuffled_ratings():
    embeddings, stimuli = make(n=80, width=10, noise=0.3)
    found = probe(embeddings, stimuli, protocol="k-fold", resamples=10, permutations=99)
    few = probe(
        embeddings, StimulusSet(stimuli.ids, ratings=stimuli.ratings), protocol="few-shot", resamples=10,
        permutations=99,
    )  # fmt: skip
    assert found.scores["valence"].pearson.p == few.scores["valence"].pearson.p == 0.01
    assert few.scores["noise"].pearson.p > 0.05
    assert few.provenance["shots"] == 20


def test_scores_of_a_resample_are_those_of_the_list_written_out():
    rng = np.random.default_rng(0)
    x, y, copies = rng.normal(size=12), rng.normal(size=12), multiplicities(rng, 12, 1)[0]
    long = np.repeat(x, copies.astype(int)), np.repeat(y, copies.astype(int))
    assert clip_pearson(x, y, copies[None])[0] == pytest.approx(pearsonr(*long)[0])
    expected = 1 - ((long[1] - long[0]) ** 2).sum() / (long[1] ** 2).sum()
    assert clip_r_squared(x, y, copies[None])[0] == pytest.approx(expected)
    assert np.isnan(clip_pearson(np.full(12, 0.1), y, copies[None]))[0]


def test_what_can_be_read_off_is_found_and_better_embeddings_are_better():
    embeddings, stimuli = make(n=80, width=10, noise=0.3)
    rng = np.random.default_rng(5)
    worse = Embeddings(embeddings.values + 3 * rng.normal(size=(80, 10)), embeddings.stimulus_ids, "worse")
    found = probe(embeddings, stimuli, against=worse, resamples=300, permutations=99)
    assert found.scores["valence"].pearson.p == 0.01
    assert found.scores["valence"].q == 0.02
    assert found.scores["noise"].pearson.p > 0.05
    assert found.differences["valence"].pearson.low > 0
    assert found.differences["valence"].pearson.p < 0.05
    assert found.differences["valence"].r_squared.value == pytest.approx(
        found.scores["valence"].r_squared.value - found.against_scores["valence"].r_squared.value
    )
    same = probe(embeddings, stimuli, against=embeddings, **FAST).differences["noise"].pearson
    assert (same.value, same.low, same.high, same.p) == (0, 0, 0, 1)
    text = json.dumps(found.to_json(), allow_nan=False)
    assert Probes.from_json(json.loads(text)).to_json() == found.to_json()


def test_embeddings_are_aligned_by_id():
    embeddings, stimuli = make()
    order = np.random.default_rng(0).permutation(40)
    moved = Embeddings(embeddings.values[order], tuple(embeddings.stimulus_ids[i] for i in order), "features")
    assert probe(moved, stimuli, **FAST).to_json() == probe(embeddings, stimuli, **FAST).to_json()


def test_deviations_from_the_training_mean_take_out_most_of_the_bias_of_pooling():
    """A probe that finds nothing predicts training means, and these lie opposite to the fold's own mean."""
    pooled, deviations = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        x, y = rng.normal(size=(30, 30)), rng.normal(size=(30, 1))
        predicted, means = fold_deviations(x, y, split_folds(30, 5, seed))
        pooled.append(pearsonr((predicted + means)[:, 0], y[:, 0])[0])
        deviations.append(pearsonr(predicted[:, 0], (y - means)[:, 0])[0])
    assert np.mean(pooled) < -0.15
    assert np.mean(deviations) > np.mean(pooled) / 2


def test_bad_ratings_are_said_or_skipped_with_the_reason():
    embeddings, stimuli = make()
    few = np.where(np.arange(40) < 10, np.arange(40.0), np.nan)
    odd = StimulusSet(
        stimuli.ids,
        ratings={**stimuli.ratings, "constant": np.ones(40), "few": few, "none": np.full(40, np.nan)},
    )
    found = probe(embeddings, odd, **FAST)
    assert list(found.scores) == ["valence", "noise"]
    assert list(found.skipped) == ["constant", "few", "none"]
    assert "constant rating" in found.skipped["constant"]
    assert "at least 3 for each of 5 folds, got 10" in found.skipped["few"]
    for name, message in (
        ("constant", "constant rating"),
        ("few", "too few"),
        ("none", "too few"),
        ("x", "no such"),
    ):
        with pytest.raises(BgsError, match=message):
            probe(embeddings, odd, attributes=[name], **FAST)
    with pytest.raises(BgsError, match="no attribute to probe"):
        probe(embeddings, StimulusSet(stimuli.ids), **FAST)
    with pytest.raises(BgsError, match="too few rated clips"):
        probe(embeddings, odd, attributes=["noise"], protocol="held-out", **FAST)
    with pytest.raises(BgsError, match="at least 40, two groups of 20, got 12"):
        probe(embeddings, stimuli, attributes=["noise"], protocol="few-shot", **FAST)
    for wrong in ({"protocol": "leave"}, {"protocol": "few-shot", "shots": 2}, {"folds": 1}):
        with pytest.raises(BgsError, match="impossible protocol"):
            probe(embeddings, odd, **wrong, **FAST)
