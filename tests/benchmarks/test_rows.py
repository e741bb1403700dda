"""A row holds what was measured, chosen on training clips alone, and is written whole or not at all."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch

import bgs
from bgs import BgsError, Embeddings
from bgs.api.benchmarking import default_name, twin_of
from bgs.backbones import load_backbone
from bgs.benchmarks.entrant import measure_model, portable
from bgs.benchmarks.measurement import measure
from bgs.benchmarks.recipe import TransformTrainer, validated_pairs
from bgs.benchmarks.row import Candidate, Choice, Measurement, Row, packed, read_row, read_rows, unpacked
from bgs.benchmarks.tracks import TRACKS, HeldOut, evaluated, held_out_rdm, load_track
from bgs.datasets import load_dataset
from bgs.embeddings import TRAINED_ON
from bgs.evaluation import Metric, validation_rsa
from bgs.judgments import RDM, PairCounts, human_rdm, split_validation
from bgs.runs.pull import VALIDATED


@pytest.fixture
def row(tiny_text, tracks) -> Row:
    return measure_model(f"text:{tiny_text}", "tiny", tune=True, tracks=tracks, device="cpu")


def test_a_row_holds_what_evaluate_says_and_what_was_chosen(row, tiny_text, rated_study, tracks, tmp_path):
    data = load_dataset(str(rated_study))
    base = bgs.load_model(f"text:{tiny_text}", device="cpu").embed(data)
    expected = bgs.evaluate(base, data, protocol="held-out-pairs")["held-out-pairs"].metrics
    (choices, ratings) = (m for m in row.measurements if m.state == "frozen" or m.seed is None)
    for name, metric in choices.metrics.items():
        assert metric.value == pytest.approx(expected[name].value, abs=1e-6)
        assert (metric.low, metric.n, metric.unit) == (
            pytest.approx(expected[name].low, abs=1e-6), expected[name].n, expected[name].unit,
        )  # fmt: skip
    assert "rsa_ceiling" in ratings.metrics
    states = [(m.state, m.seed) for m in row.measurements]
    assert states == [("frozen", None), ("tuned", 0), ("frozen", None), *(("tuned", k) for k in range(3))]
    for choice in row.choices.values():
        assert [(one.settings, one.pull) for one in choice["frozen"].candidates] == [("", None)]
        tried = choice["tuned"].candidates
        assert [(one.settings, one.pull) for one in tried] == [("", 0.1), ("", 1.0)]
        assert choice["tuned"].pull == max(tried, key=lambda one: one.value).pull
        assert {one.n for one in tried} == {6}  # 4 of 20 clips
    text = row.save(tmp_path).read_text(encoding="utf-8")
    assert read_rows(tmp_path) == [row]
    assert str(tiny_text.parent) not in text
    about = json.loads(text)["provenance"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", about["date"])
    assert about["command"] == "bgs benchmark text:encoder --tune"
    assert set(about["data_hashes"]) == {"rated"}
    assert about["seeds"] == [0, 1, 2]
    assert len(about["weights"]) == 64


def test_each_state_is_measured_at_its_own_choice(tiny_text, tracks, monkeypatch):
    """Embeddings of the frozen and the tuned state's candidates go to the measurement of that state, on every set of clips."""
    good, other = (np.random.default_rng(seed).normal(size=(30, 4)) for seed in (1, 2))
    given = {"layer=1": good, "layer=2": other}

    def embed_candidates(backbone, source, stimuli, micro_batch=32):
        rows = [int(re.sub(r"\D", "", name)) for name in stimuli.ids]
        return {name: Embeddings(values[rows], stimuli.ids, name) for name, values in given.items()}

    seen = []

    def measure(embeddings, mean, held_out, data, state, seed=None, ceiling=None):
        seen.append((state, seed, embeddings.source, ceiling is not None))
        return Measurement(held_out.data, state, {}, seed)

    monkeypatch.setattr("bgs.benchmarks.candidates.embed_candidates", embed_candidates)
    scores = [Candidate("layer=1", 0.2, 1), Candidate("layer=2", 0.1, 1)]
    monkeypatch.setattr("bgs.benchmarks.candidates.choose", lambda *_: Choice("layer=1", scores))
    monkeypatch.setattr(
        "bgs.benchmarks.recipe.TransformTrainer.validate",
        lambda self, pull, seed=0: pull * (2 if "layer=2" in str(self.folder) else 1),
    )
    monkeypatch.setattr("bgs.benchmarks.entrant.measure", measure)
    calls = []
    monkeypatch.setattr(
        "bgs.benchmarks.measurement.rater_ceiling",
        lambda votes: calls.append(1) or Metric(0.5, 0.4, 0.6, 1, ""),
    )
    row = measure_model(f"text:{tiny_text}", "x", tune=True, tracks=tracks[1:], device="cpu")
    (choice,) = row.choices.values()
    assert choice["frozen"].settings == "layer=1"
    assert (choice["tuned"].settings, choice["tuned"].pull) == ("layer=2", 1.0)
    assert [one.value for one in choice["tuned"].candidates] == [0.1, 1.0, 2.0, 0.2]
    tuned = [("tuned", seed, "layer=2, tuned", True) for seed in range(3)]
    assert seen == [("frozen", None, "layer=1", True), *tuned]
    assert calls == [1]  # the raters' ceiling is that of the clips, whatever is measured


