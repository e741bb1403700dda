"""Random twins: an encoder's architecture with new random weights, the control for what its training has added."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import nn

from bgs._errors import ConfigError
from bgs._rng import torch_seed


def known_weights(value: str, where: str) -> Literal["random"]:
    """Check the value of ``weights``.

    Raises:
        ConfigError: anything but ``random``.
    """
    if value == "random":
        return "random"
    raise ConfigError(
        "setting 'weights'",
        where=where,
        expected="random, or leave it out for the checkpoint's",
        got=value[:50],
    )


def draw_weights(module: nn.Module, seed: int, config: object | None = None) -> None:
    """Replace all weights of a network by new ones, in place, as its own class draws them for training from scratch.

    What training does not change (fixed positions, say) stays. The same seed gives the same weights.

    Args:
        module: a network that is built from ``module.config`` alone.
        seed: of the weights.
        config: what to build from where ``module.config`` was changed after loading.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(seed, "random twin"))
        kind: Any = type(module)
        fresh = kind(config or module.config)
    module.load_state_dict(fresh.state_dict(), strict=True)


def redraw_layers(stages: Iterable[nn.Module], seed: int) -> None:
    """Replace the weights of whatever can draw its own (linear layers, norms), in place, in order."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(seed, "random twin", "stages"))
        for layer in (layer for stage in stages for layer in stage.modules()):
            reset: Any = getattr(layer, "reset_parameters", None)
            if reset is not None:
                reset()
