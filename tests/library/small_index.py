"""A small index of given vectors, for tests that need no model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bgs._files import sha256, sha256_of
from bgs.library.about import About
from bgs.library.index import Index, write_index
from bgs.library.table import Row


def small_index(
    path: str | Path,
    vectors: np.ndarray,
    ids: Sequence[str] | None = None,
    folder: Path | None = Path("/clips"),
    model: str = "tiny:test",
    identity: str = "0" * 64,
) -> Index:
    """An index of (n, d) vectors; ids are ``clip-000.mp4`` … unless given. The files need not exist."""
    names = ids or [f"clip-{i:03}.mp4" for i in range(len(vectors))]
    about = About(model, identity, vectors.shape[1], None if folder is None else str(folder))
    return write_index(path, about, [row(name, folder) for name in names], vectors.astype(np.float32))


def row(name: str, folder: Path | None = None) -> Row:
    """A row of a file, if it is there; otherwise its content is its path. ``path#t=START,END`` is a piece."""
    path, _, times = name.partition("#t=")
    start, end = map(float, times.split(",")) if times else (math.nan, math.nan)
    file = Path(folder or "", path)
    if not file.is_file():
        return Row(name, path, sha256_of(path), 1, 1, start, end)
    status = file.stat()
    return Row(name, path, sha256(file), status.st_size, status.st_mtime_ns, start, end)
