"""Clips as tensors with gradient: an encoder's distance as a perceptual loss."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor

from bgs._errors import ConfigError, DataError
from bgs.backbones import Backbone, VideoBackbone
from bgs.backbones.clips import ColourClips
from bgs.backbones.symmetry import IMAGES
from bgs.runs.frame_source import require_moving
from bgs.stimuli import Sampling
from bgs.stimuli.resizing import resized_sides

#: Values outside are not those of a picture: 0–255, or −1 to 1. A generator may overshoot a little.
_LEAST, _GREATEST = -0.5, 1.5


def tensor_vectors(backbone: Backbone, clips: Tensor) -> Float[Tensor, "*b d"]:
    """Embeddings of clips, through which gradients flow back to their pixels, not to the weights.

    Frames are chosen, resized (antialiased), cropped and normalised as those of a file. A file's are rounded to 8 bits after
    resizing and these are not; of frames that need no resizing, the embeddings are equal to float32 rounding.

    Args:
        backbone: a video model.
        clips: (T, 3, h, w) or (B, T, 3, h, w) floats, 0–1; any number of frames of any size, shown equally long.

    Returns:
        (D,) or (B, D) float32.

    Raises:
        ConfigError: the model has no gradient with respect to pixels.
        DataError: another shape, type or range of values.
    """
    if not isinstance(backbone, VideoBackbone):
        raise ConfigError(
            "no gradient reaches the pixels in this model",
            where=backbone.spec.source,
            expected="a video model",
        )
    batch = _checked(clips)
    images = IMAGES[backbone.symmetry()]
    fitted = _fit(batch, backbone.sampling())
    backbone.train(False)
    with _without_gradient_of_weights(backbone):
        each = [backbone.forward(ColourClips(_turned(fitted, image, images))) for image in range(images)]
    vectors = torch.stack(each).mean(dim=0)
    return vectors if clips.ndim == 5 else vectors[0]


def tensor_distance(
    first: Float[Tensor, "*b d"], second: Float[Tensor, "*c d"], center: Float[Tensor, " d"] | None
) -> Float[Tensor, "*b"]:
    """Cosine distances, 0 to 2, between embeddings minus ``center``; 1 where a vector has no direction.

    Raises:
        DataError: two batches of different sizes.
    """
    if first.ndim == second.ndim == 2 and len(first) != len(second):
        raise DataError(
            "batches of different sizes", where="tensor", expected=f"{len(first)} clips", got=len(second)
        )
    if center is not None:
        first, second = first - center, second - center
    return 1 - torch.nn.functional.cosine_similarity(first, second, dim=-1)


def _checked(clips: Tensor) -> Float[Tensor, "b t 3 h w"]:
    if clips.ndim not in (4, 5) or clips.shape[-3] != 3 or not clips.numel() or not clips.is_floating_point():
        raise DataError(
            "not clips", where="tensor", expected="floats of shape (T, 3, H, W) or (B, T, 3, H, W)",
            got=f"{str(clips.dtype).removeprefix('torch.')} of shape {tuple(clips.shape)}",
        )  # fmt: skip
    low, high = (float(bound) for bound in torch.aminmax(clips.detach()))
    if not (low >= _LEAST and high <= _GREATEST):
        raise DataError(
            "not the colours of a clip", where="tensor", expected="values 0–1", got=f"{low:g} to {high:g}"
        )
    return clips if clips.ndim == 5 else clips[None]


def _fit(clips: Float[Tensor, "b t 3 h w"], sampling: Sampling) -> Float[Tensor, "b frames 3 s s"]:
    """Choose, resize and crop frames as :func:`bgs.stimuli.resizing.fit` does those of a file."""
    require_moving(clips.shape[1], sampling, "tensor")
    chosen = clips[:, sampling.positions(clips.shape[1])].float()
    height, width = resized_sides(clips.shape[-2], clips.shape[-1], sampling)
    if (height, width) != tuple(clips.shape[-2:]):
        flat = torch.nn.functional.interpolate(
            chosen.flatten(0, 1),
            size=(height, width),
            mode=sampling.interpolation,
            antialias=True,
            align_corners=False,
        )
        chosen = flat.clamp(0, 1).unflatten(0, chosen.shape[:2])  # bicubic overshoots, and bytes cannot
    top, left = (height - sampling.size) // 2, (width - sampling.size) // 2
    return chosen[..., top : top + sampling.size, left : left + sampling.size]


def _turned(clips: Float[Tensor, "b t 3 s s"], image: int, images: int) -> Float[Tensor, "b t 3 s s"]:
    """Image number ``image`` of clips; see :func:`bgs.backbones.symmetry.turned`."""
    if images == 2:
        return clips.flip(-1) if image else clips
    rotated = torch.rot90(clips, image % 4, dims=(-2, -1))
    return rotated.flip(-1) if image >= 4 else rotated


@contextmanager
def _without_gradient_of_weights(backbone: Backbone) -> Iterator[None]:
    """Weights take no part in the graph: a loss must not leave gradients in the model that it measures by."""
    trained = [one for module in backbone.modules() for one in module.parameters() if one.requires_grad]
    for one in trained:
        one.requires_grad_(False)
    try:
        yield
    finally:
        for one in trained:
            one.requires_grad_(True)
