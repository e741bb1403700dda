"""Attention by region: masks brought to the model's grid, shares whose truth is known, intervals and p."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bgs import BgsError
from bgs.evaluation import AttentionShares, attention_shares, region_shares, sign_flip_p_value
from bgs.evaluation.regions import region_fractions
from bgs.stimuli import ClipMaps, RegionMasks, Sampling

NAMES = ("background", "agent")


def masks_with_square(frames: int = 4, size: int = 32) -> RegionMasks:
    """An agent fills the upper left quarter of every frame."""
    labels = np.zeros((frames, size, size), np.uint8)
    labels[:, : size // 2, : size // 2] = 1
    return RegionMasks(labels, NAMES)


def maps_of(weights: np.ndarray, sampling: Sampling | None = None) -> ClipMaps:
    """Maps of clips c0, c1, … from weights of any scale."""
    values = weights / weights.sum(axis=(1, 2, 3), keepdims=True)
    ids = tuple(f"c{i}" for i in range(len(weights)))
    return ClipMaps(values, ids, sampling or Sampling(weights.shape[1], 32), "a model", "rollout")


# --- masks on the model's grid -------------------------------------------------------------------------------


def slow_fractions(masks: RegionMasks, sampling: Sampling, grid: int, fine: int = 10) -> np.ndarray:
    """Each patch is sampled at fine × fine points; each frame at the middle of its part of the clip."""
    height, width = masks.labels.shape[1:]
    if sampling.crop == "none":
        top, left, down, across = 0.0, 0.0, float(height), float(width)
    else:
        down = across = min(height, width) * sampling.size / sampling.shorter_side
        top, left = (height - down) / 2, (width - across) / 2
    found = np.zeros((len(masks.names), sampling.frames, grid, grid))
    for i in range(sampling.frames):
        frame = masks.labels[int((i + 0.5) / sampling.frames * len(masks.labels))]
        for a in range(grid * fine):
            for b in range(grid * fine):
                y = int(top + (a + 0.5) / (grid * fine) * down)
                x = int(left + (b + 0.5) / (grid * fine) * across)
                found[frame[y, x], i, a // fine, b // fine] += 1 / fine**2
    return found


@pytest.mark.parametrize(
    "sampling",
    [Sampling(3, 40), Sampling(3, 40, crop="none"), Sampling(2, 40, resize=50), Sampling(7, 40)],
    ids=lambda sampling: sampling.key(),
)
def test_fractions_are_those_counted_point_by_point(sampling):
    """Sizes are such that every sampled point lies well inside a pixel."""
    labels = np.random.default_rng(0).integers(0, 2, (5, 10, 20)).astype(np.uint8)
    masks = RegionMasks(labels, NAMES)
    found = region_fractions(masks, NAMES, sampling, (4, 4))
    np.testing.assert_allclose(found, slow_fractions(masks, sampling, 4), atol=1e-9)
    np.testing.assert_allclose(found.sum(axis=0), 1)


@settings(max_examples=50, deadline=None)
@given(frames=st.integers(1, 20), masks=st.integers(1, 60))
def test_masks_follow_the_frames_that_are_decoded(frames, masks):
    """At one mask a video frame they are the frames that decoding picks: the last to begin by the moment."""
    sampling = Sampling(frames, 8)
    labels = np.arange(masks, dtype=np.uint8)[:, None, None] * np.ones((1, 8, 8), np.uint8)
    found = region_fractions(
        RegionMasks(labels, tuple(map(str, range(masks)))), [str(k) for k in range(masks)], sampling, (1, 1)
    )
    moments = sampling.moments(Fraction(0), Fraction(masks))
    np.testing.assert_array_equal(found[:, :, 0, 0].argmax(axis=0), [int(moment) for moment in moments])


def test_a_region_that_a_clip_lacks_covers_nothing_and_spans_are_refused():
    masks = masks_with_square()
    assert not region_fractions(masks, ("object",), Sampling(2, 8), (2, 2)).any()
    with pytest.raises(BgsError, match="span"):
        region_fractions(masks, NAMES, Sampling(2, 8, span=(0, 1)), (2, 2))


# --- shares with known truth ---------------------------------------------------------------------------------


@pytest.mark.parametrize("grid", [2, 3, 8])
def test_even_attention_has_no_enrichment(grid):
    found = region_shares(maps_of(np.ones((1, 4, grid, grid))), {"c0": masks_with_square()})
    np.testing.assert_allclose(found.areas, [[0.75, 0.25]])
    np.testing.assert_allclose(found.measures()["enrichment"], 0, atol=1e-12)


def test_attention_on_the_mask_alone_has_share_one():
    masks = masks_with_square()
    weights = region_fractions(masks, ("agent",), Sampling(4, 32), (4, 4))
    found = region_shares(maps_of(weights), {"c0": masks})
    np.testing.assert_allclose(found.shares, [[0, 1]], atol=1e-12)
    np.testing.assert_allclose(found.measures()["enrichment"], [[-0.75, 0.75]])


def test_what_is_cropped_away_does_not_count():
    """The model sees the middle half of each side: a quarter of the agent's square, in a quarter of its view."""
    found = region_shares(
        maps_of(np.ones((1, 2, 2, 2)), Sampling(2, 16, resize=32)), {"c0": masks_with_square()}
    )
    np.testing.assert_allclose(found.areas, [[0.75, 0.25]])
    corner = np.zeros((4, 32, 32), np.uint8)
    corner[:, :8, :8] = 1
    unseen = region_shares(
        maps_of(np.ones((1, 2, 2, 2)), Sampling(2, 16, resize=32)), {"c0": RegionMasks(corner, NAMES)}
    )
    assert np.isnan(unseen.shares[0, 1])
    assert unseen.areas[0, 0] == 1


