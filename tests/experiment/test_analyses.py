"""Every analysis of an experiment against a direct call of what it rests on, and what it says where it does not apply."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass

import numpy as np
import pytest

from bgs import Embeddings
from bgs._errors import ConfigError
from bgs.datasets import load_dataset
from bgs.evaluation import (
    Dimensions,
    Disagreements,
    Transfer,
    attention_shares,
    benjamini_hochberg,
    disagreements,
    find_dimensions,
    model_rdm,
    partition_variance,
    probe,
    random_change_p_value,
    random_changes,
)
from bgs.evaluation import transfer as direct_transfer
from bgs.experiments.chapters import CHAPTERS, wanted_chapters
from bgs.experiments.conditions import Condition
from bgs.experiments.config import validated_experiment
from bgs.experiments.grid import run_experiment
from bgs.experiments.results import SeedMean
from bgs.runs.attention_mapper import AttentionMapper, read_regions
from bgs.runs.embedder import embed_stimuli

QUICK = {"resamples": 100, "permutations": 20, "seed": 0}


def found(experiment, name):
    return json.loads((experiment[1] / f"analyses/{name}.json").read_text())


def result(experiment, name):
    value = found(experiment, name)
    assert "result" in value, value.get("error", value)
    return value["result"]


def figure(value) -> SeedMean:
    return SeedMean.from_json(value)


def same(value, metrics):
    """A mean over seeds, and each seed's own value."""
    mean = figure(value)
    for key in ("value", "low", "high"):
        assert getattr(mean, key) == pytest.approx(np.mean([getattr(m, key) for m in metrics]), nan_ok=True)
    assert list(mean.seeds.values()) == pytest.approx([m.value for m in metrics], nan_ok=True)
    assert (mean.n, mean.unit) == (metrics[0].n, metrics[0].unit)


def held_out_rdm(data, embeddings):
    stimuli = data.study.stimuli
    values = embeddings.select(stimuli.ids).values.astype(float)
    return model_rdm(values[stimuli.test], "cosine", values[stimuli.train].mean(axis=0))


def test_nothing_failed(text_experiment, clip_experiment):
    assert text_experiment[0].failed == {}
    assert clip_experiment[0].failed == {}
    assert {path.stem for path in (clip_experiment[1] / "analyses").glob("*.json")} == {
        chapter.name for chapter in wanted_chapters(clip_experiment[0].experiment.config)
    }


def test_variance_is_that_of_held_out_clips(text_experiment):
    data = text_experiment[0].experiment
    human = data.human(np.flatnonzero(data.study.stimuli.test))
    captions = held_out_rdm(data, data.captions)
    own = [
        partition_variance(
            human, {"hybrid": held_out_rdm(data, tuned), "captions": captions}, folds=3, **QUICK
        )
        for tuned in data.tuned("tiny").values()
    ]
    parts = result(text_experiment, "variance")["models"]["tiny"]["partitions"]
    for name in ("hybrid", "captions", "hybrid & captions", "total"):
        same(parts["hybrid"]["cross_validated"][name], [p.cross_validated[name] for p in own])
    p = [partition.cross_validated["hybrid"].p for partition in own]
    assert figure(parts["hybrid"]["cross_validated"]["hybrid"]).p == min(1.0, 2 * np.mean(p))
    assert set(parts) == {"hybrid", "language-distillation"}
    skipped = result(text_experiment, "variance")["models"]["tiny"]["skipped"]
    assert "itself the caption encoder" in skipped["base"]
    assert "clips are not on this machine" in skipped["motion:energy"]


