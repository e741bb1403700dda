"""Full-geometry gradients are exact, replay dropout, and need the memory of one micro-batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from bgs import StimulusSet
from bgs.backbones import LoraSettings, attach_lora, load_backbone, pool
from bgs.judgments import Geometry, Trials
from bgs.objective import HybridObjective, LossParts, ObjectiveSettings, Target
from bgs.training import FullGeometry, PerTrial, cached_backward, target_of
from bgs.training import gradient_cache as gradient_cache_module
from bgs.training.settings import PerTrialSettings

N = 14


def stimuli() -> StimulusSet:
    words = ["fight", "hugs", "talk", "park", "kitchen", "street", "two", "men", "people"]
    random = np.random.default_rng(0)
    captions = tuple(
        tuple(" ".join(random.choice(words, random.integers(2, 7))) for _ in range(random.integers(1, 4)))
        for _ in range(N)
    )
    return StimulusSet(ids=tuple(f"s{i}" for i in range(N)), captions=captions)


def trials(n_trials: int = 120, seed: int = 0) -> Trials:
    random = np.random.default_rng(seed)
    shown = np.stack([random.choice(N, 3, replace=False) for _ in range(n_trials)])
    return Trials(
        participant=np.array([f"p{i % 5}" for i in range(n_trials)]),
        block=np.full(n_trials, "b"),
        trial=np.arange(n_trials),
        stimuli=shown,
        odd=random.integers(0, 3, n_trials),
        rt=np.full(n_trials, 2.0),
        n_stimuli=N,
    )


def backbone_with_live_adapters(folder):
    backbone = load_backbone(f"text:{folder}")
    attach_lora(backbone, LoraSettings(rank=3))
    torch.manual_seed(7)
    with torch.no_grad():
        for parameter in backbone.trainable().values():
            parameter.add_(0.1 * torch.randn_like(parameter))  # so that both factors get gradient
    return backbone


def gradients(backbone) -> dict[str, torch.Tensor]:
    found = {name: parameter.grad.clone() for name, parameter in backbone.trainable().items()}
    for parameter in backbone.trainable().values():
        parameter.grad = None
    return found


def method(
    backbone,
    micro_batch: int,
    keep_graphs: int = 0,
    views: int = 0,
    preset: str = "hybrid",
    clips_per_update: int | None = None,
) -> FullGeometry:
    geometry = Geometry.from_trials(trials(), np.arange(N))
    objective = HybridObjective(ObjectiveSettings(preset=preset))
    return FullGeometry(
        backbone,
        backbone.prepare(stimuli()),
        np.arange(N),
        target_of(geometry),
        objective,
        views,
        micro_batch,
        keep_graphs,
        0,
        clips_per_update,
    )


def plain_gradients(full: FullGeometry) -> tuple[LossParts, dict[str, torch.Tensor]]:
    """Back-propagation through all micro-batches at once, with the same random numbers."""
    from bgs._rng import torch_seed

    full.backbone.train()
    units = full.inputs.draw(full.positions, 0, None)
    batches = full.inputs.batches(units, full.micro_batch)
    rows = []
    for number, batch in enumerate(batches):
        torch.manual_seed(torch_seed(torch_seed(full.seed, "dropout", 0, 0), "micro-batch", number))
        rows.append(full.backbone.forward(full.inputs.batch(batch)))
    vectors = torch.cat(rows)
    owner = full.inputs.owner[np.concatenate(batches)]
    parts = full.objective(pool(vectors, owner, N), full.target, 0)
    parts.total.backward()
    return parts, gradients(full.backbone)


@pytest.mark.parametrize(("micro_batch", "keep_graphs"), [(1, 0), (3, 0), (5, 2), (8, 99), (1000, 0)])
def test_full_geometry_gradient_equals_plain_backpropagation(tiny_text, micro_batch, keep_graphs):
    backbone = backbone_with_live_adapters(tiny_text)
    full = method(backbone, micro_batch, keep_graphs)
    expected_loss, expected = plain_gradients(full)
    loss = full.accumulate(0, 0)
    torch.testing.assert_close(loss.total, expected_loss.total.detach())
    found = gradients(backbone)
    assert found.keys() == expected.keys()
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-4, atol=1e-6, msg=name)
        assert expected[name].abs().max() > 1e-5, name


def test_without_replayed_dropout_the_gradient_is_wrong(tiny_text, monkeypatch):
    backbone = backbone_with_live_adapters(tiny_text)
    full = method(backbone, 3)
    _, expected = plain_gradients(full)
    drawn = iter(range(10_000))
    monkeypatch.setattr(gradient_cache_module, "torch_seed", lambda *names: next(drawn))
    full.accumulate(0, 0)
    found = gradients(backbone)
    worst = max(
        float((found[name] - expected[name]).abs().max() / expected[name].abs().max()) for name in expected
    )
    assert worst > 0.05


def test_every_micro_batch_and_update_has_its_own_dropout():
    layer, batch = nn.Dropout(0.5), torch.ones(1, 40)
    seen = []

    def loss(vectors: torch.Tensor) -> LossParts:
        seen.append(vectors.detach().clone())
        return LossParts(vectors.sum(), vectors.sum(), vectors.sum())

    weight = torch.ones(1, requires_grad=True)
    for seed in (0, 1, 0):
        cached_backward(lambda given: layer(given * weight), [batch, batch], loss, seed=seed)
    first, second, again = seen
    assert torch.equal(first, again)
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first, second)


class _LiveBytes:
    """Counts the bytes that autograd keeps alive, and their peak."""

    def __init__(self) -> None:
        self.now = self.peak = 0

    def pack(self, tensor: torch.Tensor):
        return _Kept(self, tensor)

    def unpack(self, kept):
        return kept.tensor


class _Kept:
    def __init__(self, counter: _LiveBytes, tensor: torch.Tensor) -> None:
        self.counter, self.tensor, self.bytes = counter, tensor, tensor.nbytes
        counter.now += self.bytes
        counter.peak = max(counter.peak, counter.now)

    def __del__(self) -> None:
        self.counter.now -= self.bytes


def peak_of_a_step(n_clips: int, cached: bool) -> int:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(8, 256), nn.GELU(), nn.Linear(256, 256), nn.GELU(), nn.Linear(256, 2))
    batches = list(torch.randn(n_clips // 8, 8, 8))

    def loss(v: torch.Tensor) -> LossParts:
        return LossParts(v.square().mean(), v.mean(), v.mean())

    counter = _LiveBytes()
    with torch.autograd.graph.saved_tensors_hooks(counter.pack, counter.unpack):
        if cached:
            cached_backward(network, batches, loss)
        else:
            loss(torch.cat([network(batch) for batch in batches])).total.backward()
    return counter.peak


def test_memory_does_not_grow_with_the_number_of_clips():
    small, large = peak_of_a_step(64, cached=True), peak_of_a_step(1024, cached=True)
    embedding_bytes = 1024 * 2 * 4  # the (N, D) matrix itself is all that may grow
    assert large - small <= 2 * embedding_bytes
    assert peak_of_a_step(1024, cached=False) > 10 * large


def test_unseen_pairs_are_not_in_the_target():
    geometry = Geometry.from_trials(trials(6), np.arange(N))
    target = target_of(geometry)
    assert len(target.pairs) == np.isfinite(geometry.rdm[np.triu_indices(N, 1)]).sum() < N * (N - 1) // 2
    for (i, j), value, count in zip(target.pairs, target.dissimilarity, target.counts, strict=True):
        assert geometry.rdm[i, j] == pytest.approx(float(value))
        assert geometry.weights[i, j] == count


def test_per_trial_gradient_is_that_of_its_batch(tiny_text):
    """Without dropout, one update's gradient equals back-propagation through its four trials by hand."""
    backbone = backbone_with_live_adapters(tiny_text)
    backbone.train = lambda mode=True: None
    target = target_of(Geometry.from_trials(trials(), np.arange(N)))
    settings = ObjectiveSettings(preset="triplet-only")
    per_trial = PerTrial(
        backbone,
        backbone.prepare(stimuli()),
        np.arange(N),
        target,
        HybridObjective(settings),
        0,
        PerTrialSettings(batch=4),
        0,
    )
    assert per_trial.updates_per_epoch == 30
    for module in backbone.modules():
        module.eval()
    per_trial.accumulate(0, 3)
    found = gradients(backbone)
    chosen = per_trial._batch(0, 3)
    units = per_trial.inputs.draw(np.arange(N), 0, None)
    vectors = pool(backbone.forward(per_trial.inputs.batch(units)), per_trial.inputs.owner[units], N)
    parts = HybridObjective(settings)(vectors, target.batch(chosen), 0)
    parts.total.backward()
    for name, expected in gradients(backbone).items():
        torch.testing.assert_close(found[name], expected, rtol=1e-3, atol=1e-6, msg=name)


