"""Attention maps over the frames of every clip: last-layer attention, rollout and gradient relevance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from bgs._errors import ConfigError, DataError
from bgs._typing import Float64, Int
from bgs.backbones.backbone import Backbone
from bgs.backbones.clips import Clips, VideoInputs
from bgs.backbones.encode import encode_units
from bgs.backbones.mixing import Mixing, Weights
from bgs.backbones.video import VideoBackbone
from bgs.stimuli import ClipMaps, StimulusSet

Method = Literal["rollout", "last-layer", "gradient"]
METHODS: tuple[Method, ...] = get_args(Method)


class NoAttention(ConfigError):
    """The model has no attention to map."""


def clip_maps(
    backbone: Backbone,
    stimuli: StimulusSet,
    inputs: VideoInputs,
    method: str = "rollout",
    micro_batch: int = 4,
    progress: Callable[[int], None] | None = None,
) -> ClipMaps:
    """A map for every clip: the contribution of each patch of each frame to the embedding.

    Weights are averaged over heads and computed in float32 with unfused attention. A token that spans several
    frames contributes equally to each. With symmetries, only the original clip is used. A projection
    head matters only for ``gradient``.

    Args:
        backbone: a video encoder, tuned or not.
        stimuli: the clips.
        inputs: the result of ``backbone.prepare(stimuli)``.
        method: ``rollout`` (:func:`rollout`), ``last-layer`` (attention of the last block that is run, received
            from the tokens that the embedding averages, or from the class token) or ``gradient``
            (:func:`gradient_relevance`, which embeds all clips once before).
        micro_batch: clips per forward pass. Memory: layers × tokens² × 4 bytes per clip, plus all heads of one block.
        progress: called with the number of clips of each micro-batch.

    Raises:
        ConfigError: unknown method, or the model has no attention: it is not a video encoder, or runs no blocks.
        DataError: a map is 0 everywhere, or ``gradient`` with a single clip.
    """
    backbone = require_attention(backbone, method)
    backbone.train(False)
    owners, first = np.unique(inputs.owner, return_index=True)
    maps_of = _METHODS.get(method) or _relevance_to_mean(backbone, inputs, first, micro_batch)
    values = []
    for start in range(0, len(first), micro_batch):
        clips = inputs.batch(first[start : start + micro_batch])
        values.append(_per_frame(maps_of(backbone, clips), backbone.spec.frames))
        if progress is not None:
            progress(len(clips))
    ids = tuple(stimuli.ids[owner] for owner in owners)
    return ClipMaps(np.concatenate(values), ids, backbone.sampling(), backbone.spec.source, method)


def require_attention(backbone: Backbone, method: str) -> VideoBackbone:
    """Check that a backbone has attention maps, and return it.

    Raises:
        NoAttention: it is not a video encoder, or (except for ``gradient``) runs no blocks or has an embedding that is not
            a weighted mean of tokens.
        ConfigError: unknown method.
    """
    if method not in METHODS:
        raise ConfigError("unknown method", where="--method", expected=", ".join(METHODS), got=method)
    source = backbone.spec.source
    if not isinstance(backbone, VideoBackbone):
        raise NoAttention("this model has no attention over clips", where=source, expected="a video encoder")
    if backbone.spec.depth == 0 and method != "gradient":
        hint = "use a later layer"
        raise NoAttention("no block is run, so there is no attention", where=source, hint=hint)
    if not backbone.weighs_tokens and method != "gradient":
        raise NoAttention(
            "this embedding is not a weighted mean of tokens", where=source, expected="pool=cls or mean, time=mean",
            hint="--method gradient",
        )  # fmt: skip
    return backbone


def rollout(readout: Weights, steps: Sequence[Mixing]) -> Weights:
    """Attention rollout (Abnar & Zuidema 2020, arXiv 2005.00928, eq. 1): weights on the first block's input tokens.

    Each step's matrix becomes A' = (A + I) / 2 for the residual stream, rows summing to 1, and the product over
    steps is applied to the readout: r A'_L … A'_1. Multiplying from the left needs a vector per step instead of
    a matrix, with the same result.

    Args:
        readout: weights of the embedding on the last block's output tokens.
        steps: attention steps in the order of the network.
    """
    for step in reversed(steps):
        readout = (readout + step(readout)) / 2
    return readout


def gradient_relevance(
    backbone: VideoBackbone, clips: Clips, reference: Float[Tensor, " d"]
) -> Float[Tensor, "b u h w"]:
    """|gradient × activation| of every patch token before the first block, for the deviation of a clip from the mean.

    The output is ‖embedding − reference‖, where the reference is the mean embedding of all clips. (The norm of the
    embedding itself is uninformative if the network ends with a norm or a head: it is the same for all clips.) Its gradient
    with respect to a token, times the token, is summed over channels (Shrikumar et al. 2017, arXiv 1704.02685, §2.1).
    It needs no attention weights, and includes the head if there is one.
    """
    with torch.enable_grad(), backbone.autocast():
        tokens = backbone.stem(backbone.pixels(clips)).detach().float().requires_grad_()
        hidden = tokens
        for number in range(backbone.spec.depth):
            hidden = backbone.block(number, hidden)
        features = backbone.final(hidden) if backbone.spec.layer is None else backbone.summary(hidden)
        embedding = features.float() if backbone.head is None else backbone.head(features.float())
        (gradient,) = torch.autograd.grad((embedding - reference).norm(dim=1).sum(), tokens)
    return backbone.on_grid((gradient * tokens.detach()).sum(dim=-1).abs())


@torch.no_grad()
def _rollout_maps(backbone: VideoBackbone, clips: Clips) -> Float[Tensor, "b u h w"]:
    readout, blocks = _attention(backbone, clips)
    return backbone.on_grid(rollout(readout, [step for block in blocks for step in block]))


@torch.no_grad()
def _last_layer_maps(backbone: VideoBackbone, clips: Clips) -> Float[Tensor, "b u h w"]:
    weights, blocks = _attention(backbone, clips)
    for step in reversed(blocks[-1]):
        weights = step(weights)
    return backbone.on_grid(weights)


_METHODS: dict[str, Callable[[VideoBackbone, Clips], Tensor]] = {
    "rollout": _rollout_maps,
    "last-layer": _last_layer_maps,
}


def _relevance_to_mean(
    backbone: VideoBackbone, inputs: VideoInputs, units: Int[np.ndarray, " k"], micro_batch: int
) -> Callable[[VideoBackbone, Clips], Tensor]:
    """Gradient relevance for the distance to the mean embedding of ``units``."""
    if len(units) < 2:
        raise DataError(
            "a single clip has no mean of others to compare with", expected="at least 2 clips for this method"
        )
    mean = encode_units(backbone, inputs, units, micro_batch).mean(dim=0)
    return lambda model, clips: gradient_relevance(model, clips, mean)


def _attention(backbone: VideoBackbone, clips: Clips) -> tuple[Weights, list[tuple[Mixing, ...]]]:
    """The embedding's weights on the last tokens, and the attention steps of every block."""
    hidden, blocks = backbone.stem(backbone.pixels(clips)), []
    for number in range(backbone.spec.depth):
        hidden, steps = backbone.attend(number, hidden)
        blocks.append(steps)
    return backbone.readout(hidden), blocks


def _per_frame(maps: Float[Tensor, "b u h w"], frames: int) -> Float64[np.ndarray, "b t h w"]:
    """Expand maps over tokens to maps over frames, in float64, normalised to sum to 1 per clip (NaN if all are 0)."""
    values = maps.detach().cpu().numpy().astype(np.float64)
    values = values.repeat(frames // values.shape[1], axis=1)
    with np.errstate(invalid="ignore"):
        result: Float64[np.ndarray, "b t h w"] = values / values.sum(axis=(1, 2, 3), keepdims=True)
    return result
