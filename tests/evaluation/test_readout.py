"""Readouts: probabilities and intervals that hold for clips never seen, each beside a loop or another library."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bgs import BgsError
from bgs._errors import DataError
from bgs._files import sha256
from bgs.embeddings import Embeddings
from bgs.evaluation import model_rdm
from bgs.evaluation.readout import (
    AttributeReadout,
    ChoiceRule,
    Density,
    Familiarity,
    HeldOut,
    KeptTogether,
    LinearProbe,
    Readout,
    calibration_error,
    error_if_perfect,
    kept_together_reliability,
    measure,
    reliability,
)
from bgs.evaluation.readout.held_out import HeldOutTrials
from bgs.evaluation.ridge import PENALTIES
from bgs.judgments import Trials
from bgs.stimuli import StimulusSet

N, D, SHARPNESS = 90, 12, 3.0
ABOUT = {"data": "world", "simulated": True, "clips": 50, "held_out": "validation clips"}


@pytest.fixture(scope="module")
def world():
    """Clips whose distances people go by, a rating that is linear in them, and judgments at random."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=(N, D))
    ids = tuple(f"clip-{i}" for i in range(N))
    rating = values[:, 0] + 0.3 * rng.normal(size=N)
    rating[::17] = np.nan
    split = tuple("test" if i >= 70 else "train" for i in range(N))
    stimuli = StimulusSet(ids, split=split, ratings={"valence": rating, "flat": np.ones(N)})
    shown = np.stack([rng.permutation(N)[:3] for _ in range(30_000)])
    rdm = model_rdm(values, "cosine")
    kept = np.stack([rdm[shown[:, a], shown[:, b]] for a, b in ((1, 2), (0, 2), (0, 1))], axis=1)
    odd = (-SHARPNESS * kept + rng.gumbel(size=kept.shape)).argmax(axis=1)
    names = np.array(["p"] * len(shown))
    trials = Trials(names, names, np.arange(len(shown)), shown, odd, np.full(len(shown), np.nan), N)
    return Embeddings(values, ids, "world"), stimuli, trials


def part(embeddings, seen=range(50), held=range(50, 70)):
    ids = embeddings.stimulus_ids
    return HeldOut(
        embeddings.select([ids[i] for i in seen]), embeddings.select([ids[i] for i in held]), centred=False
    )


def test_judgments_of_held_out_clips_by_a_loop(world):
    embeddings, stimuli, trials = world
    found = part(embeddings).trials(trials, stimuli)
    rdm, rows = model_rdm(embeddings.values, "cosine"), []
    for shown, odd in zip(trials.stimuli.tolist(), trials.odd.tolist(), strict=True):
        if max(shown) < 70 and sum(i >= 50 for i in shown) >= 2:
            pairs = [(shown[1], shown[2]), (shown[0], shown[2]), (shown[0], shown[1])]
            rows.append(([rdm[p] for p in pairs], odd, [min(p) >= 50 for p in pairs]))
    distances, odd, pairs = (np.array(column) for column in zip(*rows, strict=True))
    np.testing.assert_allclose(found.distances, distances, atol=1e-12)
    np.testing.assert_array_equal(found.odd, odd)
    np.testing.assert_array_equal(found.held_pairs, pairs)
    assert set(found.clips[pairs.all(axis=1)].ravel().tolist()) == set(range(20))


def test_two_parts_count_their_clips_on(world):
    embeddings, stimuli, trials = world
    parts = [part(embeddings), part(embeddings, range(20, 70), range(20))]
    both = HeldOutTrials.all(parts, trials, stimuli)
    alone = [one.trials(trials, stimuli) for one in parts]
    assert len(both.odd) == sum(len(one.odd) for one in alone)
    later = both.clips[len(alone[0].odd) :]
    np.testing.assert_array_equal(later[later >= 0], alone[1].clips[alone[1].clips >= 0] + 20)


