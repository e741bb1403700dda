"""From the tokens of single frames to one vector a clip: every token over time, then all of them over space."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from bgs._errors import ConfigError

#: Over space: the class token; the mean of the patches; or their standard deviation, how much they vary.
Pool = Literal["cls", "mean", "patch-std"]
#: Over time: the mean; mean and standard deviation side by side; or the mean absolute difference of consecutive frames.
Time = Literal["mean", "mean+std", "difference"]
#: Settings of a reference and their possible values.
POOLINGS: dict[str, tuple[str, ...]] = {"pool": get_args(Pool), "time": get_args(Time)}

#: Smaller variances are raised to this: where nothing moves, the slope of the square root would be infinite.
_LEAST_VARIANCE = 1e-12


def known_pooling(key: str, value: str, where: str) -> str:
    """The pooling of that name.

    Raises:
        ConfigError: there is none.
    """
    if value not in POOLINGS[key]:
        expected = f"one of {', '.join(POOLINGS[key])}"
        raise ConfigError(f"setting {key!r}", where=where[:200], expected=expected, got=value[:50])
    return value


def width_over_time(time: Time, width: int) -> int:
    """Dimensions of an embedding made of frames with ``width`` dimensions."""
    return 2 * width if time == "mean+std" else width


def over_time(values: Float[Tensor, "b t *n w"], time: Time) -> Float[Tensor, "b *n v"]:
    """Summarise each token over the frames of a clip.

    Token by token, so that changes in different places do not cancel out. ``v`` is ``w``, or twice that for
    ``mean+std``: the mean first, then the (population) standard deviation. For ``difference`` it is the mean of
    |x(t+1) − x(t)| over the T − 1 pairs of consecutive frames.
    """
    if time == "difference":
        return values.float().diff(dim=1).abs().mean(dim=1)
    mean = values.mean(dim=1)
    return mean if time == "mean" else torch.cat([mean, _deviation(values, 1)], dim=-1)


def over_patches(tokens: Float[Tensor, "b n v"], pool: Pool) -> Float[Tensor, "b v"]:
    """The mean of a clip's patches, or their (population) standard deviation."""
    return _deviation(tokens, 1) if pool == "patch-std" else tokens.mean(dim=1)


def _deviation(values: Tensor, dim: int) -> Tensor:
    deviations = values.float() - values.float().mean(dim, keepdim=True)
    return (
        deviations.square().mean(dim).clamp_min(_LEAST_VARIANCE).sqrt()
    )  # Tensor.var takes ten times as long