def test_per_trial_rsa_comes_as_often_as_published(tiny_text):
    backbone = backbone_with_live_adapters(tiny_text)
    target = target_of(Geometry.from_trials(trials(), np.arange(N)))
    objective = HybridObjective(ObjectiveSettings(preset="paper-v1"))
    per_trial = PerTrial(
        backbone, backbone.prepare(stimuli()), np.arange(N), target, objective, 1, PerTrialSettings(), 0
    )
    parts = [per_trial.accumulate(0, update).as_dict() for update in range(per_trial.updates_per_epoch)]
    carried = [part for part in parts if np.isfinite(part["rsa"])]
    assert len(carried) == 6
    for part in carried:
        assert part["loss"] == pytest.approx(0.7 * part["local"] - 0.3 * part["rsa"], abs=1e-5)


def test_the_published_correlation_leaves_pairs_without_gradient_out(tiny_text):
    """Of 24 clips 6 are learned from: 15 pairs among these and 108 of one of them with one of the others."""
    backbone = backbone_with_live_adapters(tiny_text)
    target = target_of(Geometry.from_trials(trials(), np.arange(N)))
    per_trial = PerTrial(
        backbone, backbone.prepare(stimuli()), np.arange(N), target, HybridObjective(ObjectiveSettings()), 1,
        PerTrialSettings(), 0,
    )  # fmt: skip
    clips = np.random.default_rng(0).permutation(N)[:8]
    among = per_trial._pairs_among(clips, 3)
    observed = {tuple(sorted(pair)) for pair in target.pairs.tolist()}
    expected = {
        tuple(sorted((int(clips[i]), int(clips[j])))) for i in range(8) for j in range(i) if min(i, j) < 3
    } & observed
    assert {tuple(sorted(int(clips[place]) for place in pair)) for pair in among.pairs.tolist()} == expected
    assert len(among.pairs) == len(among.dissimilarity) == len(expected)


