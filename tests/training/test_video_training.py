"""Training video encoders: a cached trunk, gradient checkpointing and bf16 give what plain training gives."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from bgs import BgsError
from bgs.backbones import LoraSettings, attach_lora, load_backbone
from bgs.backbones.clips import VideoInputs
from bgs.backbones.trunk import TrunkInputs, allocate
from tiny_models import TINY_CLIPS, save_tiny_video, tiny_clips
from tiny_training import method, train

FAMILIES = list(TINY_CLIPS)


@pytest.fixture(scope="module", params=FAMILIES)
def reference(request, tmp_path_factory) -> str:
    return f"{request.param}:{save_tiny_video(request.param, tmp_path_factory.mktemp(request.param))}"


def prepared(reference: str, layers: str = "all", dropout: float = 0.1):
    backbone = load_backbone(reference)
    attach_lora(backbone, LoraSettings(rank=2, layers=layers, dropout=dropout))
    n = 6
    clips = tiny_clips(n, backbone.spec.frames, backbone.spec.preprocessing.size)
    return backbone, VideoInputs(clips, np.arange(n))


def gradients(backbone, inputs) -> dict[str, torch.Tensor]:
    """Gradients of an update, both factors of every adapter alive."""
    torch.manual_seed(5)
    with torch.no_grad():
        for parameter in backbone.trainable().values():
            parameter.add_(0.05 * torch.randn_like(parameter))
    method(backbone, inputs).accumulate(0, 0)
    return {name: parameter.grad.clone() for name, parameter in backbone.trainable().items()}


def assert_same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor], tolerance: float) -> None:
    assert found.keys() == expected.keys()
    for name in expected:
        assert expected[name].abs().max() > 0, name
        scale = max(1.0, float(expected[name].abs().max()))
        torch.testing.assert_close(found[name], expected[name], atol=tolerance * scale, rtol=0, msg=name)


class _Counter:
    """Counts how often each block runs."""

    def __init__(self, backbone) -> None:
        self.runs = [0] * len(backbone.blocks)
        for number, block in enumerate(backbone.blocks):
            block.register_forward_hook(lambda *_, number=number: self._count(number))

    def _count(self, number: int) -> None:
        self.runs[number] += 1


@pytest.mark.parametrize("layers", ["last:1", "last:2"])
def test_training_from_a_cached_trunk_is_training(reference, layers):
    backbone, inputs = prepared(reference, layers)
    expected_losses = train(backbone, inputs)
    expected = gradients(backbone, inputs)
    backbone, inputs = prepared(reference, layers)
    counter = _Counter(backbone)
    trunk = backbone.cache_trunk(inputs, layers, micro_batch=4)
    assert isinstance(trunk, TrunkInputs)
    np.testing.assert_allclose(train(backbone, trunk), expected_losses, atol=1e-6)
    assert_same(gradients(backbone, trunk), expected, 1e-6)
    kept = int(layers[-1])
    assert set(counter.runs[:-kept]) == {2}  # once for each of two micro-batches, then never again
    assert min(counter.runs[-kept:]) > 2


def test_a_trunk_larger_than_memory_lies_on_disk(reference, monkeypatch):
    backbone, inputs = prepared(reference, "last:1")
    in_memory = backbone.cache_trunk(inputs, "last:1", 4)
    monkeypatch.setattr("bgs.backbones.trunk.MEMORY_LIMIT", 0)
    on_disk = backbone.cache_trunk(inputs, "last:1", 4)
    assert isinstance(on_disk._hidden, np.memmap)
    units = np.array([4, 1])
    assert torch.equal(on_disk.batch(units).hidden, in_memory.batch(units).hidden)


def test_a_full_disk_is_a_clear_error(monkeypatch):
    monkeypatch.setattr("bgs.backbones.trunk.MEMORY_LIMIT", 0)
    monkeypatch.setattr("tempfile.TemporaryFile", partial(open, "/dev/full", "wb", buffering=0))
    with pytest.raises(
        BgsError, match=r"cannot store the output of the frozen blocks: No space left.*0\.1 GiB.*TMPDIR"
    ):
        allocate((30_000_000,))


def test_only_frozen_blocks_are_cached(reference):
    backbone, inputs = prepared(reference, "all")
    assert backbone.cache_trunk(inputs, "all", 4) is inputs
    depth = backbone.spec.depth
    assert backbone.cache_trunk(inputs, f"last:{depth}", 4) is inputs


def test_a_trunk_with_dropout_is_not_cached(tmp_path):
    folder = save_tiny_video("timesformer", tmp_path, hidden_dropout_prob=0.1)
    backbone, inputs = prepared(f"timesformer:{folder}", "last:1")
    assert backbone.cache_trunk(inputs, "last:1", 4) is inputs
    assert "hidden_dropout_prob" in backbone.notes[-1]


@pytest.mark.parametrize("layers", ["all", "last:2"])
def test_checkpointed_gradients_are_the_same(reference, layers):
    backbone, inputs = prepared(reference, layers)
    expected = gradients(backbone, inputs)
    backbone, inputs = prepared(reference, layers)
    backbone.checkpoint_gradients()
    assert_same(gradients(backbone, inputs), expected, 1e-6)


def saved_bytes(backbone, inputs) -> int:
    total = 0

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        nonlocal total
        total += tensor.nbytes
        return tensor

    backbone.train()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        backbone.forward(inputs.batch(np.arange(3)))
    return total


def test_checkpointing_keeps_less(reference):
    backbone, inputs = prepared(reference)
    plain = saved_bytes(backbone, inputs)
    backbone.checkpoint_gradients()
    assert saved_bytes(backbone, inputs) < 0.3 * plain


def test_text_encoders_can_be_checkpointed_too(tiny_text):
    from bgs import StimulusSet

    stimuli = StimulusSet(
        ids=tuple("abcd"), captions=(("talk",), ("people talk",), ("two men fight",), ("near",))
    )
    found = []
    for checkpointed in (False, True):
        backbone = load_backbone(f"text:{tiny_text}")
        attach_lora(backbone, LoraSettings(rank=2))
        if checkpointed:
            backbone.checkpoint_gradients()
        found.append(gradients(backbone, backbone.prepare(stimuli)))
    assert_same(found[1], found[0], 1e-6)
    with pytest.raises(BgsError, match="gradient_checkpointing: the model has no blocks"):
        load_backbone("lookup:4").checkpoint_gradients()


def test_bf16_is_close_to_float32_and_keeps_sums_in_float32(reference):
    backbone, inputs = prepared(reference)
    clips = inputs.batch(np.arange(3))
    backbone.train(False)
    with torch.no_grad():
        exact = backbone.forward(clips)
        backbone.precision = "bf16"
        rough = backbone.forward(clips)
        assert backbone.layer_features(clips).dtype == torch.float32
    assert rough.dtype == torch.float32
    assert 0 < float((rough - exact).abs().max()) < 0.1 * float(exact.abs().max())
    backbone.precision = "auto"
    with torch.no_grad():
        assert torch.equal(backbone.forward(clips), exact)  # a CPU is left in float32
    backbone.precision = "bf16"
    assert all(parameter.dtype == torch.float32 for parameter in backbone.trainable().values())
    assert np.isfinite(train(backbone, inputs, updates=2)).all()


def test_bf16_from_a_cached_trunk_is_bf16(reference):
    losses = []
    for cached in (False, True):
        backbone, inputs = prepared(reference, "last:1", dropout=0)
        backbone.precision = "bf16"
        if cached:
            inputs = backbone.cache_trunk(inputs, "last:1", 3)
        losses.append(train(backbone, inputs, updates=2))
    np.testing.assert_allclose(losses[0], losses[1], atol=2e-3)