def test_variance_beside_low_level_models(clip_experiment):
    data = clip_experiment[0].experiment
    parts = result(clip_experiment, "variance")["models"]["film"]["partitions"]
    assert list(parts) == ["beyond-base", "low-level", "heights"]  # there are no captions
    human = data.human(np.flatnonzero(data.study.stimuli.test))
    low = {
        name: held_out_rdm(data, embed_stimuli(name, data.study.stimuli))
        for name in ("pixels:grey", "motion:energy")
    }
    own = [
        partition_variance(human, {"hybrid": held_out_rdm(data, tuned), **low}, folds=3, **QUICK)
        for tuned in data.tuned("film").values()
    ]
    same(parts["low-level"]["cross_validated"]["hybrid"], [p.cross_validated["hybrid"] for p in own])
    own = [
        partition_variance(
            human, {"hybrid": held_out_rdm(data, tuned), "base": held_out_rdm(data, base)}, folds=3, **QUICK
        )
        for base, tuned in data.pairs("film").values()
    ]
    assert parts["beyond-base"]["predictors"] == ["hybrid", "base"]
    same(parts["beyond-base"]["cross_validated"]["hybrid"], [p.cross_validated["hybrid"] for p in own])


def test_variance_beside_ratings(clip_experiment):
    data = clip_experiment[0].experiment
    test = np.flatnonzero(data.study.stimuli.test)
    shares = [[data.study.stimuli.ratings[name][clip] for name in ("height", "same")] for clip in test]
    between = [
        [
            np.sqrt(
                sum((np.sqrt(x / sum(a)) - np.sqrt(y / sum(b))) ** 2 for x, y in zip(a, b, strict=True)) / 2
            )
            for a in shares
        ]
        for b in shares
    ]
    own = [
        partition_variance(
            data.human(test),
            {"hybrid": held_out_rdm(data, tuned), "heights": np.array(between)},
            folds=3,
            **QUICK,
        )
        for tuned in data.tuned("film").values()
    ]
    parts = result(clip_experiment, "variance")["models"]["film"]["partitions"]["heights"]
    assert parts["predictors"] == ["hybrid", "heights"]
    same(parts["cross_validated"]["hybrid"], [p.cross_validated["hybrid"] for p in own])
    assert parts["random_change"] is not None


def test_ratings_that_are_not_there(clip_experiment):
    chapter = next(one for one in CHAPTERS if one.name == "variance")
    settings = chapter.settings(folds=3, beyond={"verbs": {"ratings": ["height", "nothing"]}})
    with pytest.raises(ConfigError, match="no ratings nothing"):
        chapter.analyse(clip_experiment[0].experiment, settings)


@pytest.mark.parametrize("name", ["captions", "low-level", "hybrid", "a & b"])
def test_ratings_under_a_taken_name(clip_settings, name):
    variance = {"beyond": {name: {"ratings": ["height", "same"]}}}
    with pytest.raises(ConfigError, match="the name is taken"):
        validated_experiment({**clip_settings, "analyses": {"variance": variance}}, "x")


def test_random_changes_of_the_base_stand_beside_unique_parts(text_experiment, clip_experiment):
    partitions = result(clip_experiment, "variance")["models"]["film"]["partitions"]
    data = clip_experiment[0].experiment
    stimuli = data.study.stimuli
    ids = np.array(stimuli.ids)
    human = data.human(np.flatnonzero(stimuli.test))
    own = []
    for base, tuned in data.pairs("film").values():
        changes = random_changes(
            base, tuned, ids[stimuli.test].tolist(), center_ids=ids[stimuli.train].tolist(), draws=20
        )
        own.append(random_change_p_value(human, changes, {"base": held_out_rdm(data, base)}, folds=3))
    found = partitions["beyond-base"]["random_change"]
    same(found["unique"], own)
    assert figure(found["unique"]).p == min(1.0, 2 * np.mean([one.p for one in own]))
    assert set(found) == {"unique", "correlation", "reached"}
    beside_captions = result(text_experiment, "variance")["models"]["tiny"]
    assert beside_captions["partitions"]["hybrid"]["random_change"] is not None
    assert "itself the caption encoder" in beside_captions["skipped"]["beyond-base"]


