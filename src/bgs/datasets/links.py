"""Locations of a data set's clips on this machine: searched for by file name, and remembered."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bgs._errors import DataError
from bgs._files import cache_folder, read_json, sha256, write_json
from bgs._progress import progress_bar
from bgs.datasets.registry import DatasetCard
from bgs.stimuli import StimulusSet, UnreadableClip

#: Tolerance for a clip's duration in seconds: audio and video seldom end together.
TOLERANCE_S = 0.25


@dataclass(frozen=True)
class ClipSearch:
    """The result of a search for the clips of a data set.

    Attributes:
        found: stimulus id -> path.
        missing: stimulus ids for which there is no file of that name.
        refused: (stimulus id, reason) where there is a file, but not the clip: a different duration, unreadable, or
            several different files of the same name.
    """

    found: dict[str, Path]
    missing: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        found = {name: str(path) for name, path in self.found.items()}
        return {"found": found, "missing": list(self.missing), "refused": dict(self.refused)}


def require_linkable(card: DatasetCard) -> None:
    """Check that users bring their own copies of a data set's clips.

    Raises:
        DataError: its authors publish them.
    """
    if card.clips:
        raise DataError("the clips are published, not linked", where=card.name, hint=card.obtain_clips)


def search_for_clips(card: DatasetCard, stimuli: StimulusSet, folder: str | Path) -> ClipSearch:
    """Search a folder and its subfolders for the clips of a data set, with progress; see :func:`search_clips`."""
    with progress_bar() as bar:
        task = bar.add_task("searching", total=len(stimuli))
        return search_clips(folder, stimuli.ids, card.clip_seconds, lambda done: bar.advance(task, done))


def remember_clips(card: DatasetCard, search: ClipSearch, folder: str | Path) -> None:
    """Remember the locations of the clips that were found.

    Raises:
        DataError: none was found; previously remembered locations are kept.
    """
    if not search.found:
        refused = f", {len(search.refused)} refused: {search.refused[0]}" if search.refused else ""
        first = (*search.missing, *dict(search.refused))[0]
        raise DataError(
            "none of the clips is in this folder", where=folder, expected=f"files named like {first}",
            got=f"{len(search.missing)} missing{refused}",
        )  # fmt: skip
    link_clips(card.name, search.found)


def search_clips(
    folder: str | Path,
    ids: Sequence[str],
    seconds: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> ClipSearch:
    """Search a folder and its subfolders for files with the names of the stimuli.

    Args:
        folder: folder to search.
        ids: file names.
        seconds: expected duration of each clip; None skips this check.
        progress: called for each name.

    Raises:
        DataError: the folder does not exist.
        MissingExtraError: ``seconds`` is given and PyAV is not installed.
    """
    if not Path(folder).is_dir():
        raise DataError("no such folder", where=folder)
    places = _places(Path(folder), frozenset(ids))
    found: dict[str, Path] = {}
    refused: list[tuple[str, str]] = []
    for name in ids:
        if name in places:
            reason = _wrong(places[name], seconds)
            if reason is None:
                found[name] = places[name][0].resolve()
            else:
                refused.append((name, reason))
        if progress is not None:
            progress(1)
    return ClipSearch(found, tuple(name for name in ids if name not in places), tuple(refused))


def _places(folder: Path, names: frozenset[str]) -> dict[str, list[Path]]:
    """Every file with one of the names, sorted by path."""
    places: dict[str, list[Path]] = {}
    for parent, _, files in os.walk(folder):
        for name in names.intersection(files):
            places.setdefault(name, []).append(Path(parent, name))
    return {name: sorted(paths) for name, paths in places.items()}


def _wrong(paths: Sequence[Path], seconds: float | None) -> str | None:
    """The reason why files of this name are not the clip; None if they are."""
    from bgs.stimuli.decoding import check_file
    from bgs.stimuli.pyav_decoder import clip_seconds

    try:
        for path in paths:
            check_file(path)  # reading from a pipe would block
        if len(paths) > 1 and len({sha256(path) for path in paths}) > 1:
            return f"{len(paths)} different files of this name: {paths[0]}, {paths[1]}"
        if seconds is None:
            return None
        lasting = clip_seconds(paths[0])
    except UnreadableClip as error:
        return error.reason
    if abs(lasting - seconds) > TOLERANCE_S:
        return f"lasts {lasting:.2f} s, not {seconds:g} s"
    return None


def link_clips(dataset: str, found: Mapping[str, Path]) -> Path:
    """Remember the locations of a data set's clips, replacing earlier ones. Returns the file that stores them."""
    memory = _memory(dataset)
    write_json(memory, {name: str(path) for name, path in found.items()})
    return memory


def linked_clips(dataset: str, stimuli: StimulusSet) -> tuple[Path | None, ...] | None:
    """The remembered path of each stimulus (None where there is none), or None if nothing is remembered.

    Raises:
        DataError: the stored locations cannot be read.
    """
    memory = _memory(dataset)
    if not memory.is_file():
        return None
    paths = read_json(memory, f"`bgs data link {dataset}` rewrites it")
    return tuple(Path(paths[name]) if name in paths else None for name in stimuli.ids)


def _memory(dataset: str) -> Path:
    return cache_folder() / "clips" / f"{dataset}.json"