def test_a_moving_region_is_met_at_the_right_time():
    labels = np.zeros((2, 8, 8), np.uint8)
    labels[0, :, :4], labels[1, :, 4:] = 1, 1
    weights = np.zeros((1, 4, 1, 2))
    weights[0, :2, 0, 0] = weights[0, 2:, 0, 1] = 1  # follows it: left for two frames, then right
    found = region_shares(maps_of(weights), {"c0": RegionMasks(labels, NAMES)})
    np.testing.assert_allclose(found.shares, [[0, 1]])
    np.testing.assert_allclose(found.areas, [[0.5, 0.5]])


# --- over clips ----------------------------------------------------------------------------------------------


def planted(n: int, strength: float, seed: int = 0) -> ClipMaps:
    """The agent's patch gets about ``strength`` more weight than each of the others."""
    weights = 1 + 0.1 * np.random.default_rng(seed).random((n, 2, 2, 2))
    weights[:, :, 0, 0] += strength + 0.1 * np.arange(n)[:, None] / n
    return maps_of(weights)


def test_tuned_against_base_is_paired_by_clip():
    masks = {f"c{i}": masks_with_square() for i in range(20)}
    base, tuned = planted(20, 0.0), planted(20, 0.5)
    shuffled = base.select(base.stimulus_ids[::-1])
    result = attention_shares(tuned, masks, shuffled, resamples=500, permutations=999)
    share = tuned.values[:, :, 0, 0].sum(axis=1)
    before = base.values[:, :, 0, 0].sum(axis=1)
    agent = result.metrics["agent"]
    assert agent["area"].value == pytest.approx(0.25)
    assert agent["share"].value == pytest.approx(share.mean())
    assert agent["enrichment"].value == pytest.approx(share.mean() - 0.25)
    assert result.against["agent"]["share"].value == pytest.approx(before.mean())
    difference = result.differences["agent"]
    assert difference.value == pytest.approx((share - before).mean())
    assert (difference.n, difference.p) == (20, 0.001)
    wide = stats.t.interval(0.95, 19, (share - before).mean(), stats.sem(share - before))
    np.testing.assert_allclose([difference.low, difference.high], wide, atol=0.2 * (wide[1] - wide[0]))
    assert result.differences["background"].value == pytest.approx(-difference.value)
    assert result.clips["c3"]["agent"] == pytest.approx([0.25, share[3], 0.25, before[3]])


def test_a_model_against_itself_differs_by_nothing():
    masks = {f"c{i}": masks_with_square() for i in range(5)}
    result = attention_shares(planted(5, 1.0), masks, planted(5, 1.0), resamples=50, permutations=50)
    difference = result.differences["agent"]
    assert (difference.value, difference.low, difference.high, difference.p) == (0, 0, 0, 1)


def test_clips_without_a_region_do_not_count_for_it():
    masks = {f"c{i}": masks_with_square() for i in range(4)}
    masks["c1"] = RegionMasks(np.zeros((4, 32, 32), np.uint8), ("background",))
    result = attention_shares(planted(4, 1.0), masks, resamples=50, permutations=50)
    assert {name: found["share"].n for name, found in result.metrics.items()} == {"background": 4, "agent": 3}
    assert np.isnan(result.clips["c1"]["agent"]).all()
    assert result.to_json()["clips"]["c1"]["agent"] == [None, None]


def test_one_clip_has_no_interval():
    result = attention_shares(planted(1, 1.0), {"c0": masks_with_square()}, resamples=10, permutations=10)
    found = result.metrics["agent"]["share"]
    assert found.n == 1
    assert np.isnan([found.low, found.high]).all()


def test_json_round_trip():
    masks = {f"c{i}": masks_with_square() for i in range(3)}
    result = attention_shares(
        planted(3, 1.0), masks, planted(3, 0.0), resamples=20, permutations=20, provenance={"model": "x"}
    )
    again = AttentionShares.from_json(result.to_json())
    assert again == result
    assert again.provenance == {"model": "x", "resamples": 20, "permutations": 20, "seed": 0}
    with pytest.raises(BgsError, match="method: Field required"):
        AttentionShares.from_json({})


def test_refusals():
    masks = {f"c{i}": masks_with_square() for i in range(3)}
    with pytest.raises(BgsError, match="1 of 4 clips have no masks: c3"):
        region_shares(planted(4, 0.0), masks)
    with pytest.raises(BgsError, match="different clips"):
        attention_shares(planted(3, 0.0), masks, planted(2, 0.0))
    with pytest.raises(BgsError, match="no map for c1; expected weights that sum to 1"):
        ClipMaps(np.array([1.0, 0.9]).reshape(2, 1, 1, 1), ("c0", "c1"), Sampling(1, 8), "m", "rollout")


def test_sign_flips_agree_with_all_of_them():
    values = np.array([0.3, 0.5, -0.1, 0.4, 0.2, 0.6, 0.1])
    signs = np.array(np.meshgrid(*[[-1, 1]] * 7)).reshape(7, -1).T
    exact = (np.abs(signs @ values) >= abs(values.sum()) - 1e-12).mean()
    assert sign_flip_p_value(values, permutations=20_000, seed=0) == pytest.approx(exact, abs=0.005)
    assert sign_flip_p_value(values, permutations=1500, seed=1) == sign_flip_p_value(
        -values, permutations=1500, seed=1
    )
    assert np.isnan(sign_flip_p_value(np.empty(0), permutations=10, seed=0))
