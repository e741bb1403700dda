"""Text and lookup backbones, LoRA, heads and adapters: strict, exact, and touching only what is meant."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch
from torch import nn

from bgs import BgsError, StimulusSet
from bgs._errors import DataError
from bgs._files import sha256
from bgs.backbones import LoraSettings, attach_lora, embed, load_adapter, load_backbone, pool, save_adapter
from bgs.backbones.adapter_about import read_about
from bgs.backbones.lora import linear_pattern, new_head, share_trainable

STIMULI = StimulusSet(
    ids=("a", "b", "c"),
    captions=(
        ("two men fight", "people talk in the park"),
        ("a woman hugs a child",),
        ("people talk", "talk", "near"),
    ),
)


def embed_all(backbone, stimuli=STIMULI, micro_batch=2):
    return embed(backbone, backbone.prepare(stimuli), np.arange(len(stimuli)), micro_batch)


def perturb(backbone) -> None:
    """Stand in for training: move every trained parameter."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in backbone.trainable().values():
            parameter.add_(0.05 * torch.randn_like(parameter))


def tuned(reference: str, settings: LoraSettings | None = LoraSettings(), head: bool = False):  # noqa: B008
    backbone = load_backbone(reference)
    attach_lora(backbone, settings, new_head(backbone.spec.width, 8, 0.3, 0) if head else None)
    if settings is None:
        backbone.prepare(STIMULI)
    perturb(backbone)
    return backbone


def test_a_clip_is_the_mean_of_its_captions_unit_vectors(tiny_text):
    from sentence_transformers import SentenceTransformer

    encoder = SentenceTransformer(str(tiny_text), device="cpu")
    expected = np.stack(
        [encoder.encode(list(c), normalize_embeddings=True).mean(axis=0) for c in STIMULI.captions]
    )
    np.testing.assert_allclose(embed_all(load_backbone(f"text:{tiny_text}")), expected, atol=1e-6)


@pytest.mark.parametrize("micro_batch", [1, 2, 5, 100])
def test_embeddings_do_not_depend_on_batching_or_order(tiny_text, micro_batch):
    backbone = load_backbone(f"text:{tiny_text}")
    inputs = backbone.prepare(STIMULI)
    values = embed(backbone, inputs, np.array([2, 0]), micro_batch)
    np.testing.assert_allclose(values, embed_all(backbone)[[2, 0]], atol=1e-6)


def test_drawn_views_are_without_replacement_and_seeded(tiny_text):
    inputs = load_backbone(f"text:{tiny_text}").prepare(STIMULI)
    seen = set()
    for seed in range(20):
        units = inputs.draw(np.array([0, 2]), 2, np.random.default_rng(seed))
        assert np.array_equal(units, inputs.draw(np.array([0, 2]), 2, np.random.default_rng(seed)))
        assert np.bincount(inputs.owner[units], minlength=3).tolist() == [2, 0, 2]
        assert len(set(units)) == len(units)
        seen |= set(units.tolist())
    assert seen == set(np.flatnonzero(inputs.owner != 1).tolist())


def test_pool_needs_a_unit_of_every_stimulus():
    with pytest.raises(BgsError, match="stimulus 1 has nothing to encode"):
        pool(torch.ones(2, 3), np.array([0, 2]), 3)


def test_fresh_adapters_change_nothing(tiny_text):
    backbone = load_backbone(f"text:{tiny_text}")
    base = embed_all(backbone)
    attach_lora(backbone, LoraSettings())
    np.testing.assert_array_equal(embed_all(backbone), base)


@pytest.mark.parametrize(("layers", "blocks"), [("all", {0, 1, 2}), ("last:2", {1, 2}), ("last:1", {2})])
def test_lora_sits_on_every_linear_layer_of_the_wanted_blocks_only(tiny_text, layers, blocks):
    backbone = load_backbone(f"text:{tiny_text}")
    attach_lora(backbone, LoraSettings(rank=2, layers=layers))
    names = [name for name in backbone.trainable() if "lora_A" in name]
    assert {int(re.search(r"\.layer\.(\d+)\.", name)[1]) for name in names} == blocks
    assert len(names) == 6 * len(blocks)  # query, key, value, attention output, MLP in and out
    assert all("lora_" in name for name in backbone.trainable())
    trained, total = share_trainable(backbone)
    assert 0 < trained < total


def test_every_lora_parameter_receives_gradient(tiny_text):
    backbone = tuned(f"text:{tiny_text}", head=True)
    inputs = backbone.prepare(STIMULI)
    backbone.train()
    (backbone.forward(inputs.batch(np.arange(6))) * torch.linspace(-1, 1, 8)).sum().backward()
    for name, parameter in backbone.trainable().items():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_pattern_matches_whole_names_only():
    names = ["encoder.layer.0.mlp.fc1", "encoder.layer.1.mlp.fc1", "encoder.layer.10.mlp.fc1"]
    pattern = linear_pattern(names, "last:10")
    assert [bool(re.fullmatch(pattern, name)) for name in names] == [False, True, True]
    assert not re.fullmatch(pattern, "predictor.encoder.layer.1.mlp.fc1")


