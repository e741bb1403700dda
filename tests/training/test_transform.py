"""A transform of frozen embeddings: starts as the identity, is pulled back to it, and finds an independent optimum."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

import bgs
from bgs._config import validate
from bgs.backbones.transform import Transform, new_transform
from bgs.backbones.transform_settings import TransformSettings
from bgs.objective import reference
from bgs.runs.run_folder import RunFolder
from bgs.runs.study import load_study
from bgs.runs.trainer import new_backbone, new_trainer
from bgs.training import TrainingConfig

KINDS = [{"kind": "linear"}, {"kind": "low-rank", "rank": 3}, {"kind": "mlp", "hidden": 7}]


@pytest.mark.parametrize("settings", KINDS)
def test_it_starts_with_the_geometry_that_was(settings):
    features = torch.randn(6, 5, dtype=torch.float32, generator=torch.Generator().manual_seed(1))
    transform = new_transform(5, TransformSettings(**settings), seed=0)
    transform.standardise(features.numpy())
    z = transform(features).detach().numpy()
    centred = features.numpy() - features.numpy().mean(axis=0)
    np.testing.assert_allclose(z, centred / np.sqrt((centred**2).mean()), rtol=1e-5, atol=1e-6)
    assert z.mean(axis=0) == pytest.approx(np.zeros(5), abs=1e-6)
    assert (z**2).mean() == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize("settings", KINDS)
def test_the_pull_is_the_squared_norm_of_what_is_added(settings):
    transform = Transform(5, TransformSettings(**settings, pull=0.4))
    weights = [layer.weight.detach() for layer in transform.added if isinstance(layer, torch.nn.Linear)]
    for weight in weights:
        torch.nn.init.normal_(weight)
    if settings["kind"] == "low-rank":
        squared = float((weights[1] @ weights[0]).square().sum())
    else:
        squared = sum(float(weight.square().sum()) for weight in weights)
    assert float(transform.penalty().detach()) == pytest.approx(0.2 * squared, rel=1e-4)


def test_a_setting_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="rank conflicts with kind: linear"):
        TransformSettings(rank=4)


def reference_loss(flat, z, triplets, odd, human, counts, pull):
    """The objective of one update and the pull, by the slow references."""
    d = z.shape[1]
    added = flat.reshape(d, d)
    vectors = z + z @ added.T
    local = reference.choice(vectors, triplets, odd, temperature=0.2)
    pairs = [(i, j) for i in range(len(z)) for j in range(i) if np.isfinite(human[i, j])]
    model = np.array([reference.cosine_distance(vectors[i], vectors[j]) for i, j in pairs])
    people, weights = (np.array([matrix[i, j] for i, j in pairs], dtype=float) for matrix in (human, counts))
    rsa = reference.correlation(model, people, weights)
    return 0.7 * local - 0.5 * rsa + pull / 2 * float((added**2).sum())


def test_training_ends_where_an_independent_optimiser_does(tmp_path):
    """L-BFGS with numerical gradients on loops, and the trainer, agree on the matrix and on the loss."""
    rng, n, d, pull = np.random.default_rng(3), 8, 3, 3.0
    features, truth = rng.normal(size=(n, d)), rng.normal(size=(n, 2))
    triplets = np.array([rng.choice(n, 3, replace=False) for _ in range(30)])
    near = ((truth[triplets][:, [1, 0, 0]] - truth[triplets][:, [2, 2, 1]]) ** 2).sum(axis=2)
    ids = tuple(f"clip-{i}" for i in range(n))
    stimuli = bgs.StimulusSet(ids, split=("train",) * 7 + ("test",))
    who = np.array(["p"] * 30)
    trials = bgs.Trials(who, who, np.arange(30), triplets, near.argmin(axis=1), np.full(30, np.nan), n)
    file = tmp_path / "features.safetensors"
    bgs.Embeddings(features, ids, "made up").save(file)
    config = TrainingConfig.model_validate({
        "model": f"features:{file}", "data": "made up", "epochs": 200, "transform": {"pull": pull},
        "validation": {"fraction": 0.0},
        "objective": {"local": "choice", "temperature": 0.2, "beta": {"start": 0.5, "step": 0.0, "maximum": 0.5}},
        "optimizer": {"learning_rate": 0.02, "clip_norm": None},
    })  # fmt: skip
    study = load_study(config, dataset=bgs.Dataset(stimuli, trials, simulated=True))
    backbone = new_backbone(config)
    trainer = new_trainer(config, backbone, study, RunFolder(tmp_path / "run"))
    trainer.run()
    geometry = study.geometry(np.arange(7), "shares")
    z = features[:7].astype(np.float32).astype(float)
    z = (z - z.mean(axis=0)) / np.sqrt(((z - z.mean(axis=0)) ** 2).mean())
    given = (z, geometry.triplets, geometry.odd, geometry.rdm, geometry.weights, pull)
    best = minimize(reference_loss, np.zeros(d * d), args=given, method="L-BFGS-B", options={"ftol": 1e-14})
    learnt = backbone.head.added[-1].weight.detach().numpy().ravel()
    assert np.abs(best.x).max() > 0.02  # it moved
    np.testing.assert_allclose(learnt, best.x, atol=2e-3)
    assert reference_loss(learnt, *given) == pytest.approx(best.fun, abs=1e-5)


def test_features_are_tuned_saved_and_found_again(small_study, tiny_text, tmp_path):
    """A run on a file of features: base is the file, tuned is reproduced from the run folder, in a resumed run too."""
    data = bgs.load_dataset(small_study)
    base = bgs.load_model(f"text:{tiny_text}", device="cpu").embed(data.stimuli)
    base.save(tmp_path / "base.safetensors")
    reference, out = f"features:{tmp_path / 'base.safetensors'}", tmp_path / "run"
    run = bgs.train(reference, data, out=out, epochs=20, evaluation={"permutations": 20})
    kept = bgs.Embeddings.load(out / "base.safetensors")
    np.testing.assert_array_equal(kept.values, base.values)
    tuned = run.model.embed(data.stimuli)
    np.testing.assert_allclose(tuned.values, bgs.Embeddings.load(out / "tuned.safetensors").values, rtol=1e-5)
    pairs = run.evaluation["held-out-pairs"]
    assert pairs.differences["rsa_spearman"].value != 0
    files = {path.name for path in (out / "adapter").iterdir()}
    assert files == {"bgs.json", "head.safetensors"}


def test_a_transform_of_other_features_is_refused(small_study, tiny_text, tmp_path):
    data = bgs.load_dataset(small_study)
    base = bgs.load_model(f"text:{tiny_text}", device="cpu").embed(data.stimuli)
    file = tmp_path / "base.safetensors"
    base.save(file)
    bgs.train(f"features:{file}", data, out=tmp_path / "run", epochs=2, evaluation={"permutations": 20})
    bgs.Embeddings(base.values * 2, base.stimulus_ids, "others").save(file)
    with pytest.raises(bgs.BgsError, match="trained on other weights"):
        bgs.load_model(f"run:{tmp_path / 'run'}")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": "features:x.npy", "lora": {"rank": 2}}, "transform conflicts with lora"),
        (
            {"model": "text:minilm", "transform": {}, "head": {"dim": 8}},
            "transform conflicts with lora and head",
        ),
        (
            {"model": "text:minilm", "transform": {"kind": "linear", "hidden": 3}},
            "hidden conflicts with kind: linear",
        ),
    ],
)
def test_conflicts_are_one_line(given, message):
    with pytest.raises(bgs.BgsError, match=message):
        validate(TrainingConfig, {"data": "x", **given}, "here")


def test_a_transform_of_a_text_model_leaves_the_model_as_it_was(small_study, tiny_text, tmp_path):
    """The network is frozen: what is trained is the matrix alone, on embeddings that were computed once."""
    data = bgs.load_dataset(small_study)
    run = bgs.train(
        f"text:{tiny_text}", data, out=tmp_path / "run", epochs=5, transform={"kind": "low-rank", "rank": 2},
        evaluation={"permutations": 20},
    )  # fmt: skip
    base = bgs.Embeddings.load(tmp_path / "run/base.safetensors").values
    tuned = run.model.embed(data.stimuli).values
    centred, moved = base - base.mean(axis=0), tuned - tuned.mean(axis=0)
    scale = np.linalg.lstsq(centred.reshape(-1, 1), moved.ravel(), rcond=None)[0][0]
    assert np.linalg.matrix_rank(moved - scale * centred, tol=1e-3) <= 3


def test_a_lookup_table_has_no_transform(tmp_path, small_study):
    with pytest.raises(bgs.BgsError, match="a model that reads stimuli"):
        bgs.train("lookup:4", bgs.load_dataset(small_study), out=tmp_path / "run", transform={})
