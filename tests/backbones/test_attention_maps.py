"""Where models look: rollout by hand and against whole matrices, every family, tuned models, refusals."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bgs import BgsError, StimulusSet
from bgs.backbones import LoraSettings, VideoInputs, attach_lora, load_backbone, save_adapter
from bgs.backbones.attention import METHODS, clip_maps, gradient_relevance, rollout
from bgs.backbones.lora import new_head
from bgs.backbones.mixing import SpatialMixing, TemporalMixing, TokenMixing
from tiny_models import TINY_CLIPS, save_tiny_video, tiny_clips
from tiny_training import train

FAMILIES = list(TINY_CLIPS)
STIMULI = StimulusSet(ids=("a", "b", "c"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {family: save_tiny_video(family, tmp_path_factory.mktemp(family)) for family in FAMILIES}


def inputs_for(backbone, n: int = 3, symmetry: str = "none") -> VideoInputs:
    clips = tiny_clips(n, backbone.spec.frames, backbone.spec.preprocessing.size)
    return VideoInputs(clips, np.arange(n), symmetry=symmetry)


# --- rollout -------------------------------------------------------------------------------------------------


def test_rollout_worked_by_hand():
    """Two layers, two tokens, readout from the mean.

    A1 = [[1, 0], [.5, .5]], so A1' = [[1, 0], [.25, .75]]; A2 = [[0, 1], [0, 1]], so A2' = [[.5, .5], [0, 1]].
    A2' A1' = [[.625, .375], [.25, .75]]; the mean of its rows is [.4375, .5625].
    """
    first = TokenMixing(torch.tensor([[[1.0, 0.0], [0.5, 0.5]]]))
    second = TokenMixing(torch.tensor([[[0.0, 1.0], [0.0, 1.0]]]))
    found = rollout(torch.tensor([[0.5, 0.5]]), [first, second])
    torch.testing.assert_close(found, torch.tensor([[0.4375, 0.5625]]))


def matrices(backbone, clips) -> list[torch.Tensor]:
    """Head means of attention_maps, (sequences, n, n) a block: what rollout is defined by."""
    with torch.no_grad():
        return [weights.mean(dim=1) for weights in backbone.attention_maps(clips)]


def by_matrices(blocks: list[torch.Tensor]) -> torch.Tensor:
    """A'_L … A'_1 as whole matrices."""
    eye = torch.eye(blocks[0].shape[-1])
    product = eye
    for attention in blocks:
        product = (attention + eye) / 2 @ product
    return product


@pytest.mark.parametrize("method", ["rollout", "last-layer"])
@pytest.mark.parametrize("family", ["vjepa2", "vjepa2.1", "videomae"])
def test_joint_attention_is_the_mean_row_of_the_matrices(folders, family, method):
    backbone = load_backbone(f"{family}:{folders[family]}")
    inputs = inputs_for(backbone)
    found = clip_maps(backbone, STIMULI, inputs, method, micro_batch=2).values
    blocks = matrices(backbone, inputs.batch(np.arange(3)))
    rows = (by_matrices(blocks) if method == "rollout" else blocks[-1]).mean(dim=1)
    expected = rows.reshape(3, 2, 4, 4).repeat_interleave(2, dim=1) / 2  # two tubelets of two frames
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("method", ["rollout", "last-layer"])
def test_clip_looks_from_the_class_token_of_each_frame(folders, method):
    backbone = load_backbone(f"clip:{folders['clip']}")
    inputs = inputs_for(backbone)
    blocks = matrices(backbone, inputs.batch(np.arange(3)))
    rows = (by_matrices(blocks) if method == "rollout" else blocks[-1])[:, 0, 1:].reshape(3, 8, 4, 4)
    expected = rows / rows.sum(dim=(1, 2, 3), keepdim=True)
    np.testing.assert_allclose(clip_maps(backbone, STIMULI, inputs, method).values, expected, atol=1e-6)


def test_divided_attention_moves_weight_as_its_two_matrices_do():
    """2 places, 2 moments; token 1 + 2p + t is place p at moment t."""
    random = np.random.default_rng(0)
    time, space = (random.random(shape) for shape in ((1, 2, 2, 2), (1, 2, 3, 3)))
    time, space = time / time.sum(-1, keepdims=True), space / space.sum(-1, keepdims=True)
    over_time, over_space = np.eye(5), np.zeros((5, 5))
    for place in range(2):
        rows = [1 + 2 * place, 2 + 2 * place]
        over_time[np.ix_(rows, rows)] = time[0, place]
    for moment in range(2):
        rows = [0, 1 + moment, 3 + moment]
        over_space[np.ix_(rows[1:], rows)] = space[0, moment, 1:]
        over_space[0, rows] += space[0, moment, 0] / 2
    weights = random.random(5)
    for step, matrix in (
        (TemporalMixing(torch.tensor(time)), over_time),
        (SpatialMixing(torch.tensor(space)), over_space),
    ):
        np.testing.assert_allclose(matrix.sum(axis=1), 1)
        np.testing.assert_allclose(step(torch.tensor(weights[None]))[0], weights @ matrix)


def test_timesformer_gives_the_attention_over_time_too(folders):
    """Its own maps hold the spatial half; the temporal half is recomputed from queries and keys."""
    backbone = load_backbone(f"timesformer:{folders['timesformer']}")
    clips = inputs_for(backbone).batch(np.arange(2))
    spatial = matrices(backbone, clips)
    with torch.no_grad():
        hidden = backbone.stem(backbone.pixels(clips))
        for number in range(backbone.spec.depth):
            before = hidden
            hidden, (time, space) = backbone.attend(number, hidden)
            torch.testing.assert_close(space.attention.flatten(0, 1), spatial[number])
            block = backbone.blocks[number]
            patches = block.temporal_layernorm(before[:, 1:].reshape(2 * 16, 4, 32))
            query, key, _ = block.temporal_attention.attention.qkv(patches).unflatten(-1, (3, 4, 8)).unbind(2)
            scores = torch.einsum("sthc,suhc->shtu", query, key) / 8**0.5
            torch.testing.assert_close(time.attention.flatten(0, 1), scores.softmax(-1).mean(1))
            torch.testing.assert_close(hidden, backbone.block(number, before))


# --- every family --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", FAMILIES)
def test_maps_sum_to_one_whatever_the_micro_batch(folders, family, method):
    backbone = load_backbone(f"{family}:{folders[family]}")
    before = backbone.forward(inputs_for(backbone).batch(np.arange(2)))
    found = clip_maps(backbone, STIMULI, inputs_for(backbone), method, micro_batch=3)
    assert found.values.shape == (3, backbone.spec.frames, 4, 4)
    assert found.stimulus_ids == STIMULI.ids
    assert found.sampling == backbone.sampling()
    np.testing.assert_allclose(found.values.sum(axis=(1, 2, 3)), 1)
    assert found.values.std(axis=(1, 2, 3)).min() > 0
    one = clip_maps(backbone, STIMULI, inputs_for(backbone), method, micro_batch=1)
    np.testing.assert_allclose(one.values, found.values, atol=1e-6)
    after = backbone.forward(inputs_for(backbone).batch(np.arange(2)))
    torch.testing.assert_close(after, before, atol=0, rtol=0)  # fused attention is back


@pytest.mark.parametrize("family", FAMILIES)
def test_gradient_relevance_is_the_slope_of_the_distance(folders, family):
    """Scaling a patch's token by 1 + ε changes ‖embedding − reference‖ by ε times its (signed) relevance."""
    backbone = load_backbone(f"{family}:{folders[family]}")
    attach_lora(backbone, LoraSettings(rank=2), new_head(backbone.spec.width, 8, 0.3, 0))
    backbone.train(False)
    clips = inputs_for(backbone).batch(np.arange(1))
    found = gradient_relevance(backbone, clips, torch.ones(8) / 8).flatten()

    def distance(tokens):
        for number in range(backbone.spec.depth):
            tokens = backbone.block(number, tokens)
        return float((backbone.head(backbone.final(tokens)) - 1 / 8).norm())

    tokens = backbone.stem(backbone.pixels(clips)).detach()
    numbers = torch.arange(float(tokens[..., 0].numel())).reshape(tokens.shape[:-1])
    place = int(found.argmax())
    scaled = (numbers == backbone.on_grid(numbers).flatten()[place])[..., None]
    with torch.no_grad():
        slope = (distance(tokens * (1 + 1e-2 * scaled)) - distance(tokens * (1 - 1e-2 * scaled))) / 2e-2
    assert abs(slope) == pytest.approx(float(found[place]), rel=0.05)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_weights_of_an_adapter_are_seen(folders, family, tmp_path):
    reference = f"{family}:{folders[family]}"
    tuned = load_backbone(reference)
    attach_lora(tuned, LoraSettings(rank=2))
    train(tuned, inputs_for(tuned, 6), updates=3)
    save_adapter(tuned, LoraSettings(rank=2), tmp_path / "run" / "adapter")
    again = load_backbone(f"run:{tmp_path / 'run'}")
    base = load_backbone(reference)
    for method in METHODS:
        maps = [clip_maps(each, STIMULI, inputs_for(each), method).values for each in (base, tuned, again)]
        np.testing.assert_array_equal(maps[1], maps[2])
        assert np.abs(maps[1] - maps[0]).max() > 1e-4


