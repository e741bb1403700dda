"""From a backbone and its inputs to one vector a stimulus."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from bgs._errors import DataError
from bgs._typing import Int
from bgs.backbones.backbone import Backbone, Inputs


def pool(units: Float[Tensor, "k d"], owner: Int[np.ndarray, " k"], n: int) -> Float[Tensor, "n d"]:
    """Mean of each stimulus's unit embeddings.

    Args:
        units: (k, d) unit embeddings.
        owner: (k,) stimulus 0..n−1 of each unit.
        n: number of stimuli; each must own a unit.

    Raises:
        DataError: a stimulus without units.
    """
    counts = np.bincount(owner, minlength=n)
    if not counts.all():
        raise DataError(
            f"stimulus {int(np.flatnonzero(counts == 0)[0])} has nothing to encode",
            expected="at least one unit",
        )
    index = torch.as_tensor(owner, device=units.device)
    total = torch.zeros(n, units.shape[1], dtype=units.dtype, device=units.device).index_add(0, index, units)
    return total / torch.as_tensor(counts, dtype=units.dtype, device=units.device)[:, None]


def encode_units(
    backbone: Backbone,
    inputs: Inputs,
    units: Int[np.ndarray, " k"],
    micro_batch: int,
    progress: Callable[[int], None] | None = None,
) -> Float[Tensor, "k d"]:
    """(k, d) embeddings of units, in their order, without dropout or gradient."""
    backbone.train(False)
    result = torch.empty(len(units), backbone.width, device=backbone.device)
    place = {int(unit): row for row, unit in enumerate(units)}
    with torch.no_grad():
        for batch in inputs.batches(units, micro_batch):
            rows = torch.as_tensor([place[int(unit)] for unit in batch], device=result.device)
            result[rows] = backbone.forward(inputs.batch(batch)).float()
            if progress is not None:
                progress(len(batch))
    return result


def embed(
    backbone: Backbone,
    inputs: Inputs,
    positions: Int[np.ndarray, " m"],
    micro_batch: int = 64,
    progress: Callable[[int], None] | None = None,
) -> Float[np.ndarray, "m d"]:
    """(m, d) float32 embeddings of the stimuli at ``positions``, from all of their units.

    ``progress`` is told how many units each micro-batch encoded.
    """
    units = inputs.draw(positions, 0, None)
    order = np.argsort(positions)
    owner = order[np.searchsorted(positions, inputs.owner[units], sorter=order)]
    vectors = encode_units(backbone, inputs, units, micro_batch, progress)
    return pool(vectors, owner, len(positions)).cpu().numpy()
