"""An index as the page shows it: clips by their position, where they lie, and what is near."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bgs._errors import DataError
from bgs._progress import note
from bgs._typing import Float
from bgs.library.browsing.comparing import Compared, aligned, compare
from bgs.library.browsing.layout import Axes, axes_of
from bgs.serving.clip_files import clip_url

if TYPE_CHECKING:
    from bgs.library import Clip, Index

#: The map is drawn for so many times as many clips before a note says that it may be drawn anew.
_GROWN = 2


@dataclass(frozen=True)
class SceneMap:
    """A map of an index, and of the same clips under another model.

    Attributes:
        index: whose clips it shows.
        axes: of the map.
        beside: another index, its axes, and what both share; None: there is only one.
    """

    index: Index
    axes: Axes
    beside: tuple[Index, Axes, Compared] | None = None

    @cached_property
    def files(self) -> dict[str, Clip]:
        """The first clip of every file; pieces of a long video share one, and clips that were given as arrays have none."""
        return {str(clip.path): clip for clip in reversed(self.index.clips) if clip.path is not None}

    def clip(self, position: int) -> Clip | None:
        """The clip at a position, if there is one."""
        return self.index.clips[position] if 0 <= position < len(self.index.clips) else None

    def nearest(self, vector: Float[np.ndarray, " d"], count: int, but: str = "") -> list[dict[str, Any]]:
        """Positions and cosine distances of the nearest clips, except the one named ``but``."""
        found = self.index.nearest(vector, count, but={but} if but else set())
        return [{"clip": self.index.positions[one.id], "distance": float(one.distance)} for one in found]

    def place(self, vector: Float[np.ndarray, " d"]) -> dict[str, float]:
        """Where something else lies on the map."""
        x, y = self.axes.place(vector[None])[0].tolist()
        return {"x": x, "y": y}

    def to_json(self) -> dict[str, Any]:
        """All that the page draws; coordinates of all clips in columns."""
        clips = self.index.clips
        coordinates = self.axes.place(self.index.vectors)
        return {
            "folder": None if self.index.folder is None else readable(self.index.folder),
            "model": self.index.model_reference,
            "ids": list(self.index.ids),
            "urls": [_url(clip) for clip in clips],
            "starts": [_seconds(clip.start) for clip in clips],
            "ends": [_seconds(clip.end) for clip in clips],
            "x": coordinates[:, 0].round(6).tolist(),
            "y": coordinates[:, 1].round(6).tolist(),
            "shares": self.axes.shares.tolist(),
            "beside": self._beside(coordinates),
        }

    def _beside(self, coordinates: Float[np.ndarray, "n 2"]) -> dict[str, Any] | None:
        if self.beside is None:
            return None
        other, axes, shared = self.beside
        laid = aligned(axes.place(other.vectors[shared.second]), coordinates[shared.first])
        return {
            "model": other.model_reference,
            "clips": shared.first.tolist(),
            "x": laid[:, 0].round(6).tolist(),
            "y": laid[:, 1].round(6).tolist(),
            "kept": shared.kept.round(3).tolist(),
        }


def readable(path: Path) -> str:
    """A path as the page shows it; bytes that are not UTF-8 are replaced."""
    return os.fsencode(path).decode("utf-8", "replace")


def open_map(index: Index, beside: Index | None = None, redraw: bool = False) -> SceneMap:
    """The map of an index, drawn where it is not kept.

    Args:
        index: whose clips are shown.
        beside: the same clips under another model.
        redraw: draw the maps anew; clips move.

    Raises:
        DataError: an index is empty, or the two share fewer than three clips.
        BgsError: a map cannot be read or written.
    """
    axes = _axes(index, redraw)
    if beside is None:
        return SceneMap(index, axes)
    return SceneMap(index, axes, (beside, _axes(beside, redraw), compare(index, beside)))


def _axes(index: Index, redraw: bool) -> Axes:
    if not len(index.ids):
        raise DataError("the index has no clips", where=index.path, hint="`bgs index` a folder of videos")
    axes, new = axes_of(index.vectors, index.identity, index.path, redraw)
    if not new and len(index.ids) > _GROWN * axes.clips:
        note(
            f"the map was drawn for {axes.clips:,} clips, the index has {len(index.ids):,}: --redraw draws it anew"
        )
    return axes


def _url(clip: Clip) -> str:
    """Where the page gets a clip; nothing is there for one that was given as an array."""
    path = clip.path or Path(clip.id)
    return clip_url(str(path), path).lstrip("/")


def _seconds(value: float) -> float | None:
    return None if math.isnan(value) else value
