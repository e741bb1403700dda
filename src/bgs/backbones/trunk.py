"""The frozen trunk: hidden states after the frozen blocks, computed once for all updates."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from bgs._errors import BgsError
from bgs._typing import Int
from bgs.backbones.backbone import Inputs
from bgs.backbones.processes import current

#: Maximum bytes kept in memory; larger arrays are kept on disk.
MEMORY_LIMIT = 4 * 2**30
_CHUNK = 2**24


@dataclass(frozen=True)
class TrunkState:
    """Hidden states of some units after the first ``depth`` blocks, from which the encoder continues."""

    hidden: Float[Tensor, "b ..."]
    depth: int


class TrunkInputs(Inputs):
    """Inputs that consist of the frozen trunk's output.

    Args:
        hidden: (u, …) float32 hidden states, in memory or memory-mapped.
        depth: number of blocks already run.
        inputs: the original inputs.
    """

    def __init__(self, hidden: Float[np.ndarray, "u ..."], depth: int, inputs: Inputs) -> None:
        self._hidden, self._depth = hidden, depth
        self.owner, self.cost = inputs.owner, inputs.cost

    def batch(self, units: Int[np.ndarray, " b"]) -> TrunkState:
        return TrunkState(torch.from_numpy(np.asarray(self._hidden[units])), self._depth)


def cache_hidden(
    trunk: Callable[[Any], Tensor],
    inputs: Inputs,
    micro_batch: int,
    progress: Callable[[int], None] | None = None,
) -> Float[np.ndarray, "u ..."]:
    """(u, …) float32 outputs of ``trunk`` for all units of ``inputs``.

    Several processes take micro-batches in turn, and each gets the outputs of all; one without a micro-batch in the last turn
    does that of another, which weights that are spread (:mod:`bgs.backbones.sharding`) need.

    Raises:
        BgsError: there is not enough disk space, or another process ended.
    """
    units = len(inputs.owner)
    batches, processes = inputs.batches(np.arange(units), micro_batch), current()
    hidden: np.ndarray | None = None
    for start in range(0, len(batches), processes.size):
        turn = batches[start : start + processes.size]
        turn += [turn[-1]] * (processes.size - len(turn))
        own = trunk(inputs.batch(turn[processes.rank]))
        values = processes.gather(own.flatten(1), [len(batch) for batch in turn]).cpu().numpy()
        if hidden is None:
            hidden = allocate((units, *own.shape[1:]))
        done = np.concatenate(turn)
        hidden[done] = values.reshape(-1, *own.shape[1:])
        if progress is not None:
            progress(len(np.unique(done)))
    assert hidden is not None, "a stimulus set has units"
    return hidden


def allocate(shape: tuple[int, ...]) -> Float[np.ndarray, "..."]:
    """An empty float32 array, in memory or (beyond :data:`MEMORY_LIMIT`) memory-mapped to an anonymous file.

    The file is filled immediately, so that a full disk is an error here rather than a crash later,
    and is freed whenever the process ends.

    Raises:
        BgsError: there is not enough disk space.
    """
    size = 4 * int(np.prod(shape))
    if size <= MEMORY_LIMIT:
        return np.empty(shape, dtype=np.float32)
    with tempfile.TemporaryFile() as file:
        try:
            for start in range(0, size, _CHUNK):
                file.write(bytes(min(_CHUNK, size - start)))
            file.flush()
        except OSError as error:
            raise BgsError(
                f"cannot store the output of the frozen blocks: {error.strerror}", where=tempfile.gettempdir(),
                expected=f"{size / 2**30:.1f} GiB of space", hint="set TMPDIR to a larger disk",
            ) from None  # fmt: skip
        return np.memmap(file, dtype=np.float32, mode="r+", shape=shape)
