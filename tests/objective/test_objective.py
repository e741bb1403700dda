"""Every part of the objective against its slow reference, hand-worked values and invariances."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, rankdata

from bgs.objective import (
    HybridObjective,
    ObjectiveSettings,
    Target,
    choice_loss,
    cosine_similarities,
    hinge_loss,
    pair_similarities,
    reference,
    rsa_correlation,
    soft_rank,
    trial_chunks,
)
from bgs.objective.rsa import mid_ranks, weighted_correlation


def random_problem(seed: int, n: int = 9, d: int = 4, t: int = 25):
    random = np.random.default_rng(seed)
    embeddings = random.standard_normal((n, d))
    triplets = np.stack([random.choice(n, 3, replace=False) for _ in range(t)])
    return embeddings, triplets, random.integers(0, 3, t), random


def similarities(embeddings: np.ndarray, triplets: np.ndarray) -> torch.Tensor:
    return pair_similarities(cosine_similarities(torch.as_tensor(embeddings)), torch.as_tensor(triplets))


def make_target(seed: int = 0, n: int = 9) -> tuple[torch.Tensor, Target]:
    embeddings, triplets, odd, random = random_problem(seed, n)
    first, second = np.triu_indices(n, 1)
    keep = random.random(len(first)) < 0.7
    pairs = np.stack([first[keep], second[keep]], axis=1)
    return torch.as_tensor(embeddings), Target(
        torch.as_tensor(triplets),
        torch.as_tensor(odd),
        torch.as_tensor(pairs),
        torch.as_tensor(random.random(len(pairs))),
        torch.as_tensor(random.integers(1, 9, len(pairs)).astype(float)),
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("hard", [0, 5, 10_000])
def test_hinge_equals_reference(seed, hard):
    embeddings, triplets, odd, _ = random_problem(seed)
    fast = hinge_loss(similarities(embeddings, triplets), torch.as_tensor(odd), 0.2, hard)
    assert float(fast) == pytest.approx(reference.hinge(embeddings, triplets, odd, 0.2, hard), abs=1e-12)


def test_hinge_by_hand():
    # a = b: distance 0; the odd one is at right angles to both: distance 1. Margin 1.2 misses by .2 twice.
    embeddings = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    pairs = pair_similarities(cosine_similarities(embeddings), torch.tensor([[0, 1, 2]]))
    assert float(hinge_loss(pairs, torch.tensor([2]), 1.2)) == pytest.approx(0.2)
    assert float(hinge_loss(pairs, torch.tensor([2]), 0.9)) == 0.0
    # With slot 0 odd the kept pair (b, o) is at distance 1: anchors give .2 + 1 − 0 and .2 + 1 − 1.
    assert float(hinge_loss(pairs, torch.tensor([0]), 0.2)) == pytest.approx((1.2 + 0.2) / 2)


@pytest.mark.parametrize("seed", range(3))
def test_choice_equals_reference(seed):
    embeddings, triplets, odd, _ = random_problem(seed)
    fast = choice_loss(similarities(embeddings, triplets), torch.as_tensor(odd), 0.3)
    assert float(fast) == pytest.approx(reference.choice(embeddings, triplets, odd, 0.3), abs=1e-12)


def test_choice_of_a_collapsed_embedding_is_chance():
    pairs = pair_similarities(cosine_similarities(torch.ones(3, 2)), torch.tensor([[0, 1, 2]]))
    assert float(choice_loss(pairs, torch.tensor([1]))) == pytest.approx(math.log(3))


def test_weighted_correlation_equals_reference_and_scipy():
    random = np.random.default_rng(0)
    x, y, w = random.standard_normal(30), random.standard_normal(30), random.integers(1, 6, 30).astype(float)
    fast = float(weighted_correlation(*map(torch.as_tensor, (x, y, w))))
    assert fast == pytest.approx(reference.correlation(x, y, w), abs=1e-12)
    repeat = w.astype(int)  # a weight of k is k copies
    assert fast == pytest.approx(pearsonr(np.repeat(x, repeat), np.repeat(y, repeat))[0], abs=1e-12)


def test_constant_distances_have_no_correlation_and_a_finite_gradient():
    x = torch.ones(5, requires_grad=True)
    value = weighted_correlation(x, torch.arange(5.0), torch.ones(5))
    value.backward()
    assert value.item() == 0.0
    assert torch.equal(x.grad, torch.zeros(5))


@pytest.mark.parametrize("softness", [0.3, 1.0, 5.0])
def test_soft_rank_equals_reference(softness):
    values = np.random.default_rng(1).standard_normal(7)
    fast = soft_rank(torch.as_tensor(values), softness)
    np.testing.assert_allclose(fast, reference.soft_rank(values, softness), atol=2e-2)


def test_soft_rank_becomes_hard():
    values = np.random.default_rng(2).standard_normal(50)
    np.testing.assert_allclose(soft_rank(torch.as_tensor(values), 1e-6), rankdata(values), atol=1e-6)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(-100, 100), min_size=3, max_size=20, unique=True), st.floats(0.1, 10), st.floats(-5, 5)
)
def test_soft_rank_is_invariant_to_scale_and_order(values, scale, offset):
    x = torch.tensor(values, dtype=torch.float64)
    if x.std() < 1e-3:
        return
    ranks = soft_rank(x)
    torch.testing.assert_close(soft_rank(x * scale + offset), ranks, atol=1e-4, rtol=0)
    torch.testing.assert_close(soft_rank(x.flip(0)), ranks.flip(0), atol=1e-9, rtol=0)
    assert float(ranks.sum()) == pytest.approx(len(values) * (len(values) + 1) / 2)
    assert torch.all(ranks[torch.argsort(x)].diff() >= -1e-9)


@pytest.mark.parametrize("softness", [0.5, 3.0, 30.0])
def test_soft_rank_gradient(softness):
    values = torch.as_tensor(np.random.default_rng(3).standard_normal(8)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: soft_rank(x, softness), (values,), atol=1e-4)


@pytest.mark.parametrize("n", [24, 60])
def test_the_default_softness_gives_the_best_direction(n):
    """A step of fixed length raises the Spearman correlation itself by more than with harder or softer ranks."""
    from scipy.stats import spearmanr

    from bgs.objective.settings import SOFTNESS

    first, second = np.triu_indices(n, 1)

    def gain(seed: int, softness: float) -> float:
        random = np.random.default_rng(seed)
        truth = torch.as_tensor(random.standard_normal((n, 8)))
        human = (1 - cosine_similarities(truth))[first, second].mul(2).round()  # five levels, many ties
        start = torch.cat([truth, torch.zeros(n, 24)], dim=1) + torch.as_tensor(
            random.standard_normal((n, 32))
        )
        start.requires_grad_()
        before = (1 - cosine_similarities(start))[first, second]
        rsa_correlation(before, human, torch.ones_like(human), "spearman", softness).backward()
        moved = start + 0.02 * start.norm() * start.grad / start.grad.norm()
        after = (1 - cosine_similarities(moved))[first, second]
        return float(spearmanr(after.detach(), human)[0] - spearmanr(before.detach(), human)[0])

    mean = {soft: np.mean([gain(seed, soft) for seed in range(5)]) for soft in (0.3, 1.0, SOFTNESS, 15.0)}
    assert SOFTNESS == ObjectiveSettings().softness == 3.0
    assert mean[SOFTNESS] > 1.15 * mean[1.0] > 1.15 * mean[0.3]
    assert mean[SOFTNESS] > mean[15.0]


def test_mid_ranks_equal_scipy():
    values = torch.tensor([0.5, 0.1, 0.5, 0.9, 0.1, 0.5], dtype=torch.float64)
    np.testing.assert_array_equal(mid_ranks(values), rankdata(values))


def test_hard_soft_spearman_equals_scipy_on_distinct_values():
    from scipy.stats import spearmanr

    random = np.random.default_rng(4)
    x, y = random.standard_normal(40), random.integers(0, 4, 40).astype(float)
    value = rsa_correlation(
        torch.as_tensor(x), torch.as_tensor(y), torch.ones(40, dtype=torch.float64), "spearman", 1e-6
    )
    assert float(value) == pytest.approx(spearmanr(x, y)[0], abs=1e-8)


@pytest.mark.parametrize("weighting", ["counts", "mask"])
def test_hybrid_is_the_weighted_sum_of_its_references(weighting):
    embeddings, target = make_target()
    parts = HybridObjective(ObjectiveSettings(weighting=weighting))(embeddings, target, epoch=2)
    local = reference.hinge(embeddings.numpy(), target.triplets.numpy(), target.odd.numpy(), 0.2)
    distances = np.array(
        [reference.cosine_distance(embeddings[i].numpy(), embeddings[j].numpy()) for i, j in target.pairs]
    )
    weights = target.counts.numpy() if weighting == "counts" else np.ones(len(target.pairs))
    rsa = reference.correlation(distances, target.dissimilarity.numpy(), weights)
    assert float(parts.total) == pytest.approx(0.7 * local - 0.5 * rsa, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 100), st.floats(0.1, 10))
def test_objective_is_invariant_to_scale_rotation_and_relabelling(seed, scale):
    embeddings, target = make_target(seed % 5)
    objective = HybridObjective(ObjectiveSettings())
    value = objective(embeddings, target, 3).total
    rotation = torch.linalg.qr(torch.as_tensor(np.random.default_rng(seed).standard_normal((4, 4))))[0]
    torch.testing.assert_close(objective(embeddings @ rotation * scale, target, 3).total, value)
    order = torch.as_tensor(np.random.default_rng(seed).permutation(len(embeddings)))
    place = torch.argsort(order)
    moved = Target(
        place[target.triplets], target.odd, place[target.pairs], target.dissimilarity, target.counts
    )
    torch.testing.assert_close(objective(embeddings[order], moved, 3).total, value)


def test_presets():
    assert ObjectiveSettings(preset="triplet-only").beta.at(10) == 0
    assert ObjectiveSettings(preset="rsa-only").alpha == 0
    budget = ObjectiveSettings(preset="budget-matched")
    assert (budget.hard_negatives, budget.beta.at(10), budget.alpha) == (738, 0, 0.7)
    paper = ObjectiveSettings(preset="paper-v1")
    assert (paper.alpha, paper.margin, paper.rsa, paper.weighting) == (0.7, 0.2, "pearson", "mask")
    assert [round(paper.beta.at(epoch), 6) for epoch in range(6)] == [0.3, 0.4, 0.5, 0.6, 0.7, 0.7]


@pytest.mark.parametrize(
    ("given_keys", "message"),
    [
        ({"local": "choice", "margin": 0.3}, "margin conflicts"),
        ({"temperature": 0.3}, "temperature conflicts"),
        ({"softness": 2.0}, "softness conflicts"),
        ({"preset": "rsa-only", "hard_negatives": 5}, "hard_negatives conflicts"),
        ({"preset": "triplet-only", "alpha": 0.0}, "nothing to learn"),
        ({"presett": "hybrid"}, "presett"),
    ],
)
def test_conflicting_and_unknown_keys_are_refused(given_keys, message):
    with pytest.raises(ValueError, match=message):
        ObjectiveSettings(**given_keys)


@pytest.mark.parametrize("local", ["hinge", "choice"])
@pytest.mark.parametrize("chunk", [1, 7, 25, 26])
def test_loss_and_gradient_in_chunks_are_those_of_all_trials(monkeypatch, local, chunk):
    embeddings, target = make_target(3)
    objective = HybridObjective(ObjectiveSettings(local=local))
    found = []
    for size in (10_000, chunk):
        monkeypatch.setattr(trial_chunks, "CHUNK", size)
        leaf = embeddings.clone().requires_grad_()
        parts = objective(leaf, target, 2)
        (3 * parts.total).backward()
        found.append((parts.local.detach(), leaf.grad))
    torch.testing.assert_close(found[1], found[0], rtol=1e-12, atol=1e-12)
    assert found[0][1].abs().max() > 1e-3


def test_trials_in_chunks_keep_no_more_than_the_similarities_for_the_backward_pass(monkeypatch):
    monkeypatch.setattr(trial_chunks, "CHUNK", 50)
    embeddings, triplets, odd, _ = random_problem(0, t=5000)
    kept: list[int] = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        kept.append(tensor.numel())
        return tensor

    similarity = cosine_similarities(torch.as_tensor(embeddings)).requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        trial_chunks.mean_over_trials(similarity, torch.as_tensor(triplets), torch.as_tensor(odd), hinge_loss)
    assert max(kept) <= 50 * 6
