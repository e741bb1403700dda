"""The stimuli of a study, in a fixed order, indexed by id."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from bgs._errors import DataError, listed
from bgs._files import sha256_of
from bgs._typing import Bool, Float, Int
from bgs.stimuli.sampling import Span

#: File extensions that :meth:`StimulusSet.from_folder` treats as video.
VIDEO_SUFFIXES = frozenset(
    [
        ".3gp",
        ".avi",
        ".flv",
        ".m2ts",
        ".m4v",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpeg",
        ".mpg",
        ".mts",
        ".ogv",
        ".ts",
        ".webm",
        ".wmv",
    ]
)


@dataclass(frozen=True, repr=False)
class StimulusSet:
    """n stimuli in a fixed order; all other fields are aligned with ``ids``.

    Attributes:
        ids: n distinct names.
        captions: n tuples of sentences, or None if the data set has none. A tuple may be empty.
        videos: n paths (None for a stimulus without a file), or None if the data set has no clips.
        spans: n stretches of the videos, (begin, end) in seconds after the first frame (None for a whole video), or None
            if all are whole.
        split: n of "train" / "test", or None if there is no split.
        ratings: attribute -> (n,) floats, NaN where missing.
        labels: attribute -> n strings, "" where missing.
        obtain_clips: how to obtain clips that are missing, a clause for error messages.

    Raises:
        DataError: an id is repeated, a column has the wrong length, or a split name is unknown.
    """

    ids: tuple[str, ...]
    captions: tuple[tuple[str, ...], ...] | None = None
    videos: tuple[Path | None, ...] | None = None
    split: tuple[str, ...] | None = None
    ratings: Mapping[str, Float[np.ndarray, " n"]] = field(default_factory=dict)
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    obtain_clips: str | None = None
    spans: tuple[Span | None, ...] | None = None

    def __repr__(self) -> str:
        split = f": {int(self.train.sum()):,} train, {int(self.test.sum()):,} test" if self.split else ""
        parts = {
            "captions": self.captions,
            "clips": self.videos,
            f"{len(self.ratings)} ratings": self.ratings,
        }
        there = [name for name, part in parts.items() if part]
        return f"StimulusSet({len(self):,} stimuli{split}{'; ' if there else ''}{', '.join(there)})"

    def __post_init__(self) -> None:
        if len(self.index) != len(self.ids):
            twice = sorted({name for name in self.ids if self.ids.count(name) > 1})
            raise DataError(f"stimulus listed twice: {listed(twice)}", expected="distinct stimulus ids")
        columns: dict[str, Sequence[object] | np.ndarray | None] = {
            "captions": self.captions, "videos": self.videos, "spans": self.spans, "split": self.split,
            **self.ratings, **self.labels,
        }  # fmt: skip
        for name, column in columns.items():
            if column is not None and len(column) != len(self.ids):
                raise DataError(
                    f"column {name!r} is not aligned", expected=f"{len(self.ids)} rows", got=len(column)
                )
        unknown = set(self.split or ()) - {"train", "test"}
        if unknown:
            raise DataError("unknown split", expected="train or test", got=listed(sorted(unknown)))

    @classmethod
    def from_folder(cls, folder: str | Path) -> StimulusSet:
        """Every video file in a folder and its subfolders, except hidden ones.

        Ids are paths relative to the folder, with forward slashes, in sorted order. Files are recognised by extension
        (:data:`VIDEO_SUFFIXES`); whether a file can be read is only checked when it is decoded.

        Raises:
            DataError: the folder does not exist, contains no video file, or has a subfolder that cannot be read.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise DataError("no such folder", where=folder)
        names = sorted(_videos_below(folder))
        if not names:
            endings = ", ".join(sorted(VIDEO_SUFFIXES))
            raise DataError(
                "no video file in this folder", where=folder, expected=f"files ending in {endings}"
            )
        return cls(ids=tuple(names), videos=tuple(folder / name for name in names))

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def index(self) -> dict[str, int]:
        """Stimulus id -> position."""
        return {name: position for position, name in enumerate(self.ids)}

    @property
    def test(self) -> Bool[np.ndarray, " n"]:
        """True for held-out stimuli; all False if there is no split."""
        return np.array([part == "test" for part in self.split or [""] * len(self)], dtype=bool)

    @property
    def train(self) -> Bool[np.ndarray, " n"]:
        """True for stimuli that are not held out."""
        return ~self.test

    def rating_names(self, wanted: Sequence[str] | None = None) -> tuple[str, ...]:
        """Names of ratings, in the order of ``wanted``; all by default.

        Raises:
            DataError: one is not among the ratings.
        """
        unknown = [name for name in wanted or () if name not in self.ratings]
        if unknown:
            expected = ", ".join(self.ratings) or "none: there are no ratings"
            raise DataError("no such rating", where=listed(unknown), expected=expected)
        return tuple(self.ratings if wanted is None else wanted)

    def positions(self, ids: Sequence[str]) -> Int[np.ndarray, " m"]:
        """Positions of ``ids`` in this set.

        Raises:
            DataError: an id is not in the set.
        """
        unknown = [name for name in ids if name not in self.index]
        if unknown:
            raise DataError(
                f"unknown stimulus: {listed(unknown)}", expected=f"one of {len(self)} stimulus ids"
            )
        return np.array([self.index[name] for name in ids], dtype=np.int64)

    def subset(self, positions: Int[np.ndarray, " m"]) -> StimulusSet:
        """The stimuli at ``positions``, in that order."""
        pick = [int(i) for i in positions]
        return StimulusSet(
            ids=tuple(self.ids[i] for i in pick),
            captions=None if self.captions is None else tuple(self.captions[i] for i in pick),
            videos=None if self.videos is None else tuple(self.videos[i] for i in pick),
            split=None if self.split is None else tuple(self.split[i] for i in pick),
            ratings={name: values[pick] for name, values in self.ratings.items()},
            labels={name: tuple(values[i] for i in pick) for name, values in self.labels.items()},
            obtain_clips=self.obtain_clips,
            spans=None if self.spans is None else tuple(self.spans[i] for i in pick),
        )

    def hash(self) -> str:
        """SHA-256 of ids, split, captions and ratings (not of the videos)."""
        ratings = {name: values.tolist() for name, values in sorted(self.ratings.items())}
        return sha256_of(
            json.dumps([self.ids, self.split, self.captions, ratings, sorted(self.labels.items())])
        )


def _videos_below(folder: Path) -> Iterator[str]:
    """Paths of the videos in a folder and its subfolders, relative to it."""

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):  # removed since it was listed
            raise DataError(f"cannot read this folder: {error.strerror}", where=error.filename) from error

    for place, below, files in os.walk(folder, onerror=refuse):
        below[:] = [name for name in below if not name.startswith(".")]
        inside = Path(place).relative_to(folder)
        for name in files:
            video = os.path.splitext(name)[1].lower() in VIDEO_SUFFIXES and not name.startswith(".")
            if video and os.path.isfile(os.path.join(place, name)):
                yield (inside / name).as_posix()