def test_validation_is_on_clips_that_the_transform_was_not_trained_on(tracks, tmp_path):
    """Judgments of the validation clips make no difference to the transform, and are what its value is about."""
    loaded = load_track(tracks[0])
    values = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    trainer = TransformTrainer(loaded, Embeddings(values, loaded.train.stimuli.ids, "x"), tmp_path)
    value = trainer.validate(0.1)
    train, left_out = split_validation(loaded.train.stimuli.train, VALIDATED, 0)
    head = load_backbone(f"run:{tmp_path / 'pull-0.1'}").head.train(False)
    found = head(torch.from_numpy(values)).detach().numpy().astype(np.float64)
    human = loaded.target[np.ix_(left_out, left_out)]
    expected = validation_rsa(found[left_out], human, center=found[train].mean(axis=0))
    assert value == pytest.approx(expected, abs=1e-6)
    assert validated_pairs(loaded) == np.isfinite(human[np.triu_indices(4, 1)]).sum()


def test_the_choice_sees_training_clips_alone(tracks):
    for track in tracks:
        loaded = load_track(track)
        ((_, data),) = loaded.held_out
        held = {data.stimuli.ids[i] for i in evaluated(data.stimuli)}
        assert len(held) == 10
        assert not held & set(loaded.train.stimuli.ids)
        assert len(loaded.target) == len(loaded.train.stimuli) == 20
        assert loaded.train.need_trials().n_stimuli == 20
    among = data.trials.within(data.stimuli.train)
    np.testing.assert_array_equal(
        load_track(tracks[0]).target, human_rdm(PairCounts.from_trials(among))[:20, :20]
    )


@pytest.mark.real
def test_the_public_tracks_train_on_no_held_out_clip(mirror):
    for track in TRACKS:
        loaded = load_track(track, mirror)
        held = {
            data.stimuli.ids[i] for _, data in loaded.held_out for i in evaluated(data.stimuli)
        }  # fmt: skip
        assert not held & set(loaded.train.stimuli.ids)
        assert len(loaded.train.stimuli) == {"garcia-isik-2025": 200, "heider-simmel-verbs": 1102}[track.data]
    assert loaded.missing == {"phase-genset": "no ratings: give a table of them (--ratings)"}