def test_an_earlier_layer_and_one_picture(folders):
    whole = load_backbone(f"vjepa2:{folders['vjepa2']}")
    short = load_backbone(f"vjepa2:{folders['vjepa2']}?layer=2")
    blocks = matrices(whole, inputs_for(whole).batch(np.arange(3)))
    found = clip_maps(short, STIMULI, inputs_for(short), "last-layer").values
    np.testing.assert_allclose(found[:, ::2].reshape(3, -1) * 2, blocks[1].mean(dim=1), atol=1e-6)
    for family in ("vjepa2", "vjepa2.1"):
        single = load_backbone(f"{family}:{folders[family]}?frames=1")
        assert clip_maps(single, STIMULI, inputs_for(single)).values.shape == (3, 1, 4, 4)


def test_symmetric_images_do_not_count(folders):
    backbone = load_backbone(f"videomae:{folders['videomae']}")
    plain = clip_maps(backbone, STIMULI, inputs_for(backbone))
    square = clip_maps(backbone, STIMULI, inputs_for(backbone, symmetry="square"))
    np.testing.assert_array_equal(square.values, plain.values)


def test_models_that_look_at_nothing(folders):
    inputs = inputs_for(load_backbone(f"vjepa2:{folders['vjepa2']}"))
    for model in ("lookup:3", "pixels:", "motion:"):
        with pytest.raises(BgsError, match="no attention over clips; expected a video encoder"):
            clip_maps(load_backbone(model), STIMULI, inputs)
    stem = load_backbone(f"vjepa2:{folders['vjepa2']}?layer=0")
    with pytest.raises(BgsError, match="no block is run"):
        clip_maps(stem, STIMULI, inputs)
    assert len(clip_maps(stem, STIMULI, inputs, "gradient")) == 3
    with pytest.raises(BgsError, match="at least 2 clips"):
        clip_maps(stem, STIMULI, inputs_for(stem, 1), "gradient")
    with pytest.raises(BgsError, match="expected rollout, last-layer, gradient, got saliency"):
        clip_maps(stem, STIMULI, inputs, "saliency")