@pytest.mark.parametrize("protocol", ["held-out", "k-fold", "few-shot"])
@pytest.mark.parametrize("condition", [Condition.HYBRID, Condition.LANGUAGE_DISTILLATION])
def test_probes_of_base_and_tuned(text_experiment, protocol, condition):
    data = text_experiment[0].experiment
    base = data.base("tiny")[0]
    own = [
        probe(tuned, data.study.stimuli, against=base, protocol=protocol, shots=4, **QUICK)
        for tuned in data.tuned("tiny", condition).values()
    ]
    scores = result(text_experiment, "probes")["models"]["tiny"]["protocols"][protocol][condition]
    same(scores["pearson"]["valence"]["tuned"], [p.scores["valence"].pearson for p in own])
    same(scores["r_squared"]["valence"]["difference"], [p.differences["valence"].r_squared for p in own])
    base_score = figure(scores["pearson"]["valence"]["base"])
    assert base_score.seeds == {0: pytest.approx(own[0].against_scores["valence"].pearson.value)}  # one base
    change = figure(scores["pearson"]["valence"]["difference"])
    assert change.q == pytest.approx(benjamini_hochberg(np.array([change.p]))[0])


def test_constant_ratings_are_named_and_left_out(clip_experiment):
    found = result(clip_experiment, "probes")
    assert "constant" in found["models"]["film"]["skipped"]["same"]
    assert "drivers" not in found  # nobody knows


def test_transfer_is_zero_shot_and_centred_on_the_clips_measured(clip_experiment, clip_settings):
    data = clip_experiment[0].experiment
    second = load_dataset(clip_settings["analyses"]["transfer"]["data"])
    own = []
    for seed in (0, 1):
        cell = data.find("film", Condition.HYBRID)[seed]
        pair = []
        for reference in (f"run:{cell.folder.path}", f"scratch:videomae-tiny?seed={seed}"):
            made = embed_stimuli(reference, second.stimuli)
            pair.append(Embeddings(made.values - made.values.mean(axis=0), made.stimulus_ids, made.source))
        own.append(
            direct_transfer(
                pair[0], second.stimuli, ("friendly", "hostile"), against=pair[1], label="relation",
                raters="n_raters", **QUICK,
            )
        )  # fmt: skip
    table = result(clip_experiment, "transfer")["models"]["film"]
    changes = table["changes"]
    same(changes["rsa_spearman"]["tuned"], [t.metrics["rsa_spearman"] for t in own])
    same(changes["odd_one_out_3afc"]["base"], [t.against_metrics["odd_one_out_3afc"] for t in own])
    same(changes["rsa_spearman"]["difference"], [t.differences["rsa_spearman"] for t in own])
    same(changes["balanced_accuracy"]["difference"], [t.decoding.difference for t in own])
    assert Transfer.from_json(table["first"]).decoding == own[0].decoding
    assert set(own[0].decoding.metrics) >= {"chance", "one_rater", "new_panel"}


def test_attention_on_regions_put_together(clip_experiment):
    outcome, folder = clip_experiment
    data = outcome.experiment
    stimuli = data.study.stimuli.subset(np.flatnonzero(data.study.stimuli.test))
    regions = {
        name: masks.merged({"left": "agents", "right": "agents"})
        for name, masks in read_regions(data.study.dataset, None, None).items()
    }
    cell = data.find("film", Condition.HYBRID)[1]
    tuned = AttentionMapper(f"run:{cell.folder.path}", stimuli, "rollout", 4, "cpu", False)
    base = AttentionMapper("scratch:videomae-tiny?seed=1", stimuli, "rollout", 4, "cpu", False)
    own = attention_shares(tuned.maps, regions, base.maps, **QUICK)
    table = result(clip_experiment, "attention")["models"]["film"]
    assert list(table["difference"]) == ["background", "agents"]
    assert result(clip_experiment, "attention")["n_clips"] == 9
    seeds = figure(table["tuned"]["share"]["agents"]).seeds
    assert seeds[1] == pytest.approx(own.metrics["agents"]["share"].value)
    assert figure(table["difference"]["agents"]).seeds[1] == pytest.approx(own.differences["agents"].value)
    assert figure(table["difference"]["agents"]).q is not None
    assert figure(table["base"]["area"]["agents"]).value == pytest.approx(1 / 16, abs=0.01)
    (strip,) = table["strips"]
    assert (folder / "analyses" / strip["file"]).is_file()
    assert "base" in strip["alt"]


