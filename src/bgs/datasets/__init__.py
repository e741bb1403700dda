"""Data sets: named public ones, downloaded and verified, and folders of your own data."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from bgs._errors import DataError
from bgs.datasets.dataset import Dataset
from bgs.datasets.download import Progress, available_clips, fetch
from bgs.datasets.folder import load_folder, write_folder
from bgs.datasets.garcia_isik import load_garcia_isik
from bgs.datasets.heider_simmel import clip_id, load_heider_simmel
from bgs.datasets.imported import import_judgments
from bgs.datasets.links import linked_clips
from bgs.datasets.phase import load_phase
from bgs.datasets.published import audit_dataset
from bgs.datasets.registry import GARCIA_ISIK, PHASE_GENSET, REGISTRY, DatasetCard
from bgs.judgments import DEFAULT_OPTIONS, TrialOptions, Trials
from bgs.stimuli import StimulusSet

__all__ = [
    "REGISTRY",
    "Dataset",
    "DatasetCard",
    "audit_dataset",
    "find_card",
    "import_judgments",
    "load_dataset",
    "write_folder",
]


def load_dataset(
    name_or_folder: str | Path,
    mirror: str | Path | None = None,
    progress: Progress | None = None,
    ratings: str | Path | None = None,
    options: TrialOptions = DEFAULT_OPTIONS,
) -> Dataset:
    """Load a named public data set, downloading it first if necessary, or a folder of your own data.

    The clips of a named data set are those that `bgs data link` found or `bgs data fetch` rendered or downloaded. Published
    clips are also taken from a mirror.

    Args:
        name_or_folder: a registered name, or a folder with ``stimuli.csv`` or just videos.
        mirror: see :func:`bgs.datasets.download.fetch`; ``BGS_DATA_MIRROR`` if None.
        progress: called as data arrive.
        ratings: for ``phase-genset``, a table with the number of people who chose each relation.
        options: how response times are read, and which trials are excluded; recorded in ``notes`` of the data set.

    Raises:
        DataError: the name is unknown, a file is unavailable or inconsistent, or ``ratings`` or a
            format of response times is given for a data set that does not use it.
    """
    if name_or_folder not in REGISTRY and Path(name_or_folder).is_dir():
        _reject_ratings(ratings, str(name_or_folder))
        return load_folder(name_or_folder, options).select(options)
    card = find_card(str(name_or_folder))
    _reject_times(options, card.name)
    if card is not PHASE_GENSET:
        _reject_ratings(ratings, card.name)
    folder = fetch(card, mirror, progress)
    stimuli, trials, notes = _read(card, folder, None if ratings is None else Path(ratings))
    videos = _published(card, stimuli, mirror) if card.clips else linked_clips(card.name, stimuli)
    stimuli = replace(stimuli, videos=videos, obtain_clips=card.obtain_clips)
    dataset = Dataset(
        stimuli, trials, simulated=False, name=card.name, hashes=card.hashes, licence=card.licence,
        citation=card.citation, folder=folder, notes=notes,
    )  # fmt: skip
    return dataset.select(options)


def _read(
    card: DatasetCard, folder: Path, ratings: Path | None
) -> tuple[StimulusSet, Trials | None, tuple[str, ...]]:
    """Stimuli and trials of a named data set, and how its tables were interpreted."""
    if card is GARCIA_ISIK:
        return *load_garcia_isik(folder), ()
    if card is PHASE_GENSET:
        stimuli, notes = load_phase(folder, ratings)
        return stimuli, None, notes
    return *load_heider_simmel(card, folder), ()


def _published(
    card: DatasetCard, stimuli: StimulusSet, mirror: str | Path | None
) -> tuple[Path | None, ...] | None:
    """Published clips of the stimuli, None for those that are not on this machine; None if all are missing."""
    here = {clip_id(path): file for path, file in available_clips(card, mirror).items()}
    return tuple(here.get(name) for name in stimuli.ids) if here else None


def find_card(name: str) -> DatasetCard:
    """Find the card of a registered data set.

    Raises:
        DataError: the name is unknown.
    """
    if name in REGISTRY:
        return REGISTRY[name]
    close = get_close_matches(name, REGISTRY, n=1)
    hint = f"did you mean {close[0]}?" if close else "see `bgs data list`"
    raise DataError("no such data set", where=name, expected=f"{', '.join(REGISTRY)} or a folder", hint=hint)


def _reject_ratings(ratings: str | Path | None, name: str) -> None:
    if ratings is not None:
        raise DataError("does not use a ratings table", where=name, expected="phase-genset", got=ratings)


def _reject_times(options: TrialOptions, name: str) -> None:
    given = {"--rt-unit": options.rt_unit, "--rt-kind": options.rt_kind}
    usual = {"--rt-unit": DEFAULT_OPTIONS.rt_unit, "--rt-kind": DEFAULT_OPTIONS.rt_kind}
    for option, value in given.items():
        if value != usual[option]:
            raise DataError(
                f"{option} applies only to folders of your own data: the format of these times is known",
                where=name,
                got=value,
            )
