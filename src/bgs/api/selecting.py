"""Choosing clips for a study, from Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bgs._errors import ConfigError
from bgs._files import require_new_folder
from bgs._progress import note
from bgs._typing import Float
from bgs.api.model_space import ModelSpace, embedded
from bgs.datasets import Dataset, load_dataset
from bgs.embeddings import Embeddings
from bgs.library.selecting.balance import compare_sets, difference_in, distance_in_pairs
from bgs.library.selecting.covering import cover as cover_space
from bgs.library.selecting.low_level import MOTION as MOTION_MODEL
from bgs.library.selecting.low_level import PIXELS as PIXELS_MODEL
from bgs.library.selecting.matched_sets import choose_sets
from bgs.library.selecting.measures import MOTION, PIXELS, SOCIAL, Measures, require_ratings
from bgs.library.selecting.pool import usable, without
from bgs.library.selecting.request import Request, matched_names
from bgs.library.selecting.selection import Selection, labelled
from bgs.views.displayable import Displayable
from bgs.views.selection import selection_view

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bgs.library.index import Index

_LOW_LEVEL = {MOTION: MOTION_MODEL, PIXELS: PIXELS_MODEL}


@dataclass(frozen=True, repr=False)
class SelectedClips(Displayable):
    """Clips chosen for a study; displays as a table.

    Attributes:
        found: the choice, what it was made from, and how it was tested.
    """

    found: Selection

    @property
    def dataset(self) -> Dataset:
        """The chosen clips, with labels ``set`` and ``pair`` and what was measured."""
        return self.found.dataset

    @property
    def sets(self) -> dict[str, tuple[str, ...]]:
        """Name of a set -> ids of its clips; of matched sets in the order of pairs."""
        return self.found.sets

    def _views(self) -> Sequence[RenderableType]:
        return (selection_view(self.found),)

    def to_json(self) -> dict[str, Any]:
        """JSON types only, as ``selection.json`` and ``bgs select --json`` have them."""
        return self.found.to_json()

    def save(self, folder: str | Path, *, link: bool = False) -> None:
        """Write the study folder; see :meth:`bgs.library.selecting.Selection.save`."""
        self.found.save(folder, link)


def select(
    data: Dataset | str | Path | None = None,
    k: int = 40,
    *,
    out: str | Path | None = None,
    cover: bool = False,
    differ: str | None = None,
    match: str | Sequence[str] = (),
    model: str | None = None,
    embeddings: Embeddings | str | Path | None = None,
    index: Index | str | Path | None = None,
    gap: float = 1.0,
    caliper: float = 0.5,
    seed: int = 0,
    link: bool = False,
    skip_bad: bool = False,
    device: str = "auto",
    mirror: str | Path | None = None,
) -> SelectedClips:
    """Choose clips for a study: k that cover a model's space, or two sets that differ in one thing and are matched in others.

    Names in ``differ`` and ``match`` are ratings of the data set, ``motion_energy``, ``luminance``, ``contrast``, ``motion``
    (profile and energy), ``pixels`` (profile, luminance and contrast), or ``social`` (the space of the model).

    Args:
        data: the clips to choose from; None: those of the index's folder.
        k: number of clips; even for two sets.
        out: study folder to write, new or empty; None writes nothing.
        cover: choose clips such that every clip has a chosen one near.
        differ: what the sets differ in.
        match: what they are matched in; by default motion and pixels.
        model: reference of the model whose space it is; or give ``embeddings`` or ``index``.
        embeddings: of the clips, as ``bgs embed`` writes them.
        index: of the clips, as ``bgs index`` makes it.
        gap: least difference between any two clips of the two sets, in standard deviations of the pool.
        caliper: largest difference within a pair in any matched number, in standard deviations of the pool.
        seed: of random choices and permutations.
        link: link to clips instead of copying them.
        skip_bad: leave out clips that are missing, unreadable, copies of others, or without a rating that is needed.
        device: ``cpu``, ``cuda``, …
        mirror: folder with a mirror of the authors' repositories.

    Raises:
        ConfigError: options that contradict each other or are out of range.
        DataError: clips or attributes are missing, or the pool has no such sets: the message says what would be possible.
    """
    asked = Request(k, cover, differ, matched_names(match, differ), gap, caliper, seed)
    if out is not None:
        require_new_folder(Path(out))
    space = ModelSpace(model, embeddings, index)
    whole = _pool_of(data, space, mirror)
    needed = asked.needs(whole, space.given)
    names = [*asked.match, *([differ] if differ else [])]
    pool, left_out = usable(whole, require_ratings(whole.stimuli, names), skip_bad)
    asked.require_enough(len(pool.stimuli))
    measures, pool, unread = _measured(pool, needed, space, skip_bad, device)
    asked.require_enough(len(pool.stimuli))
    found = _covering(pool, measures, asked) if cover else _sets(pool, measures, asked, space.name)
    found = replace(
        found,
        source=whole.reference,
        asked={**asked.to_json(), "space": space.name},
        left_out=left_out | unread,
    )
    if out is not None:
        found.save(out, link)
    return SelectedClips(found)


def _pool_of(data: Dataset | str | Path | None, space: ModelSpace, mirror: str | Path | None) -> Dataset:
    if data is None:
        if space.index is None or space.index.folder is None:
            raise ConfigError("which clips?", expected="a data set, or the index of a folder")
        data = space.index.folder
    if isinstance(data, Dataset):
        return data
    dataset = load_dataset(data, mirror=mirror)
    note(*dataset.notes)
    return dataset


def _measured(
    pool: Dataset, needed: set[str], space: ModelSpace, skip_bad: bool, device: str
) -> tuple[Measures, Dataset, dict[str, str]]:
    """What is needed of every clip; the clips that could be read; and those that could not."""
    read: dict[str, dict[str, Float[np.ndarray, " d"]]] = {}
    for source in sorted(needed):
        values, ids = (
            space.vectors(pool, skip_bad, device)
            if source == SOCIAL
            else embedded(_LOW_LEVEL[source], pool, skip_bad, device)
        )
        read[source] = dict(zip(ids, values, strict=True))
    unread = {
        name: "cannot be read" for name in pool.stimuli.ids if any(name not in rows for rows in read.values())
    }
    pool = without(pool, unread)
    profiles = {source: np.stack([rows[name] for name in pool.stimuli.ids]) for source, rows in read.items()}
    return Measures(pool.stimuli, profiles), pool, unread


def _covering(pool: Dataset, measures: Measures, asked: Request) -> Selection:
    found = cover_space(measures.profiles[SOCIAL], asked.k, asked.seed)
    chosen = labelled(pool, measures.measured(), dict.fromkeys(found.chosen.tolist(), ("cover", "")))
    return Selection(chosen, "", {}, len(pool.stimuli), covering=found)


def _sets(pool: Dataset, measures: Measures, asked: Request, space: str | None) -> Selection:
    matched = [variable for name in asked.match for variable in measures.matched(name)]
    number = measures.asked(str(asked.differ), matched)
    far = measures.space if asked.differ == SOCIAL else None
    sets = choose_sets(number, matched, asked.settings, far)
    high, low = ("A", "B") if asked.differ == SOCIAL else ("high", "low")
    width = len(str(len(sets.high)))
    labels = {
        int(i): (name, f"pair-{pair + 1:0{width}d}")
        for name, members in ((high, sets.high), (low, sets.low))
        for pair, i in enumerate(members)
    }
    measured = measures.measured() | ({number.name: number.values[:, 0]} if asked.differ == SOCIAL else {})
    return Selection(
        labelled(pool, measured, labels), "", {}, len(pool.stimuli),
        balance=compare_sets(matched, sets, asked.seed),
        difference=difference_in(number, sets),
        distance=distance_in_pairs(str(space), measures.profiles[SOCIAL], sets) if space else None,
    )  # fmt: skip