def test_dimensions_of_people_and_model(text_experiment):
    data = text_experiment[0].experiment
    table = result(text_experiment, "dimensions")
    rdm = data.human(np.arange(len(data.study.stimuli)))
    own = find_dimensions(rdm, data.study.stimuli.ids, ranks=(1, 2, 3), starts=1)
    assert np.allclose(Dimensions.from_json(table["people"]["dimensions"]).loadings, own.loadings)
    assert {row["attribute"] for row in table["people"]["ratings"]} == {"valence"}
    assert table["models"]["tiny"]["seed"] == 0


def test_disagreement_in_both_directions(text_experiment):
    data = text_experiment[0].experiment
    stimuli = data.study.stimuli
    inside = data.study.trials.judgments.within(stimuli.test)
    centred = [
        model_rdm(e.values.astype(float), "cosine", e.values[stimuli.train].astype(float).mean(axis=0))
        for e in (data.base("tiny")[0], data.tuned("tiny")[1])
    ]
    own = disagreements(inside, *centred, most=3)
    seeds = result(text_experiment, "disagreement")["models"]["tiny"]
    assert list(seeds) == ["0", "1"]
    assert Disagreements.from_json(seeds["1"]) == own
    assert all(stimuli.test[list(row.stimuli)].all() for row in (*own.repaired, *own.broken))


@pytest.mark.parametrize(
    ("name", "words"),
    [("transfer", "the second data set is not on this machine"), ("attention", "the clips are not on this machine")],
)  # fmt: skip
def test_what_does_not_apply_is_no_failure(text_experiment, name, words):
    assert words in found(text_experiment, name)["not_applicable"]


@dataclass(frozen=True)
class Nothing:
    """A result without anything in it."""


def _again(settings, experiment, tmp_path, **analyses):
    """The same experiment with other analyses, in a copy of its folder."""
    folder = tmp_path / "copy"
    shutil.copytree(experiment[1], folder)
    changed = settings | {"analyses": settings["analyses"] | analyses}
    outcome = run_experiment(validated_experiment(changed, "x"), folder)
    return outcome, folder


def test_results_are_kept_until_something_they_rest_on_changes(
    text_settings, text_experiment, tmp_path, swap
):
    def spy(experiment, settings):
        calls.append(settings)
        return Nothing()

    calls: list[object] = []
    swap("probes", analyse=spy, result=Nothing)
    swap("dimensions", analyse=spy, result=Nothing)
    _again(text_settings, text_experiment, tmp_path, dimensions={"dimensions": 2, "starts": 1})
    assert len(calls) == 1  # probes are those that were there


def test_a_text_encoder_reads_no_clips_of_another_kind(
    text_settings, clip_settings, text_experiment, tmp_path
):
    other = clip_settings["analyses"]["transfer"]
    again = _again(text_settings, text_experiment, tmp_path, transfer=other)
    assert "tiny reads captions, and others0 has none" in found(again, "transfer")["not_applicable"]


