"""A clip of an index: a file, or a piece of a long one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from bgs._errors import DataError
from bgs._files import sha256

_AGAIN = "run `bgs index` again"


class Piece(NamedTuple):
    """A stretch of a file, from ``start`` to ``end`` seconds after its first frame; NaN and NaN are the whole file."""

    start: float = math.nan
    end: float = math.nan

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole file."""
        return math.isnan(self.start)

    @property
    def span(self) -> tuple[float, float] | None:
        """What :class:`bgs.stimuli.StimulusSet` calls it."""
        return None if self.is_whole else (self.start, self.end)

    def id_in(self, path: str) -> str:
        """The id of a piece of a file: the path, and the times as a media fragment (W3C), ``party.mp4#t=3.20,6.00``."""
        return path if self.is_whole else f"{path}#t={self.start:.2f},{self.end:.2f}"


@lru_cache(4096)
def _sha256_at(path: Path, mtime_ns: int) -> str:
    """Of a file as it was last modified: a browser asks for a clip part by part."""
    return sha256(path)


@dataclass(frozen=True)
class Clip:
    """What an index knows of one clip, besides its vector.

    Attributes:
        id: path relative to the indexed folder, with forward slashes; of a piece, ``path#t=START,END``.
        path: the file, absolute, when it was indexed; None for a clip that was given as an array.
        sha256: of the file (of the frames, if they were given as an array).
        start, end: seconds after the first frame; NaN for the whole file.
        size: of the file, in bytes.
        mtime_ns: when the file had been modified.
    """

    id: str
    path: Path | None
    sha256: str
    start: float = math.nan
    end: float = math.nan
    size: int = 0
    mtime_ns: int = 0

    @property
    def piece(self) -> Piece:
        """The stretch of the file that it is."""
        return Piece(self.start, self.end)

    @property
    def is_there(self) -> bool:
        """Whether :meth:`file` gives it."""
        try:
            self.file()
        except DataError:
            return False
        return True

    def file(self) -> Path:
        """The file that was indexed, before anything is read from it or shown of it.

        Raises:
            DataError: there is none, it has gone, or it is another one now.
        """
        if self.path is None:
            raise DataError("this clip was indexed from an array: there is no file", where=self.id)
        if not self.path.is_file():
            raise DataError("this clip has gone since it was indexed", where=self.path, hint=_AGAIN)
        status = self.path.stat()
        known = status.st_size == self.size
        if not known or (
            status.st_mtime_ns != self.mtime_ns and _sha256_at(self.path, status.st_mtime_ns) != self.sha256
        ):
            raise DataError("this clip has changed since it was indexed", where=self.path, hint=_AGAIN)
        return self.path


@dataclass(frozen=True)
class Neighbour:
    """A clip near another.

    Attributes:
        id: of the clip.
        distance: cosine distance, 0 to 2.
        kept_together: probability that people would keep the two clips together, if that is known.
    """

    id: str
    distance: float
    kept_together: float | None = None
