"""The same clips under two models: one map laid on the other, and how much the neighbourhood of each clip changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bgs._errors import DataError
from bgs._progress import progress_bar
from bgs._typing import Float, Float64, Int

if TYPE_CHECKING:
    from bgs.library import Index

#: Nearest clips that make a neighbourhood.
NEIGHBOURS = 10
#: Rows of distances in memory at a time.
_CHUNK = 1024


@dataclass(frozen=True)
class Compared:
    """Clips that two indexes share.

    Attributes:
        first: (m,) their positions in the first index.
        second: (m,) their positions in the second.
        kept: (m,) share of the :data:`NEIGHBOURS` nearest shared clips that are the same under both models.
    """

    first: Int[np.ndarray, " m"]
    second: Int[np.ndarray, " m"]
    kept: Float64[np.ndarray, " m"]


def compare(first: Index, second: Index) -> Compared:
    """Match clips by id and content, and compare their neighbourhoods in the full spaces, not on the maps.

    Raises:
        DataError: the indexes share fewer than three clips.
    """
    known = {(clip.id, clip.sha256): k for k, clip in enumerate(second.clips)}
    pairs = [
        (k, known[clip.id, clip.sha256])
        for k, clip in enumerate(first.clips)
        if (clip.id, clip.sha256) in known
    ]
    if len(pairs) < 3:
        raise DataError(
            "the two indexes share fewer than three clips", where=second.path, expected="the same clips as in "
            f"{first.path}, unchanged", got=f"{len(pairs)} of {len(first.ids):,}",
        )  # fmt: skip
    here, there = np.array(pairs, dtype=np.int64).T
    return Compared(here, there, kept_neighbours(first.vectors[here], second.vectors[there]))


def kept_neighbours(
    first: Float[np.ndarray, "m d"], second: Float[np.ndarray, "m e"], count: int = NEIGHBOURS
) -> Float64[np.ndarray, " m"]:
    """Share of each row's ``count`` nearest others that are the same in both matrices of unit vectors."""
    count = min(count, len(first) - 1)
    kept = np.empty(len(first))
    with progress_bar() as bar:
        task = bar.add_task("comparing the models", total=len(first))
        for start in range(0, len(first), _CHUNK):
            rows = np.arange(start, min(start + _CHUNK, len(first)))
            a, b = (_nearest(vectors, rows, count) for vectors in (first, second))
            both = np.sort(np.concatenate([a, b], axis=1), axis=1)
            kept[rows] = (both[:, 1:] == both[:, :-1]).sum(1) / count
            bar.advance(task, len(rows))
    return kept


def _nearest(
    vectors: Float[np.ndarray, "m d"], rows: Int[np.ndarray, " r"], count: int
) -> Int[np.ndarray, "r k"]:
    closeness = vectors[rows] @ vectors.T
    closeness[np.arange(len(rows)), rows] = -np.inf
    found: Int[np.ndarray, "r k"] = np.argpartition(-closeness, count - 1, axis=1)[:, :count]
    return found


def aligned(moving: Float[np.ndarray, "m 2"], fixed: Float[np.ndarray, "m 2"]) -> Float64[np.ndarray, "m 2"]:
    """One map laid on another: shifted, turned or mirrored with the least squares (Procrustes), and made as large.

    The least squares alone would shrink a map the more, the less it agrees with the other. All of ``moving`` at one place
    stays at the middle of ``fixed``.
    """
    centre = fixed.mean(0)
    a, b = moving - moving.mean(0), fixed - centre
    left, _, right = np.linalg.svd(a.T @ b)
    size = float(np.linalg.norm(a))
    scale = float(np.linalg.norm(b)) / size if size else 0.0
    laid: Float64[np.ndarray, "m 2"] = scale * a @ (left @ right) + centre
    return laid