def test_kept_together_is_logistic_regression():
    rng = np.random.default_rng(0)
    distances = rng.uniform(0, 2, 4000)
    kept = rng.random(4000) < 1 / (1 + np.exp(-(1.5 - 2.5 * distances)))
    found = KeptTogether.fit(distances, kept)
    oracle = LogisticRegression(C=np.inf, tol=1e-10).fit(distances[:, None], kept)
    np.testing.assert_allclose(
        [found.intercept, -found.slope], [oracle.intercept_[0], oracle.coef_[0, 0]], rtol=1e-4
    )
    assert (found.intercept, found.slope) == pytest.approx((1.5, 2.5), abs=0.25)
    assert np.all(np.diff(found.probability(np.linspace(0, 2, 9))) < 0)


def test_few_judgments_are_refused():
    with pytest.raises(DataError, match="too few judgments"):
        KeptTogether.fit(np.linspace(0, 1, 30), np.arange(30) < 15)
    with pytest.raises(DataError, match="too few judgments"):
        ChoiceRule.fit(np.ones((19, 3)), np.zeros(19, dtype=np.int64))


def test_the_sharpness_of_observers_is_recovered(world):
    embeddings, stimuli, trials = world
    judged = part(embeddings).trials(trials, stimuli)
    rule = ChoiceRule.fit(judged.distances, judged.odd)
    assert rule.sharpness == pytest.approx(SHARPNESS, rel=0.1)
    odds = np.exp(-rule.sharpness * judged.distances[0])
    np.testing.assert_allclose(rule.probabilities(judged.distances[:1])[0], odds / odds.sum())
    assert ChoiceRule(0.0, 1).probabilities(np.ones((1, 3))).tolist() == [[1 / 3] * 3]


def test_density_is_ledoit_and_wolfs():
    rng = np.random.default_rng(1)
    for n, d in ((40, 8), (15, 30)):
        seen, new = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)), rng.normal(size=(7, d)) * 3
        np.testing.assert_allclose(
            Density.fit(seen).distances(new), LedoitWolf().fit(seen).mahalanobis(new) / d, rtol=1e-8
        )


def test_clips_of_the_same_kind_are_flagged_one_time_in_twenty_and_others_always():
    shares, others = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        values = rng.normal(size=(300, 6))
        embeddings = Embeddings(values, tuple(map(str, range(300))), "world")
        one = part(embeddings, range(100), range(100, 139))
        found = Familiarity.fit(one.seen.values, [one])
        shares.append(found.is_far(values[139:]).mean())
        others.append(found.is_far(values[139:] + 8).mean())
    assert 0.03 < np.mean(shares) < 0.07
    assert min(others) == 1


def test_a_probe_is_scikit_learns(world):
    embeddings, stimuli, _ = world
    known = np.isfinite(stimuli.ratings["valence"])
    x, y = embeddings.values[known][:50], stimuli.ratings["valence"][known][:50]
    x = np.concatenate([x, np.ones((50, 1))], axis=1)  # a dimension that does not vary has no weight
    new = np.random.default_rng(2).normal(size=(5, x.shape[1]))
    oracle = make_pipeline(StandardScaler(), RidgeCV(PENALTIES)).fit(x, y)
    np.testing.assert_allclose(LinearProbe.fit(x, y).predict(new), oracle.predict(new), rtol=1e-8)


def test_intervals_hold_what_they_say():
    inside = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        values = rng.normal(size=(260, 5))
        rating = values[:, 0] + rng.standard_t(3, size=260)
        stimuli = StimulusSet(tuple(map(str, range(260))), ratings={"r": rating})
        one = part(Embeddings(values, stimuli.ids, "world"), range(60), range(60, 99))
        read = AttributeReadout.fit("r", one.seen, [one], stimuli)
        assert read is not None
        inside.append((np.abs(read.probe.predict(values[99:]) - rating[99:]) <= read.half_width(0.9)).mean())
    assert 0.88 < np.mean(inside) < 0.93  # 36 of 40 ranks; at least .9 in expectation
    assert read.half_width(0.99) == np.inf