def test_an_rsa_term_without_an_observed_pair_is_none(tiny_text):
    backbone = backbone_with_live_adapters(tiny_text)
    full = target_of(Geometry.from_trials(trials(), np.arange(N)))
    nothing = Target(full.triplets, full.odd, full.pairs[:0], full.dissimilarity[:0], full.counts[:0])
    per_trial = PerTrial(
        backbone, backbone.prepare(stimuli()), np.arange(N), nothing, HybridObjective(ObjectiveSettings()), 1,
        PerTrialSettings(), 0,
    )  # fmt: skip
    parts = per_trial.accumulate(0, 0).as_dict()
    assert parts["rsa"] == 0
    assert np.isfinite(parts["loss"])


def test_parts_of_the_clips_are_all_clips_once_and_differ_between_epochs(tiny_text):
    full = method(backbone_with_live_adapters(tiny_text), 5, clips_per_update=5)
    assert full.updates_per_epoch == 3
    epochs = [[full._clips(epoch, update) for update in range(3)] for epoch in range(2)]
    for parts in epochs:
        assert sorted(np.concatenate(parts)) == list(range(N))
        assert sorted(map(len, parts)) == [4, 5, 5]
    assert not all(np.array_equal(one, other) for one, other in zip(*epochs, strict=True))


def test_the_loss_on_trials_of_random_parts_is_that_of_all_on_average(tiny_text):
    """Over all sets of k clips, not a sample of them: the expectation is exact."""
    from itertools import combinations

    n, k = 7, 4
    random = np.random.default_rng(0)
    shown = np.stack([random.choice(n, 3, replace=False) for _ in range(25)])
    target = Target(
        torch.as_tensor(shown), torch.as_tensor(random.integers(0, 3, 25)), torch.tensor([[0, 1], [2, 5], [3, 6]]),
        torch.tensor([0.1, 0.7, 0.4]), torch.tensor([1.0, 2.0, 3.0]),
    )  # fmt: skip
    vectors = torch.as_tensor(random.standard_normal((n, 5)))
    objective = HybridObjective(ObjectiveSettings())
    sets = [torch.tensor(chosen) for chosen in combinations(range(n), k)]
    estimates = [float(objective(vectors[chosen], target.among(chosen, n), 0).local) for chosen in sets]
    assert np.mean(estimates) == pytest.approx(float(objective(vectors, target, 0).local))
    assert np.std(estimates) > 0.01
    # Every pair is in as many sets as any other, with its own values.
    seen = [
        tuple(map(float, row)) for chosen in sets for row in target.among(chosen, n).dissimilarity[:, None]
    ]
    assert {value: seen.count(value) for value in set(seen)} == dict.fromkeys(set(seen), 10)


def test_a_part_without_trials_or_pairs_has_no_gradient():
    vectors = torch.randn(4, 3, requires_grad=True)
    whole = Target(
        torch.tensor([[0, 1, 2]]), torch.tensor([0]), torch.tensor([[0, 1]]), torch.tensor([0.5]), torch.tensor([1.0])
    )  # fmt: skip
    parts = HybridObjective(ObjectiveSettings())(vectors[1:], whole.among(torch.tensor([1, 2, 3]), 4), 0)
    assert [float(part.detach()) for part in (parts.total, parts.local, parts.rsa)] == [0, 0, 0]
    parts.total.backward()
    assert not vectors.grad.any()
