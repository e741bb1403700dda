"""Clips chosen for a study: what was asked, what came, and the folder in which the study begins."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from bgs import __version__
from bgs._files import atomic_folder, require_new_folder, write_json
from bgs.datasets import Dataset, write_folder
from bgs.library.selecting.balance import BOUND, PERMUTATIONS, BalanceRow, Difference, PairDistance
from bgs.library.selecting.covering import Covering

FORMAT = "bgs-selection/1"
#: The record beside ``stimuli.csv``, and the folder with the clips.
RECORD, CLIPS = "selection.json", "clips"


@dataclass(frozen=True)
class Selection:
    """Chosen clips.

    Attributes:
        dataset: the clips in the order of the pool, with labels ``set`` and, for pairs, ``pair``, and what was measured.
        source: what they were chosen from.
        asked: options of the choice, as JSON types.
        pool: number of clips chosen from.
        left_out: clips that could not be chosen -> why.
        covering: of a covering.
        balance: of matched sets, one row per matched variable.
        difference: of matched sets, in what was asked.
        distance: of matched sets, distances of a model within pairs.
    """

    dataset: Dataset
    source: str
    asked: Mapping[str, Any]
    pool: int
    left_out: Mapping[str, str] = field(default_factory=dict)
    covering: Covering | None = None
    balance: tuple[BalanceRow, ...] = ()
    difference: Difference | None = None
    distance: PairDistance | None = None

    @property
    def sets(self) -> dict[str, tuple[str, ...]]:
        """Name of a set -> ids of its clips; of matched sets in the order of pairs."""
        labels, ids = self.dataset.stimuli.labels, self.dataset.stimuli.ids
        pairs = labels.get("pair", ids)
        order = sorted(range(len(ids)), key=lambda i: pairs[i])
        return {
            name: tuple(ids[i] for i in order if labels["set"][i] == name)
            for name in sorted(set(labels["set"]))
        }

    def to_json(self) -> dict[str, Any]:
        """JSON types only, as ``selection.json`` has them."""
        told: dict[str, Any] = {
            "format": FORMAT, "bgs": __version__, "simulated": self.dataset.simulated, "source": self.source,
            "pool": self.pool, "left_out": dict(self.left_out), "asked": dict(self.asked),
            "sets": {name: list(ids) for name, ids in self.sets.items()},
        }  # fmt: skip
        if self.covering is not None:
            told["covering"] = self.covering.to_json()
        if self.difference is not None:
            told["difference"] = self.difference.to_json()
            told["balance"] = [row.to_json() for row in self.balance]
            told["test"] = (
                f"within pairs, clips are put into the sets at random, {PERMUTATIONS:,} times, two-sided; equivalent: the 90 % "
                f"interval of the difference lies within ±{BOUND} SD of the pool (two one-sided tests at .05)"
            )
        if self.distance is not None:
            told["distance"] = self.distance.to_json()
        return told

    def save(self, folder: str | Path, link: bool = False) -> None:
        """Write a data set folder with the clips, ``stimuli.csv`` and ``selection.json``: whole, or not at all.

        Args:
            folder: new or empty.
            link: link to the clips where they are, instead of copying them.

        Raises:
            BgsError: the folder is not empty, or cannot be written.
        """
        folder, stimuli = Path(folder), self.dataset.stimuli
        require_new_folder(folder)
        with atomic_folder(folder) as part:
            videos = None
            if stimuli.videos is not None:
                (part / CLIPS).mkdir()
                names = _file_names(stimuli.ids, [Path(str(path)).suffix for path in stimuli.videos])
                videos = tuple(part / CLIPS / name for name in names)
                for path, video in zip(stimuli.videos, videos, strict=True):
                    assert path is not None
                    if link:
                        video.symlink_to(path.resolve())
                    else:
                        shutil.copyfile(path, video)
            write_folder(replace(self.dataset, stimuli=replace(stimuli, videos=videos)), part)
            write_json(part / RECORD, self.to_json())


def _file_names(ids: tuple[str, ...], suffixes: list[str]) -> list[str]:
    """A distinct file name for each id, of characters that every system takes."""
    taken: set[str] = set()
    names = []
    for name, suffix in zip(ids, suffixes, strict=True):
        stem = re.sub(r"[^\w.-]+", "-", name.removesuffix(suffix)).strip("-.")[:100] or "clip"
        number, found = 2, f"{stem}{suffix}"
        while found.lower() in taken:
            number, found = number + 1, f"{stem}-{number}{suffix}"
        taken.add(found.lower())
        names.append(found)
    return names


def labelled(dataset: Dataset, numbers: Mapping[str, Any], sets: Mapping[int, tuple[str, str]]) -> Dataset:
    """The chosen clips of a data set, with what was measured and their sets.

    Args:
        dataset: the pool.
        numbers: name -> (n,) measured; a rating of the same name is kept as it is.
        sets: position -> names of set and pair; "" for no pair.
    """
    chosen = np.array(sorted(sets))
    stimuli = replace(dataset.stimuli.subset(chosen), split=None)
    ratings = {name: values for name, values in stimuli.ratings.items() if name not in ("set", "pair")}
    measured = {name: values[chosen] for name, values in numbers.items() if name not in ratings}
    labels = {name: values for name, values in stimuli.labels.items() if name not in ("set", "pair")}
    labels["set"] = tuple(sets[i][0] for i in chosen.tolist())
    if any(pair for _, pair in sets.values()):
        labels["pair"] = tuple(sets[i][1] for i in chosen.tolist())
    return replace(
        dataset, stimuli=replace(stimuli, ratings={**ratings, **measured}, labels=labels), trials=None
    )