def test_more_blocks_than_there_are_is_an_error(tiny_text):
    with pytest.raises(BgsError, match=r"last:1 to last:3, got last:4"):
        attach_lora(load_backbone(f"text:{tiny_text}"), LoraSettings(layers="last:4"))


@pytest.mark.parametrize("head", [False, True])
def test_a_saved_adapter_reloads_bit_equal(tiny_text, tmp_path, head):
    settings = LoraSettings(layers="last:2")
    backbone = tuned(f"text:{tiny_text}", settings, head)
    save_adapter(backbone, settings, tmp_path / "run" / "adapter")
    again = load_backbone(f"run:{tmp_path / 'run'}")
    np.testing.assert_array_equal(embed_all(again), embed_all(backbone))
    if not head:
        assert np.abs(embed_all(again) - embed_all(load_backbone(f"text:{tiny_text}"))).max() > 1e-4


def test_a_lookup_table_reloads_and_knows_stimuli_by_id(tmp_path):
    backbone = tuned("lookup:5", None)
    save_adapter(backbone, None, tmp_path / "adapter")
    again = load_backbone(f"run:{tmp_path}")
    wider = StimulusSet(ids=("new", "c", "a"))
    values = embed_all(again, wider)
    np.testing.assert_array_equal(values[[2, 1]], embed_all(backbone)[[0, 2]])
    np.testing.assert_array_equal(values[0], embed_all(load_backbone("lookup:5"), wider)[0])


def test_peft_itself_reads_the_adapter(tiny_text, tmp_path):
    from peft import PeftModel
    from transformers import AutoModel

    backbone = tuned(f"text:{tiny_text}")
    save_adapter(backbone, LoraSettings(), tmp_path)
    model = PeftModel.from_pretrained(AutoModel.from_pretrained(tiny_text), str(tmp_path)).eval()
    backbone.train(False)
    batch = backbone.prepare(STIMULI).batch(np.arange(3))
    with torch.no_grad():
        ours = backbone.module(**batch).last_hidden_state
        torch.testing.assert_close(model(**batch).last_hidden_state, ours, atol=1e-6, rtol=0)
        torch.testing.assert_close(
            model.merge_and_unload()(**batch).last_hidden_state, ours, atol=1e-5, rtol=0
        )


def test_loading_is_strict(tiny_text, tmp_path):
    from safetensors.torch import load_file, save_file

    backbone = tuned(f"text:{tiny_text}")
    save_adapter(backbone, LoraSettings(), tmp_path)
    file = tmp_path / "adapter_model.safetensors"
    whole = load_file(file)
    first = sorted(whole)[0]

    def save(tensors):
        save_file(tensors, file)
        change_about(tmp_path, lambda about: about.update(sha256={file.name: sha256(file)}))

    save({name: tensor for name, tensor in whole.items() if name != first})
    with pytest.raises(BgsError, match=f"1 missing parameters: {re.escape(first)}"):
        load_adapter(load_backbone(f"text:{tiny_text}"), tmp_path)
    save({**whole, "extra.weight": torch.ones(1)})
    with pytest.raises(BgsError, match=r"1 unexpected parameters: extra\.weight"):
        load_adapter(load_backbone(f"text:{tiny_text}"), tmp_path)
    save({**whole, first: torch.ones(1, 2)})
    with pytest.raises(BgsError, match="the wrong shape"):
        load_adapter(load_backbone(f"text:{tiny_text}"), tmp_path)
    file.write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    with pytest.raises(BgsError):
        load_adapter(load_backbone(f"text:{tiny_text}"), tmp_path)


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "head.safetensors"])
def test_a_flipped_bit_in_saved_weights_is_noticed(tiny_text, tmp_path, name):
    backbone = tuned(f"text:{tiny_text}", head=True)
    save_adapter(backbone, LoraSettings(), tmp_path)
    data = bytearray((tmp_path / name).read_bytes())
    data[-1] ^= 1
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BgsError, match=f"{name}: damaged: the weights do not match their hash"):
        load_adapter(load_backbone(f"text:{tiny_text}"), tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        *((lambda about, key=key: about.pop(key), f"{key} missing .*earlier") for key in (
            "family", "model", "revision", "settings", "lora", "head", "trained_on", "sha256",
        )),
        (lambda about: about.update(surprise=1), "unexpected key surprise"),
        (lambda about: about.update(stimulus_ids=[]), "unexpected key stimulus_ids"),
        (lambda about: about.update(sha256={}), "sha256 is of none, not of adapter_model.safetensors, head.safetensors"),
        (lambda about: about["sha256"].pop("head.safetensors"), "sha256 is of adapter_model.safetensors, not of"),
        (lambda about: about["sha256"].update({"x": "0"}), "sha256 is of .*x, not of"),
        (lambda about: about["lora"].pop("alpha"), "lora lacks alpha"),
        (lambda about: about["head"].pop("dropout"), "head has keys dim, not dim, dropout"),
        (lambda about: about.update(trained_on={"films": "a"}), "trained_on: films is not a list of ids"),
        (lambda about: about["lora"].update(alpha=400), "describes: lora_alpha; expected 400.0, got 16"),
        (lambda about: about.update(family="videomae"), "trained on other weights; expected videomae"),
        (lambda about: about.update(model="run:mine"), "the base model, run:mine, is itself tuned"),
    ],
)  # fmt: skip
def test_every_key_of_an_adapter_is_there_and_says_what_its_files_say(tiny_text, tmp_path, change, said):
    save_adapter(tuned(f"text:{tiny_text}", head=True), LoraSettings(), tmp_path)
    load_adapter(load_backbone(f"text:{tiny_text}"), tmp_path)
    change_about(tmp_path, change)
    with pytest.raises(DataError, match=said):
        load_adapter(load_backbone(f"text:{tiny_text}"), tmp_path)