@pytest.mark.parametrize(
    ("name", "section", "words"),
    [
        ("probes", {"attributes": ["same"]}, "same: a constant rating cannot be probed"),
        ("probes", {"attributes": ["warmth"]}, "warmth: no such rating"),
        ("probes", {"folds": 9}, "no attribute to probe"),
        ("transfer", {"data": "{first}", "ratings": ["height"], "target": "euclidean"}, "9 clips were used in training"),
        ("attention", {"clips": ["film99"]}, "unknown stimulus: film99"),
    ],
)  # fmt: skip
def test_bad_settings_are_recorded_in_one_line_and_the_rest_goes_on(
    clip_settings, clip_experiment, tmp_path, name, section, words
):
    first = clip_settings["data"]
    section = {key: value.format(first=first) if key == "data" else value for key, value in section.items()}
    outcome, folder = _again(clip_settings, clip_experiment, tmp_path, **{name: section})
    assert list(outcome.failed) == [f"analysis {name}"]
    message = outcome.failed[f"analysis {name}"]
    assert words in message
    assert "\n" not in message
    assert json.loads((folder / f"analyses/{name}.json").read_text())["error"]["message"] == message
    others = [path for path in (folder / "analyses").glob("*.json") if path.stem != name]
    assert all("result" in json.loads(path.read_text()) for path in others)


def test_without_masks_ratings_or_enough_clips_the_reason_is_given(clip_settings, clip_experiment, tmp_path):
    folder = tmp_path / "plain"
    shutil.copytree(clip_settings["data"], folder)
    shutil.rmtree(folder / "masks")
    lines = [line.split(",")[:3] for line in (folder / "stimuli.csv").read_text().splitlines()]
    (folder / "stimuli.csv").write_text("".join(f"{','.join(line)}\n" for line in lines))
    analyses = {"variance": {"folds": 4}, "attention": {}, "dimensions": None, "disagreement": None}
    settings = clip_settings | {"data": str(folder), "seeds": [0], "analyses": analyses}
    outcome = run_experiment(validated_experiment(settings, "x"), tmp_path / "out")
    assert outcome.failed == {}
    reasons = {
        name: found((None, tmp_path / "out"), name)["not_applicable"]
        for name in ("variance", "probes", "attention")
    }
    assert reasons == {
        "variance": "9 held-out clips are too few for 4 folds",
        "probes": "the data set has no ratings",
        "attention": "no clip of the data set has region masks",
    }


def test_another_second_data_set_under_the_same_name_is_measured_anew(
    clip_settings, clip_experiment, tmp_path
):
    second = tmp_path / "second"
    shutil.copytree(clip_settings["analyses"]["transfer"]["data"], second)
    section = clip_settings["analyses"]["transfer"] | {"data": str(second)}
    before = result(_again(clip_settings, clip_experiment, tmp_path, transfer=section), "transfer")
    shutil.rmtree(tmp_path / "copy")
    lines = (second / "stimuli.csv").read_text().splitlines()
    (second / "stimuli.csv").write_text(
        "\n".join([lines[0], *(line.replace(",0.1,0.9", ",0.9,0.1") for line in lines[1:])])
    )
    after = result(_again(clip_settings, clip_experiment, tmp_path, transfer=section), "transfer")
    assert before["models"] != after["models"]


def test_boxes_can_stand_in_for_masks(clip_settings, clip_experiment, tmp_path):
    boxes = {
        "images": [{"id": 1, "file_name": "film17.mp4", "width": 64, "height": 64, "frame": 0}],
        "categories": [{"id": 1, "name": "face"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 32, 32]}],
    }
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    section = {"boxes": str(tmp_path / "boxes.json")}
    table = result(_again(clip_settings, clip_experiment, tmp_path, attention=section), "attention")
    assert table["n_clips"] == 1
    assert figure(table["models"]["film"]["tuned"]["area"]["face"]).value == pytest.approx(0.25)


def test_a_table_of_stimuli_neither_looks_nor_transfers(clip_settings, tmp_path):
    changes = {"models": {"table": {"model": "lookup:4"}}, "seeds": [0]}
    outcome = run_experiment(validated_experiment(clip_settings | changes, "x"), tmp_path / "out")
    assert outcome.failed == {}
    reasons = {
        name: found((None, tmp_path / "out"), name)["not_applicable"] for name in ("transfer", "attention")
    }
    assert reasons["transfer"] == "table is a lookup table and has no embeddings of other clips"
    assert reasons["attention"] == "table: this model has no attention over clips"
