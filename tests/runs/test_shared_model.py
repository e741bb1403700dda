"""What `bgs share` writes is the model of the run, bit for bit; anything that was changed since is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

import bgs
from bgs import BgsError
from bgs._files import sha256
from bgs.backbones.shared_folder import FILES
from bgs.runs.identity import tuned_identity
from bgs.runs.opened_model import open_model
from bgs.runs.shared_model import base_of, without_paths
from program import fails, runs
from shared_models import FAST, resign, train_video_run

CLIPS = ["two men fight in the park", "a woman hugs a child in the kitchen", "people talk near the school"]


@pytest.fixture(scope="module")
def run(tiny_text, small_study, tmp_path_factory):
    """A tuned sentence encoder whose base is in a folder of its own; it has a centre and a readout."""
    out = tmp_path_factory.mktemp("runs") / "run"
    settings = FAST | {"validation": {"fraction": 0.5, "every": 1}}
    return bgs.train(f"text:{tiny_text}", small_study, out=out, **settings)


@pytest.fixture(scope="module")
def shared(run, tmp_path_factory):
    return bgs.share(run, tmp_path_factory.mktemp("shared") / "model", licence="cc-by-4.0")


@pytest.fixture
def copy(shared, tmp_path):
    return shutil.copytree(shared.path, tmp_path / "copy")


def test_it_is_the_model_of_the_run_bit_for_bit(run, shared, tiny_text):
    of_run = open_model(f"run:{run.path}")
    for reference in (f"shared:{shared.path}?base={tiny_text}", f"{shared.path}?base={tiny_text}"):
        found = bgs.load_model(reference)
        assert found.opened.identity == of_run.identity
        np.testing.assert_array_equal(found.embed(CLIPS).values, run.model.embed(CLIPS).values)
        np.testing.assert_array_equal(found.center, run.model.center)
        assert found.describe(CLIPS[0]).to_json() == run.model.describe(CLIPS[0]).to_json()
        assert found.embed(CLIPS).trained_on() == run.model.embed(CLIPS).trained_on()
    assert bgs.load_backbone(f"shared:{shared.path}?base={tiny_text}").head is None


def test_nothing_of_the_authors_machine_is_in_it(run, shared, tiny_text, small_study):
    names = {path.relative_to(shared.path).as_posix() for path in shared.path.rglob("*") if path.is_file()}
    assert names <= {*FILES, "bgs_model.json"}
    for path in (shared.path / name for name in names):
        for private in (run.path, tiny_text, small_study):
            assert str(private).encode() not in path.read_bytes(), path
    manifest = json.loads((shared.path / "bgs_model.json").read_text())
    assert manifest["base"] == {
        "family": "text", "name": "encoder", "settings": "", "place": "folder",
        "revision": run.model.backbone.spec.revision,
    }  # fmt: skip
    assert yaml.safe_load((shared.path / "config.yaml").read_text())["model"] == "text:encoder"


def test_the_card_says_what_was_measured(run, shared):
    card = (shared.path / "README.md").read_text()
    about = yaml.safe_load(card.split("---")[1])
    assert about["license"] == "cc-by-4.0"
    assert "base_model" not in about  # it is not on the hub
    trials = run.evaluation["held-out-pairs"]
    spearman = trials.metrics["rsa_spearman"]
    data = bgs.load_dataset(run.config.data)
    judged = data.trials.judgments.within(data.stimuli.train)
    people = len(set(judged.participant))
    for said in (
        spearman.words(), f"{spearman.n:,}", trials.differences["rsa_spearman"].words(signed=True),
        f"{data.stimuli.train.sum()} clips and {len(judged)} judgments by {people} people", "none given", "your own data",
        "Not for judging people", "culture", "valence",
    ):  # fmt: skip
        assert said in card, said
    assert "SIMULATED" not in card


def test_adapters_are_read_by_peft(run, shared, tiny_text):
    """Its own loader, on the same base model, gives the same embeddings."""
    import torch
    from peft import PeftModel

    base = bgs.load_backbone(f"text:{tiny_text}")
    ours = bgs.load_backbone(f"run:{run.path}")
    tokens = base.prepare(bgs.StimulusSet(tuple(CLIPS), captions=tuple((c,) for c in CLIPS))).batch(
        np.arange(3)
    )
    theirs = PeftModel.from_pretrained(base.module, str(shared.path))
    with torch.no_grad():
        for module in (theirs, ours.module):
            module.eval()
        inputs = {key: tokens[key] for key in ("input_ids", "attention_mask")}
        torch.testing.assert_close(
            theirs(**inputs).last_hidden_state, ours.module(**inputs).last_hidden_state, rtol=0, atol=0
        )


def test_the_command(run, tmp_path, tiny_text, capsys):
    words = tmp_path / "words.md"
    words.write_text("Made for *stories*.")
    out = tmp_path / "model"
    printed = runs(capsys, "share", run.path, "--out", out, "--about", words)
    assert "adapter_model.safetensors" in printed
    assert "load_model" in printed
    assert "Made for *stories*." in (out / "README.md").read_text()
    found = json.loads(runs(capsys, "share", run.path, "--out", tmp_path / "again", "--json", "-"))
    assert found["reference"] == f"shared:{tmp_path / 'again'}?base=FOLDER"
    odd = json.loads(runs(capsys, "odd", *CLIPS, "--model", f"shared:{out}?base={tiny_text}", "--json", "-"))
    assert odd["probabilities"] == run.model.odd_one_out(*CLIPS).to_json()["probabilities"]


def test_a_base_in_a_folder_is_asked_for_and_must_be_the_same(shared, tiny_text, tmp_path, capsys):
    error = fails(capsys, "odd", *CLIPS, "--model", f"shared:{shared.path}")
    assert "?base=FOLDER" in error
    assert "text:encoder" in error
    other = shutil.copytree(tiny_text, tmp_path / "other")
    from safetensors.torch import load_file, save_file

    weights = next(other.rglob("model.safetensors"))
    save_file({name: tensor + 1 for name, tensor in load_file(weights).items()}, weights, {"format": "pt"})
    error = fails(capsys, "odd", *CLIPS, "--model", f"shared:{shared.path}?base={other}")
    assert "trained on other weights" in error
    assert "no base model" in fails(capsys, "odd", *CLIPS, "--model", f"shared:{shared.path}?base=")
    assert "its own settings" in fails(capsys, "odd", *CLIPS, "--model", f"shared:{shared.path}?layer=2")


@pytest.mark.parametrize(
    "name",
    ["adapter_model.safetensors", "center.safetensors", "readout/readout.json", "bgs.json", "README.md"],
)
def test_a_changed_or_missing_file_is_refused(copy, name, capsys):
    path = copy / name
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    error = fails(capsys, "odd", *CLIPS, "--model", f"shared:{copy}")
    assert "was changed" in error
    assert name in error
    path.unlink()
    assert "missing" in fails(capsys, "odd", *CLIPS, "--model", f"shared:{copy}")


def test_an_unexpected_file_is_refused_and_a_hidden_one_is_not(copy, tiny_text, capsys):
    (copy / ".gitattributes").write_text("*.safetensors filter=lfs")
    bgs.load_model(f"shared:{copy}?base={tiny_text}")
    (copy / "pytorch_model.bin").write_bytes(b"\x80\x04")
    assert "pytorch_model.bin" in fails(capsys, "odd", *CLIPS, "--model", f"shared:{copy}")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "bgs-model/9"}, "pip install -U"),
        ({"surprise": 1}, "unexpected key surprise"),
        ({"base": None}, "damaged"),
        ({"base": {"family": "text"}}, "missing key"),
        ({"files": {"model.pkl": "0"}}, "unexpected files model.pkl"),
        ({"files": {"../../evil": "0"}}, "unexpected files"),
        ({"files": []}, "files"),
        ({"bgs": 1}, "damaged: bgs; expected a version"),
        ({"files": {"README.md": "0"}}, "missing files"),
    ],
)
def test_a_manifest_of_another_version_or_damaged_is_refused(copy, change, said, capsys):
    path = copy / "bgs_model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert said in fails(capsys, "odd", *CLIPS, "--model", f"shared:{copy}")
    path.write_text(path.read_text()[:-20])
    assert "damaged" in fails(capsys, "odd", *CLIPS, "--model", f"shared:{copy}")


def test_a_model_that_was_evaluated_with_centring_is_refused_without_its_centre(copy, capsys):
    path = copy / "bgs_model.json"
    manifest = json.loads(path.read_text())
    del manifest["files"]["center.safetensors"]
    path.write_text(json.dumps(manifest))
    (copy / "center.safetensors").unlink()
    error = fails(capsys, "odd", *CLIPS, "--model", f"shared:{copy}")
    assert "the centre of this model is missing" in error
    assert "evaluation.center: true" in error


def test_a_key_too_few_or_too_many_is_refused_though_the_hashes_agree(copy, tiny_text, capsys):
    from safetensors.torch import load_file, save_file

    path = copy / "adapter_model.safetensors"
    tensors = load_file(path)
    for changed, said in (
        (dict(list(tensors.items())[1:]), "missing"),
        (tensors | {"more": tensors[min(tensors)].clone()}, "unexpected"),
    ):
        save_file(changed, path, {"format": "pt"})
        about = json.loads((copy / "bgs.json").read_text())
        resign(copy, path.name)
        about["sha256"][path.name] = json.loads((copy / "bgs_model.json").read_text())["files"][path.name]
        (copy / "bgs.json").write_text(json.dumps(about))
        resign(copy, "bgs.json")
        error = fails(capsys, "odd", *CLIPS, "--model", f"shared:{copy}?base={tiny_text}")
        assert f"1 {said} parameters" in error


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda about: about.update(revision=None), "revision is NoneType, not str"),
        (lambda about: about.update(settings=[]), "settings is list, not dict"),
        (lambda about: about.update(trained_on="x"), "trained_on is str, not dict"),
        (lambda about: about.update(sha256={"head.safetensors": 1}), "sha256 is not of texts"),
    ],
)
def test_a_damaged_adapter_is_one_line(copy, tiny_text, capsys, change, said):
    about = json.loads((copy / "bgs.json").read_text())
    change(about)
    (copy / "bgs.json").write_text(json.dumps(about))
    resign(copy, "bgs.json")
    reference = f"{copy}?base={tiny_text}"
    assert f"damaged: {said}" in fails(capsys, "odd", *CLIPS, "--model", reference)


def test_weights_are_finite_and_of_their_type(copy, tiny_text):
    """Though every hash agrees."""
    from safetensors.torch import load_file, save_file

    path, reference = copy / "adapter_model.safetensors", f"{copy}?base={tiny_text}"
    known, about = load_file(path), json.loads((copy / "bgs.json").read_text())
    name = min(known)
    for changed, said in (
        (known[name] * np.nan, "is not finite"),
        (known[name].double(), "has the wrong type; expected torch.float32, got torch.float64"),
    ):
        save_file(known | {name: changed}, path)
        about["sha256"][path.name] = sha256(path)
        (copy / "bgs.json").write_text(json.dumps(about))
        for file in (path.name, "bgs.json"):
            resign(copy, file)
        with pytest.raises(BgsError, match=f"parameter .* {said}"):
            bgs.load_model(reference)


def test_the_manifest_names_the_base_of_the_adapter(copy, tiny_text):
    manifest = json.loads((copy / "bgs_model.json").read_text())
    manifest["base"]["revision"] = "0" * 64
    (copy / "bgs_model.json").write_text(json.dumps(manifest))
    with pytest.raises(BgsError, match="not the one that the adapter belongs to"):
        bgs.load_model(f"{copy}?base={tiny_text}")


@pytest.mark.parametrize(
    ("family", "name", "said"),
    [("shared", "copy", "is itself tuned"), ("run", "copy", "is itself tuned"), ("text", "other", "is not the one that")],
)  # fmt: skip
@pytest.mark.parametrize("in_manifest", [True, False])
def test_a_model_whose_base_is_itself_or_another_is_refused(
    copy, family, name, said, in_manifest, monkeypatch
):
    monkeypatch.chdir(copy.parent)
    base = {"family": family, "name": name, "settings": "", "place": "hub", "revision": "0" * 64}
    manifest, about = (json.loads((copy / file).read_text()) for file in ("bgs_model.json", "bgs.json"))
    (copy / "bgs_model.json").write_text(json.dumps(manifest | {"base": base} if in_manifest else manifest))
    named = about | {"model": f"{family}:{name}"}
    if family != "text" or not in_manifest:
        (copy / "bgs.json").write_text(json.dumps(named))
        resign(copy, "bgs.json")
    with pytest.raises(BgsError, match=said):
        bgs.load_model("shared:copy")


def test_a_run_whose_base_is_itself_is_refused(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = shutil.copytree(run.path, tmp_path / "copy") / "adapter/bgs.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model": "run:copy"}))
    with pytest.raises(BgsError, match="run:copy, is itself tuned"):
        bgs.load_model("run:copy")


def test_bad_input_leaves_nothing_behind(run, tmp_path, small_study, capsys):
    out = tmp_path / "out"
    unfinished = shutil.copytree(run.path, tmp_path / "unfinished")
    (unfinished / "evaluation.json").unlink()
    assert "no finished run" in fails(capsys, "share", unfinished, "--out", out)
    assert "no such folder" in fails(capsys, "share", tmp_path / "nothing", "--out", out)
    damaged = shutil.copytree(run.path, tmp_path / "damaged")
    (damaged / "adapter/adapter_model.safetensors").write_bytes(b"0")
    assert "hash" in fails(capsys, "share", damaged, "--out", out)
    assert "licence" in fails(capsys, "share", run.path, "--out", out, "--licence", "mine: all")
    assert "owner/name" in fails(capsys, "share", run.path, "--out", out, "--push", "name")
    folds = shutil.copytree(run.path, tmp_path / "folds")
    text = (
        (folds / "config.yaml").read_text().replace("cross_validation: null", "cross_validation: {folds: 2}")
    )
    (folds / "config.yaml").write_text(text)
    assert "cross-validation" in fails(capsys, "share", folds, "--out", out)
    other = shutil.copytree(small_study, tmp_path / "study")
    trials = (other / "trials.csv").read_text().splitlines()
    (other / "trials.csv").write_text("\n".join(trials[:-1]) + "\n")
    with pytest.raises(bgs.BgsError, match="not those that the model was trained on"):
        bgs.share(run, out, dataset=bgs.load_dataset(other))
    assert not out.exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    assert "not empty" in fails(capsys, "share", run.path, "--out", out)
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


def test_a_shared_model_is_not_tuned_again_and_has_its_own_layer(shared, small_study, capsys, tmp_path):
    with pytest.raises(bgs.BgsError, match="tuned again"):
        bgs.train(f"shared:{shared.path}", small_study, out=tmp_path / "run")
    arguments = [
        "embed",
        "--model",
        f"shared:{shared.path}",
        "--data",
        small_study,
        "--out",
        tmp_path / "e.safetensors",
    ]
    assert "already set" in fails(capsys, *arguments, "--layer", "1")


def test_a_model_whose_base_comes_with_bgs_loads_alone(tmp_path, capsys):
    run = train_video_run(tmp_path)
    shared = bgs.share(run, tmp_path / "model")
    clips = sorted((tmp_path / "study").glob("*.mp4"))[:3]
    found = bgs.load_model(shared.reference)
    np.testing.assert_array_equal(found.embed(clips).values, run.model.embed(clips).values)
    assert found.opened.identity == run.model.opened.identity
    card = (shared.path / "README.md").read_text()
    assert "SIMULATED" in card
    assert "Me (2024): noise." in card
    assert "7 people" not in card
    assert "comes with bgs" in fails(
        capsys, "odd", *clips, "--model", f"shared:{shared.path}?base={tmp_path}"
    )


@pytest.mark.parametrize(
    ("source", "said", "place"),
    [
        ("videomae:MCG-NJU/videomae-base?frames=8", "videomae:MCG-NJU/videomae-base?frames=8", "hub"),
        ("videomae:/home/me/my model?frames=8", "videomae:my model?frames=8", "folder"),
        ("features:/home/me/f.npy?ids=/home/me/ids.txt", "features:f.npy", "folder"),
        ("text:minilm", "text:minilm", "included"),
        ("scratch:videomae-tiny?seed=1", "scratch:videomae-tiny?seed=1", "included"),
    ],
)
def test_base_models_are_named_without_paths(source, said, place):
    base = base_of(source, "0")
    assert (str(base), base.place) == (said, place)


def test_paths_lose_all_but_their_last_part():
    plain = {
        "a": ["/home/me/data", "run:/home/me/run", "C:\\me\\data", "text:/x/y?pool=cls"],
        "b": 1,
        "c": "and/or",
    }
    assert without_paths(plain) == {
        "a": ["data", "run:run", "data", "text:y?pool=cls"],
        "b": 1,
        "c": "and/or",
    }
    assert Path("and/or").name == "or"  # relative names stay


def test_a_readout_is_not_read_for_the_vectors_of_another_model(tmp_path, caplog):
    """A run trained again in place has another readout than the one that an index was made for."""
    run = train_video_run(tmp_path)
    bgs.calibrate(run.path, folds=2)
    reference = f"run:{run.path}"
    model = bgs.load_model(reference)
    assert tuned_identity(run.folder.adapter, run.folder.center) == model.opened.identity
    index = bgs.index(tmp_path / "study", model, tmp_path / "index")
    (known,) = bgs.similar("00.mp4", index, 1)
    assert 0 <= known.kept_together <= 1
    about = json.loads((run.folder.adapter / "bgs.json").read_text())
    about["lora"]["alpha"] += 1
    (run.folder.adapter / "bgs.json").write_text(json.dumps(about))
    (found,) = bgs.similar("00.mp4", tmp_path / "index", 1)
    assert (found.id, found.distance, found.kept_together) == (known.id, known.distance, None)
    assert "is now another model" in caplog.text
