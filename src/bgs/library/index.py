"""An opened index: the clips of a library and their vectors, and the nearest of them to a vector."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from bgs._errors import DataError
from bgs._typing import Float, Float64
from bgs.evaluation.readout import Readout
from bgs.library.about import About
from bgs.library.clip import Clip, Neighbour
from bgs.library.place import Place
from bgs.library.table import AGAIN, ClipTable, Row
from bgs.runs.readout_of import read_readout


class Index:
    """The clips of a library and their vectors, as they were when it was opened.

    Attributes:
        place: where it lies.
        about: its metadata.
        clips: n clips, sorted by id.
        vectors: (n, d) float32, centred by the model's centre, of length 1: cosine distance is 1 − their product. (A clip
            without direction, such as one that equals the centre, is a zero vector: distance 1 to every clip.)
    """

    def __init__(
        self, place: Place, about: About, clips: tuple[Clip, ...], vectors: Float[np.ndarray, "n d"]
    ) -> None:
        self.place, self.about, self.clips, self.vectors = place, about, clips, vectors

    def __len__(self) -> int:
        return len(self.clips)

    def __repr__(self) -> str:
        return f"Index({self.place}: {len(self):,} clips × {self.about.width:,} dimensions by {self.model_reference})"

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """n ids."""
        return tuple(clip.id for clip in self.clips)

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """Id -> row of :attr:`vectors`."""
        return {name: i for i, name in enumerate(self.ids)}

    @property
    def model_reference(self) -> str:
        """Reference of the model whose vectors these are."""
        return self.about.model

    @property
    def identity(self) -> str:
        """Identity of that model; see :class:`bgs.runs.opened_model.OpenedModel`."""
        return self.about.identity

    @cached_property
    def readout(self) -> Readout | None:
        """The readout of that model, which is not loaded for this; see :func:`bgs.runs.readout_of.read_readout`."""
        return read_readout(self.model_reference, self.about.width, self.identity)

    @property
    def folder(self) -> Path | None:
        """The folder that was indexed, absolute; None for clips that were given as arrays."""
        return None if self.about.folder is None else Path(self.about.folder)

    @property
    def path(self) -> Path:
        """Where side files, such as a map or thumbnails, are kept; for an index on object storage, in the cache."""
        return self.place.folder

    def vector(self, name: str) -> Float[np.ndarray, " d"]:
        """The vector of a clip.

        Raises:
            DataError: no clip has this id.
        """
        if name not in self.positions:
            raise DataError("no clip of this id", where=self.place, got=repr(name))
        row: Float[np.ndarray, " d"] = self.vectors[self.positions[name]]
        return row

    def nearest(
        self, vector: Float[np.ndarray, " d"], k: int, but: Collection[str] = frozenset()
    ) -> list[Neighbour]:
        """The k nearest clips, exactly: every clip is compared.

        Distances are computed in float32 first, and again in float64 for all clips that its rounding error leaves in
        question.

        Args:
            vector: (d,) centred by the model's centre, of any length.
            k: how many; fewer if there are not as many.
            but: ids to leave out.

        Returns:
            Nearest first; equal distances in the order of ids.

        Raises:
            DataError: ``vector`` has another width, or numbers that are not finite.
        """
        if vector.shape != (self.about.width,):
            raise DataError("vector", where=self.place, expected=f"({self.about.width},)", got=vector.shape)
        if not np.isfinite(vector).all():
            raise DataError("vector", where=self.place, expected="finite numbers", got="NaN or infinity")
        left_out = [self.positions[name] for name in but if name in self.positions]
        k = min(k, len(self) - len(left_out))
        if k < 1:
            return []
        query = unit(vector[None].astype(np.float64))[0]
        rough = 1 - self.vectors @ query.astype(np.float32)
        rough[left_out] = np.inf
        # The error of a product of two vectors of length 1 is at most d ε, and twice that between two of them.
        farthest = np.partition(rough, k - 1)[k - 1] + 2 * (self.about.width + 2) * np.finfo(np.float32).eps
        close = np.flatnonzero(rough <= farthest)
        distances = 1 - self.vectors[close].astype(np.float64) @ query
        order = np.argsort(distances, kind="stable")[:k]
        return [Neighbour(self.ids[close[i]], float(max(distances[i], 0.0))) for i in order]


def open_index(path: str | Path) -> Index:
    """Open an index that `bgs index` made.

    Args:
        path: its folder, or a URI of object storage as LanceDB takes it.

    Raises:
        DataError: there is no index, or it is damaged or of another version of bgs.
        MissingExtraError: LanceDB is not installed.
    """
    table = ClipTable.open(Place.of(path))
    rows, vectors = table.contents()
    if table.about.folder is not None:
        _require_inside(rows, table.place)
    _require_directions(vectors, table.place)
    return Index(table.place, table.about, tuple(_clip(row, table.about) for row in rows), vectors)


def unit(values: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, "n d"]:
    """Vectors scaled to length 1; those without direction stay zero."""
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    scaled: Float64[np.ndarray, "n d"] = values / np.where(lengths > 0, lengths, 1)
    return scaled


def write_index(path: str | Path, about: About, rows: list[Row], vectors: Float[np.ndarray, "n d"]) -> Index:
    """Write a new index of vectors that exist already, and open it.

    Raises:
        BgsError: there is one, or it cannot be written.
    """
    table = ClipTable.create(Place.of(path), about)
    if rows:
        table.add(rows, unit(vectors.astype(np.float64)))
    return open_index(path)


def _require_directions(vectors: Float[np.ndarray, "n d"], place: Place) -> None:
    """Vectors have length 1, or 0; the table has no checksum of them, and most flipped bits change a length."""
    squared = np.einsum("nd,nd->n", vectors, vectors)
    wrong = ~((np.abs(squared - 1) < 1e-4) | (squared == 0))
    if wrong.any():
        raise DataError(
            "damaged: vectors are not of length 1", where=place, got=f"{int(wrong.sum())} of {len(vectors)}",
            hint=AGAIN,
        )  # fmt: skip


def _require_inside(rows: Sequence[Row], place: Place) -> None:
    """An index comes from elsewhere, perhaps: what it names is shown, and must lie in the folder that it says."""
    for row in rows:
        if row.path.startswith("/") or ".." in row.path.split("/"):
            raise DataError(
                "damaged: a clip lies outside the indexed folder", where=place, got=row.path, hint="make the index again"
            )  # fmt: skip


def _clip(row: Row, about: About) -> Clip:
    path = None if about.folder is None else Path(about.folder) / row.path
    return Clip(row.id, path, row.sha256, row.start, row.end, row.size, row.mtime_ns)
