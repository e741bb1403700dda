"""Encodes inputs with a backbone into one vector per stimulus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from bgs._errors import DataError
from bgs._typing import Int
from bgs.backbones.backbone import Backbone, Inputs
from bgs.backbones.processes import Processes, current
from bgs.backbones.video import VideoBackbone


def pool(units: Float[Tensor, "k d"], owner: Int[np.ndarray, " k"], n: int) -> Float[Tensor, "n d"]:
    """Mean of each stimulus's unit embeddings.

    Args:
        units: (k, d) unit embeddings.
        owner: (k,) stimulus 0..n−1 of each unit.
        n: number of stimuli; each must own a unit.

    Raises:
        DataError: a stimulus has no units.
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
    encode: Callable[[Any], Tensor] | None = None,
) -> Float[Tensor, "k d"]:
    """(k, d) embeddings of units, in the given order, without dropout or gradient.

    ``encode`` replaces :meth:`Backbone.forward`. Several processes share the micro-batches, where there is one for each.
    """
    encode = encode or backbone.forward
    backbone.train(False)
    batches = inputs.batches(units, micro_batch)
    processes = current() if len(batches) >= current().size else Processes()
    parts = []
    with torch.no_grad():
        for number in processes.own(len(batches)):
            parts.append(encode(inputs.batch(batches[number])))
            if progress is not None:
                progress(len(batches[number]))
        for _ in range(processes.padding(len(batches))):
            encode(inputs.batch(batches[-1]))
    vectors = processes.gather(torch.cat(parts), [len(batch) for batch in batches])
    place = {int(unit): row for row, unit in enumerate(np.concatenate(batches))}
    return vectors[torch.as_tensor([place[int(unit)] for unit in units], device=vectors.device)]


def embed(
    backbone: Backbone,
    inputs: Inputs,
    positions: Int[np.ndarray, " m"],
    micro_batch: int = 64,
    progress: Callable[[int], None] | None = None,
    encode: Callable[[Any], Tensor] | None = None,
) -> Float[np.ndarray, "m d"]:
    """(m, d) float32 embeddings of the stimuli at ``positions``, from all of their units.

    ``progress`` is called with the number of units of each micro-batch; ``encode`` as in :func:`encode_units`.
    """
    units = inputs.draw(positions, 0, None)
    order = np.argsort(positions)
    owner = order[np.searchsorted(positions, inputs.owner[units], sorter=order)]
    vectors = encode_units(backbone, inputs, units, micro_batch, progress, encode)
    return pool(vectors, owner, len(positions)).cpu().numpy()


def embed_layers(
    backbone: VideoBackbone,
    inputs: Inputs,
    positions: Int[np.ndarray, " m"],
    micro_batch: int = 64,
    progress: Callable[[int], None] | None = None,
) -> Float[np.ndarray, "layers m w"]:
    """(depth + 1, m, w) float32 embeddings from every layer, in one pass; see :meth:`VideoBackbone.layer_features`."""
    side_by_side = embed(
        backbone, inputs, positions, micro_batch, progress,
        encode=lambda batch: backbone.layer_features(batch).transpose(0, 1).flatten(1),
    )  # fmt: skip
    return side_by_side.reshape(len(positions), backbone.spec.depth + 1, -1).swapaxes(0, 1)