@pytest.mark.parametrize(
    ("key", "value"), [("lora_alpha", 400), ("r", 4), ("use_rslora", True), ("lora_dropout", None)]
)
def test_what_peft_reads_is_what_bgs_reads(tiny_text, tmp_path, key, value):
    save_adapter(tuned(f"text:{tiny_text}"), LoraSettings(), tmp_path)
    path = tmp_path / "adapter_config.json"
    known = json.loads(path.read_text())
    path.write_text(json.dumps(known | {"base_model_name_or_path": "me/mine", "peft_version": "9"}))
    load_adapter(load_backbone(f"text:{tiny_text}"), tmp_path)
    path.write_text(json.dumps(known | {key: value}))
    with pytest.raises(DataError, match=f"not the adapter that bgs.json describes: {key}"):
        load_adapter(load_backbone(f"text:{tiny_text}"), tmp_path)
    path.unlink()
    with pytest.raises(BgsError, match=path.name):
        load_adapter(load_backbone(f"text:{tiny_text}"), tmp_path)


def change_about(folder, change):
    """Change ``bgs.json``."""
    path = folder / "bgs.json"
    about = json.loads(path.read_text())
    change(about)
    path.write_text(json.dumps(about))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": "bgs-adapter/1"}', "\0\0"])
def test_a_broken_description_of_an_adapter_is_one_line(tmp_path, text):
    (tmp_path / "bgs.json").write_text(text)
    with pytest.raises(BgsError, match=r"bgs\.json: (damaged|unsupported adapter format)"):
        read_about(tmp_path)


def test_an_adapter_refuses_another_base(tiny_text, tmp_path):
    backbone = tuned(f"text:{tiny_text}")
    save_adapter(backbone, LoraSettings(), tmp_path)
    about = json.loads((tmp_path / "bgs.json").read_text())
    (tmp_path / "bgs.json").write_text(json.dumps({**about, "revision": "0" * 64}))
    with pytest.raises(BgsError, match="trained on other weights"):
        load_adapter(load_backbone(f"text:{tiny_text}"), tmp_path)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("text", "unknown model"),
        ("runs/nope", "runs/nope: no such folder"),
        ("run:runs/nope", "runs/nope: no such folder"),
        ("sound:x", "unknown model"),
        ("lookup:0", "lookup:<dimensions>"),
        ("lookup:x", "lookup:<dimensions>"),
        ("run:nowhere", "nowhere: no such folder"),
        ("text:./no-such-folder", "cannot load a sentence encoder"),
        ("text:minilmm", "did you mean text:minilm"),
        ("text:mini-lm", "did you mean text:minilm"),
    ],
)
def test_bad_references_are_one_line_errors(reference, message, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(BgsError, match=message) as caught:
        load_backbone(reference)
    assert "\n" not in str(caught.value)


def test_stimuli_without_captions_are_named(tiny_text):
    with pytest.raises(BgsError, match="1 of 2 stimuli have no caption: b"):
        load_backbone(f"text:{tiny_text}").prepare(StimulusSet(ids=("a", "b"), captions=(("talk",), ())))


def test_lora_and_lookup_do_not_mix(tiny_text):
    with pytest.raises(BgsError, match="lora: null"):
        attach_lora(load_backbone("lookup:4"), LoraSettings())
    with pytest.raises(BgsError, match="LoRA settings"):
        attach_lora(load_backbone(f"text:{tiny_text}"), None)


def test_the_head_gives_unit_vectors():
    head = new_head(6, 4, 0.3, 0).eval()
    assert isinstance(head, nn.Module)
    lengths = head(torch.randn(5, 6)).norm(dim=1)
    assert torch.all((lengths - 1).abs() < 1e-5) or torch.any(lengths == 0)
