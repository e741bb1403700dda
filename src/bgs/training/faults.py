"""What a training that broke down can be told about: which clips, or which parameters, are no longer finite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bgs._errors import listed
from bgs._typing import Int
from bgs.backbones import Backbone, Inputs, embed


def involved(
    backbone: Backbone,
    inputs: Inputs,
    positions: Int[np.ndarray, " m"],
    micro_batch: int,
    names: Sequence[str],
) -> str:
    """Which embeddings are not finite, or are too long to have a finite length; they are computed again, without dropout.

    Args:
        backbone: as it is now.
        inputs: units of the stimuli.
        positions: (m,) positions in ``inputs`` of the stimuli that are trained on.
        micro_batch: units per forward pass.
        names: ids of all stimuli of ``inputs``; may be empty.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.linalg.norm(embed(backbone, inputs, positions, micro_batch), axis=1)
    broken = positions[~np.isfinite(lengths)]
    if len(broken):
        ids = listed(names[k] if len(names) else f"clip {k}" for k in broken)
        return f"{len(broken)} of {len(positions)} clips have no finite embedding: {ids}"
    text = f"the embeddings of all {len(positions)} clips are finite without dropout"
    gradients = {name: parameter.grad for name, parameter in backbone.trainable().items()}
    wrong = [name for name, grad in gradients.items() if grad is not None and not grad.isfinite().all()]
    return f"{text}; gradients not finite: {listed(wrong)}" if wrong else text


def shown_parts(parts: Mapping[str, float]) -> str:
    """Loss parts on one line: ``loss nan, local nan, rsa 0.312``."""
    return ", ".join(f"{name} {value:.4g}" for name, value in parts.items())