def test_a_row_that_is_there_is_kept_and_an_interrupted_one_leaves_nothing(
    tiny_text, tracks, tmp_path, monkeypatch
):
    model = f"text:{tiny_text}"
    call = {"out": tmp_path, "tracks": tracks[:1], "device": "cpu"}
    with monkeypatch.context() as killed:
        killed.setattr("bgs.benchmarks.entrant.measure", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            bgs.benchmark(model, **call)
    assert list(tmp_path.iterdir()) == []
    (first,) = bgs.benchmark(model, **call)
    with monkeypatch.context() as forbidden:
        forbidden.setattr(
            "bgs.benchmarks.entrant.measure_model", lambda *_, **__: pytest.fail("measured again")
        )
        assert bgs.benchmark(model, **call) == [first]
    rows = bgs.benchmark(model, tune=True, twin=True, **call)  # says more than what is there
    assert [row.name for row in rows] == ["encoder", "encoder-random"]
    assert all(row.tuned for row in rows)
    assert rows[1].twin_of == "encoder"
    assert rows[1].model == "text:encoder?weights=random&seed=0"
    assert read_row(tmp_path / "encoder.json") == rows[0]


def test_distances_survive_the_file():
    values = np.random.default_rng(0).random((7, 7)).astype(np.float32)
    rdm = np.triu(values, 1) + np.triu(values, 1).T
    np.testing.assert_array_equal(unpacked(packed(rdm), 7), rdm)
    with pytest.raises(BgsError, match="distances of other clips; expected 28 pairs, got 21"):
        unpacked(packed(rdm), 8)


def test_ratings_are_measured_as_evaluate_measures_a_matrix(rated_study, tracks):
    data = load_dataset(str(rated_study))
    test = [data.stimuli.ids[i] for i in evaluated(data.stimuli)]
    embeddings = Embeddings(np.random.default_rng(1).random((10, 4)), tuple(test), "test")
    held_out = HeldOut(str(rated_study), tracks[1].ratings, own_mean=True)
    found = measure(embeddings, np.full(4, 9.0), held_out, data, "frozen")
    rdm = held_out_rdm(held_out, data)
    assert isinstance(rdm, RDM)
    expected = bgs.evaluate(embeddings, rdm)["rdm"].metrics["rsa_spearman"]
    metric = found.metrics["rsa_spearman"]
    assert (metric.value, metric.low, metric.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )
    assert len(found.without_each) == 10


def test_encoders_trained_on_held_out_clips_are_refused(rated_study):
    data = load_dataset(str(rated_study))
    test = tuple(data.stimuli.ids[i] for i in evaluated(data.stimuli))
    details = {TRAINED_ON: json.dumps({data.name: [test[0]]})}
    embeddings = Embeddings(np.random.default_rng(1).random((10, 4)), test, "test", details)
    with pytest.raises(BgsError, match="1 held-out clips were used to train it: clip20"):
        measure(embeddings, np.zeros(4), HeldOut(str(rated_study)), data, "frozen")


def test_an_encoder_that_reads_nothing_is_one_line(tracks):
    with pytest.raises(
        BgsError, match=r"tiny-videomae: no data set can be measured; got .*: .*(clips|video)"
    ) as caught:
        measure_model("tiny-videomae", "tiny", tracks=tracks)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "damaged|not JSON"),
        ("[1]", "damaged"),
        (
            '{"name": "tiny", "format": "bgs-benchmark/1", "choices": {"a": {"settings": "", "candidates": []}}}',
            "a row of another format; expected bgs-benchmark/2, got bgs-benchmark/1",
        ),
        ('{"name": "other"}', "damaged: model"),
        (None, "a row under another name; expected other.json"),
    ],
)
def test_damaged_rows_are_one_line(tmp_path, content, message):
    other = Row("other", "text:x", "captions", [], {}, {}, {})
    path = tmp_path / "tiny.json"
    path.write_text(content or json.dumps(other.to_json()), encoding="utf-8")
    with pytest.raises(BgsError, match=message):
        read_rows(tmp_path)


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("text:minilm", "minilm"), ("pixels:grey", "pixels-grey"), ("tiny-videomae", "tiny-videomae"),
        ("dinov2:some/where?frames=4&size=112", "where-frames4-size112"), ("features:a/b.npy", "b"), ("people:", "people"),
    ],
)  # fmt: skip
def test_names_of_rows(reference, name):
    assert default_name(reference) == name


def test_references_name_no_folder_of_this_machine(tmp_path):
    (tmp_path / "vit").mkdir()
    assert portable(f"dinov2:{tmp_path}/vit?frames=4") == "dinov2:vit?frames=4"
    assert portable("dinov2:facebook/dinov2-small?frames=4") == "dinov2:facebook/dinov2-small?frames=4"
    (tmp_path / "a.npy").touch()
    assert portable(f"features:{tmp_path}/a.npy?ids={tmp_path}/ids.txt") == "features:a.npy"
    assert portable("tiny-videomae") == "tiny-videomae"
    with pytest.raises(BgsError, match="no random twin"):
        twin_of("pixels:grey")
