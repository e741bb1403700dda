"""``import bgs``: a model embeds, is trained and measured, and says what the commands say."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from itertools import combinations

import numpy as np
import pytest

import bgs
from bgs.cli.main import main
from bgs.evaluation import model_rdm, spearman

FAST = {
    "epochs": 3,
    "views": 1,
    "optimizer": {"learning_rate": 0.01},
    "validation": {"fraction": 0},
    "evaluation": {"permutations": 20},
}


@pytest.fixture(scope="module")
def data(small_study):
    return bgs.load_dataset(small_study)


@pytest.fixture(scope="module")
def model(tiny_text):
    return bgs.load_model(f"text:{tiny_text}", device="cpu")


@pytest.fixture(scope="module")
def run(model, data, tmp_path_factory):
    return bgs.train(model, data, out=tmp_path_factory.mktemp("runs") / "run", **FAST)


def command(*arguments):
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    assert left.value.code == 0


def test_every_public_name_is_there():
    import bgs.experiments.grid
    import bgs.reports.page

    for name in bgs.__all__:
        assert not isinstance(getattr(bgs, name), type(bgs)), name


def test_a_metric_prints_in_one_line():
    metric = bgs.evaluation.Metric(0.4461, 0.3679, 0.5234, 1225, "Spearman rho", p=0.001)
    assert str(metric) == ".446 [.368, .523], p .001, n = 1,225 (Spearman rho)"
    nothing = float("nan")
    assert str(bgs.evaluation.Metric(-0.5, nothing, nothing, 3, "r")) == "−.500, n = 3 (r)"


def test_packages_resolve():
    for package in ("judgments", "evaluation", "training", "runs"):
        assert getattr(bgs, package).__name__ == f"bgs.{package}"
    with pytest.raises(AttributeError, match="no attribute"):
        bgs.nothing_of_this_name  # noqa: B018


def test_a_model_embeds_sets_and_lists(model, data):
    base = model.embed(data.stimuli)
    np.testing.assert_array_equal(base.values, model.embed(data).values)
    assert base.stimulus_ids == data.stimuli.ids
    said = model.embed(["two people talk", "a dog runs"])
    assert said.stimulus_ids == ("two people talk", "a dog runs")
    assert said.values.shape == (2, base.values.shape[1])
    with pytest.raises(bgs.BgsError, match="expected a list of files"):
        model.embed("a.mp4")


def test_distances_and_the_odd_one_out_follow_the_embeddings(model, run):
    clips = ["two people talk", "a dog runs", "three children play"]
    for one in (model, run.model):
        expected = model_rdm(one.embed(clips).values, "cosine", one.center)
        for i, j in combinations(range(3), 2):
            assert one.distance(clips[i], clips[j]) == pytest.approx(expected[i, j], abs=1e-6)
        nearest = min(combinations(range(3), 2), key=lambda pair: expected[pair])
        assert one.odd_one_out(*clips).odd == clips[({0, 1, 2} - set(nearest)).pop()]
    assert model.center is None
    tuned = run.tuned.values[bgs.load_dataset(run.config.data).stimuli.train]
    np.testing.assert_allclose(run.model.center, tuned.mean(axis=0), rtol=1e-5, atol=1e-7)


def test_of_pairs_that_tie_the_first_counts(model):
    assert model.odd_one_out("the same", "the same ", "the  same").odd == "the  same"
    model.embed = lambda clips: bgs.Embeddings(np.eye(3, 4), tuple(clips), "equally far")
    try:
        assert model.odd_one_out("a", "b", "c").odd == "c"
    finally:
        del model.embed


def test_a_run_from_python_is_that_of_the_command(run, data, tiny_text, small_study, tmp_path):
    keys = "epochs: 3\nviews: 1\noptimizer: {learning_rate: 0.01}\nvalidation: {fraction: 0}\n"
    keys += (
        f"evaluation: {{permutations: 20}}\nmodel: text:{tiny_text}\ndata: {small_study.name}\ndevice: cpu\n"
    )
    (tmp_path / "config.yaml").write_text(keys)
    command("train", tmp_path / "config.yaml", "--set", f"data={small_study}", "--out", tmp_path / "run")
    again = bgs.load_run(tmp_path / "run")
    np.testing.assert_array_equal(again.tuned.values, run.tuned.values)
    for protocol, result in run.evaluation.items():
        assert result.metrics == again.evaluation[protocol].metrics
        assert result.differences == again.evaluation[protocol].differences
    np.testing.assert_array_equal(run.model.embed(data).values, run.tuned.values)
    assert [epoch["epoch"] for epoch in run.epochs] == [0, 1, 2]
    with pytest.raises(bgs.BgsError, match="no finished run here"):
        bgs.load_run(tmp_path)


def test_an_evaluation_from_python_is_that_of_the_command(run, data, small_study, tmp_path, capsys):
    found = bgs.evaluate(run.tuned, data, against=run.base, permutations=20)
    assert list(found) == ["held-out-trials", "held-out-pairs"]
    for which in ("base", "tuned"):
        getattr(run, which).save(tmp_path / f"{which}.safetensors")
    for protocol, result in found.items():
        command(
            "evaluate", "--embeddings", tmp_path / "tuned.safetensors", "--against", tmp_path / "base.safetensors",
            "--data", small_study, "--protocol", protocol, "--permutations", "20", "--json", tmp_path / "e.json",
        )  # fmt: skip
        assert json.loads((tmp_path / "e.json").read_text()) == json.loads(json.dumps(result.to_json()))
        printed = capsys.readouterr().out
        assert str(bgs.Evaluation((result,))) in printed
    assert found._repr_html_().count("<pre") == 2


def test_clips_trained_on_as_part_of_another_named_data_set_are_refused(run, data):
    """Ids of named data sets are clips wherever they occur; those of the data set itself are what protocols are for."""
    ids = [name for name, part in zip(data.stimuli.ids, data.stimuli.split, strict=True) if part == "train"]
    assert run.tuned.trained_on() == {data.name: ids}
    assert run.base.trained_on() == {}
    assert run.model.embed(data).trained_on() == {data.name: ids}
    named = replace(data, name="heider-simmel-triplets")
    for trained, refused in (
        ("heider-simmel-verbs", True),
        ("heider-simmel-triplets", False),
        ("folder", False),
    ):
        tuned = replace(run.tuned, details={"trained on": json.dumps({trained: ["other", *ids[:2]]})})
        for models in ({"embeddings": tuned}, {"embeddings": run.base, "against": tuned}):
            measure = partial(bgs.evaluate, **models, data=named, protocol="held-out-pairs", permutations=0)
            if refused:
                with pytest.raises(bgs.BgsError, match=f"2 clips were used in training: {ids[0]}, {ids[1]}"):
                    measure()
            else:
                measure()
    measure = partial(bgs.evaluate, tuned, named, protocol="held-out-pairs", permutations=0)
    assert measure(allow_overlap=True)["held-out-pairs"].metrics == measure()["held-out-pairs"].metrics


def test_an_evaluation_becomes_a_frame_and_a_figure(run, data, tmp_path):
    found = bgs.evaluate(run.tuned, data, against=run.base, permutations=0, names=("tuned", "base"))
    frame = found.to_frame()
    row = frame.query("protocol == 'held-out-pairs' and model == 'tuned − base' and metric == 'rsa_spearman'")
    difference = found["held-out-pairs"].differences["rsa_spearman"]
    assert row[["value", "low", "high"]].values.tolist() == [
        [difference.value, difference.low, difference.high]
    ]
    assert set(frame.model) == {"tuned", "base", "tuned − base", "people"}
    words = found.figure().describe()
    assert "held-out-trials: base" in words
    assert "noise ceiling" in words
    found.plot(tmp_path / "figure.svg")
    assert (tmp_path / "figure.svg").read_bytes().startswith(b"<svg")
    assert "<svg" in found.plot()._repr_svg_()


def test_a_matrix_alone_gives_correlations(data):
    counts = bgs.PairCounts.from_trials(data.trials)
    human = bgs.human_rdm(counts)
    rng = np.random.default_rng(0)
    own = bgs.Embeddings(rng.normal(size=(30, 4)), data.stimuli.ids[::-1], "mine")
    found = bgs.evaluate(own, bgs.RDM(human, data.stimuli.ids), permutations=20)["rdm"]
    values = own.select(data.stimuli.ids).values
    distances = model_rdm(values, "cosine", values.mean(axis=0))
    pairs = np.triu_indices(30, 1)
    seen = np.isfinite(human[pairs])
    expected = spearman(distances[pairs][seen], human[pairs][seen])
    assert found.metrics["rsa_spearman"].value == pytest.approx(expected)
    assert found.metrics["rsa_spearman"].n == seen.sum()
    assert found.metrics["rsa_spearman"].low < expected < found.metrics["rsa_spearman"].high
    filled = np.where(np.isnan(human), 7.0, human)
    assert bgs.evaluate(own, bgs.RDM(filled, data.stimuli.ids, counts.shown), permutations=20)["rdm"] == found
    assert "ceiling" in str(bgs.Evaluation((found,)))
    assert bgs.evaluate(own, bgs.RDM(human, data.stimuli.ids), against=own)["rdm"].differences[
        "rsa_spearman"
    ] == bgs.evaluation.Metric(
        0.0, 0.0, 0.0, int(seen.sum()), "difference in Spearman rho", {"clips": (0.0, 0.0)}
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stimulus_ids": ("a", "b")}, "ids do not match the matrix; expected 3 ids, got 2"),
        ({"stimulus_ids": ("a", "b", "a")}, "stimulus listed twice: a"),
        ({"values": np.arange(9.0).reshape(3, 3)}, "not symmetric"),
        ({"counts": np.ones((2, 2))}, "counts do not match"),
        ({"counts": np.zeros((3, 3))}, "nothing to correlate with; expected two known pairs, got 0"),
    ],
)  # fmt: skip
def test_matrices_that_cannot_be(change, message):
    given = {"values": 1 - np.eye(3), "stimulus_ids": ("a", "b", "c")} | change
    with pytest.raises(bgs.BgsError, match=message):
        bgs.evaluate(bgs.Embeddings(np.eye(3), ("a", "b", "c"), "x"), bgs.RDM(**given))


def test_an_audit_prints_what_the_command_prints(data, small_study, tmp_path, capsys):
    found = bgs.audit(data)
    command("data", "audit", small_study, "--json", tmp_path / "audit.json")
    assert str(found) in capsys.readouterr().out
    assert json.loads((tmp_path / "audit.json").read_text()) == json.loads(json.dumps(found.to_json()))


def test_settings_that_cannot_be(model, data, tmp_path):
    with pytest.raises(bgs.BgsError, match=r"unknown key 'epoch'.*did you mean epochs"):
        bgs.train(model, data, out=tmp_path / "run", epoch=3)
    with pytest.raises(bgs.BgsError, match="these trials are already loaded"):
        bgs.train(model, data, out=tmp_path / "run", judgments={"drop_duplicates": True})
    with pytest.raises(bgs.BgsError, match="micro_batch"):
        bgs.load_model("lookup:3", micro_batch=0)
    assert not (tmp_path / "run").exists()


def test_a_study_in_memory_trains_as_a_folder_does(model, data, run, tmp_path):
    mine = bgs.Dataset(data.stimuli, data.trials, simulated=data.simulated)
    again = bgs.train(model, mine, out=tmp_path / "run", **FAST)
    np.testing.assert_array_equal(again.tuned.values, run.tuned.values)
    assert again.evaluation["held-out-pairs"].metrics == run.evaluation["held-out-pairs"].metrics


def test_objects_say_in_one_line_what_they_are(data, model):
    embeddings = model.embed(data.stimuli)
    rdm = bgs.RDM(bgs.human_rdm(bgs.PairCounts.from_trials(data.trials)), data.stimuli.ids)
    for thing in (data, data.stimuli, data.trials, embeddings, rdm):
        assert repr(thing).startswith(f"{type(thing).__name__}(")
        assert len(repr(thing)) < 250
    assert f"{len(data.stimuli)} stimuli × " in repr(embeddings)
    with pytest.raises(KeyError, match="there are: held-out-trials, held-out-pairs"):
        bgs.evaluate(embeddings, data, permutations=0)["held-out"]