def test_calibration_error_by_a_loop():
    rng = np.random.default_rng(5)
    p = rng.random(1003)
    happened = rng.random(1003) < p**2
    order = np.argsort(p)
    bins = [order[int(k * 100.3) : int((k + 1) * 100.3)] for k in range(10)]
    expected = sum(len(b) * abs(p[b].mean() - happened[b].mean()) for b in bins) / 1003
    assert calibration_error(p, happened)[0] == pytest.approx(expected, rel=1e-9)
    twice = calibration_error(p, happened, np.stack([np.ones(1003), np.full(1003, 2.0)]))
    np.testing.assert_allclose(twice, expected)
    one, none = calibration_error(p, happened, np.stack([np.ones(1003), np.zeros(1003)]))
    assert one == pytest.approx(expected)
    assert np.isnan(none)  # a resample of few clips may hold no pair of them
    assert calibration_error(p, rng.random(1003) < p)[0] < 3 * error_if_perfect(p) < expected


@pytest.fixture(scope="module")
def readout(world):
    embeddings, stimuli, trials = world
    one = part(embeddings)
    found = Readout.fit(one.seen, [one], trials, stimuli, ABOUT)
    return measure(found, embeddings, trials, stimuli, centred=False, resamples=200)


def test_only_the_attributes_that_are_named_are_read_out(world):
    embeddings, stimuli, trials = world
    rated = dataclasses.replace(stimuli, ratings=dict.fromkeys(("a", "b", "c"), stimuli.ratings["valence"]))
    one = part(embeddings)
    found = Readout.fit(one.seen, [one], trials, rated, ABOUT, attributes=("c", "a"))
    assert [one.name for one in found.attributes] == ["c", "a"]
    with pytest.raises(DataError, match="d: no such rating; expected a, b, c"):
        Readout.fit(one.seen, [one], trials, rated, ABOUT, attributes=("a", "d"))


def test_a_readout_is_measured_on_test_clips(readout, world):
    embeddings, stimuli, trials = world
    assert [one.name for one in readout.attributes] == ["valence"]
    assert readout.about == ABOUT | {"held_out_clips": 20}
    measured = readout.measured
    for name in ("kept together", "odd one out"):
        assert measured[name].value < 0.05
        assert measured[name].low <= measured[name].value <= measured[name].high
    rated = np.isfinite(stimuli.ratings["valence"][70:])
    assert measured["coverage"].n == rated.sum()
    probe = readout.attributes[0].probe
    error = np.abs(probe.predict(embeddings.values[70:]) - stimuli.ratings["valence"][70:])[rated]
    assert measured["coverage"].value == (error <= readout.attributes[0].half_width(0.9)).mean()
    assert trials.count_in(stimuli.test).max() == 3


def test_a_readout_on_disk_is_the_same(readout, tmp_path):
    readout.save(tmp_path / "readout")
    readout.save(tmp_path / "readout")  # replaces the first
    again = Readout.load(tmp_path / "readout", D)
    assert again.summary() == readout.summary()
    new = np.random.default_rng(9).normal(size=(4, D))
    np.testing.assert_array_equal(again.familiarity.p_values(new), readout.familiarity.p_values(new))
    np.testing.assert_array_equal(
        again.attributes[0].probe.predict(new), readout.attributes[0].probe.predict(new)
    )


def test_a_changed_readout_or_one_of_another_model_is_refused(readout, tmp_path):
    readout.save(tmp_path)
    with pytest.raises(BgsError, match="another model"):
        Readout.load(tmp_path, D + 1)
    tensors = tmp_path / "readout.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-1] + b"\x01")
    with pytest.raises(DataError, match="does not match its hash"):
        Readout.load(tmp_path, D)
    tensors.unlink()
    with pytest.raises(DataError, match="missing"):
        Readout.load(tmp_path, D)
    (tmp_path / "readout.json").write_text('{"format": "bgs-readout/0"}')
    with pytest.raises(DataError, match="not a readout"):
        Readout.load(tmp_path, D)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("about",), {}), (("about", "data"), None), (("kept", "slope"), float("nan")), (("choice", "sharpness"), float("inf")),
        (("floor",), 0), (("floor",), "x"), (("attributes", 0, "name"), 1), (("attributes", 0, "intercept"), None),
        (("attributes", 0, "scale"), [0]), (("measured", "flagged"), 1), (("attributes",), []),
        (("measured", "flagged", "low"), float("inf")), (("about", "hashes"), {"trials": float("nan")}),
    ],
)  # fmt: skip
def test_a_readout_of_other_types_is_damaged(readout, tmp_path, keys, value):
    readout.save(tmp_path)
    plain = inner = json.loads((tmp_path / "readout.json").read_text())
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    (tmp_path / "readout.json").write_text(json.dumps(plain))
    with pytest.raises(DataError, match=r"readout.json: damaged: .*bgs calibrate"):
        Readout.load(tmp_path, D)


@pytest.mark.parametrize("name", ["mean", "axes", "variances", "held", "0.weights", "0.errors"])
def test_arrays_of_a_readout_are_finite_and_of_their_shape(readout, tmp_path, name):
    readout.save(tmp_path)
    path, known = tmp_path / "readout.safetensors", (tmp_path / "readout.json").read_text()
    arrays = load_file(path)
    one = arrays[name]
    for changed in (
        one * np.nan,
        one[None],
        one.astype(np.float32),
        one[:-1] if name == "axes" else one.T[..., None],
    ):
        save_file(arrays | {name: np.ascontiguousarray(changed)}, path)
        (tmp_path / "readout.json").write_text(json.dumps(json.loads(known) | {"sha256": sha256(path)}))
        with pytest.raises(DataError, match=f"damaged: {name}: expected finite float64"):
            Readout.load(tmp_path, D)


def test_an_undefined_r_squared_is_null_and_comes_back(readout, tmp_path):
    """Where all held-out clips are rated as the mean of the others."""
    attribute = replace(readout.attributes[0], r_squared=np.nan)
    replace(readout, attributes=(attribute,)).save(tmp_path)
    assert json.loads((tmp_path / "readout.json").read_text())["attributes"][0]["r_squared"] is None
    assert np.isnan(Readout.load(tmp_path, D).attributes[0].r_squared)


def test_bins_of_a_reliability_diagram(readout, world):
    embeddings, stimuli, trials = world
    bins = kept_together_reliability(readout, embeddings, trials, stimuli, centred=False, resamples=100)
    assert sum(one.observed.n for one in bins) == readout.measured["kept together"].n
    assert np.all(np.diff([one.predicted for one in bins]) > 0)
    gaps = [one.observed.n * abs(one.observed.value - one.predicted) for one in bins]
    assert sum(gaps) / sum(one.observed.n for one in bins) == pytest.approx(
        readout.measured["kept together"].value
    )
    assert all(one.observed.low <= one.observed.value <= one.observed.high for one in bins)
    p, happened = np.array([0.2, 0.8, 0.3, 0.9]), np.array([False, True, True, True])
    low, high = reliability(p, happened, np.ones((3, 4)), "events", bins=2)
    assert (low.predicted, low.observed.value) == (0.25, 0.5)
    assert (high.predicted, high.observed.value) == (pytest.approx(0.85), 1.0)


def test_judgments_against_the_distances_give_the_probabilities_of_guessing():
    """A few held-out judgments can suggest that closer clips are kept together less: that is not promised of others."""
    rng = np.random.default_rng(0)
    distances = rng.uniform(size=(400, 3))
    odd = (4 * distances + rng.gumbel(size=distances.shape)).argmax(axis=1)  # the closest pair is kept least
    rule = ChoiceRule.fit(distances, odd)
    assert rule == ChoiceRule(0.0, 400)
    np.testing.assert_allclose(rule.probabilities(distances), 1 / 3)
    kept = np.arange(3) == odd[:, None]
    curve = KeptTogether.fit(distances.ravel(), kept.ravel())
    assert curve.slope == 0.0
    np.testing.assert_allclose(curve.probability(np.array([0.1, 0.9])), 1 / 3)


def test_a_readout_that_is_blind_says_so(world, tmp_path, caplog):
    embeddings, stimuli, trials = world
    found = Readout.fit(embeddings, [part(embeddings)], trials, stimuli, ABOUT)
    assert found.blind is None
    blind = replace(found, choice=ChoiceRule(0.0, 400))
    blind.save(tmp_path / "readout")
    assert "20 clips held out of training do not follow the model's distances" in (blind.blind or "")
    with caplog.at_level("INFO"):
        Readout.load(tmp_path / "readout", D)
    assert blind.blind in caplog.text
