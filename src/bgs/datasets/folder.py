"""Your own data: a folder with ``stimuli.csv`` and, if there are judgments, ``trials.csv``."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bgs._errors import DataError
from bgs._files import read_json, sha256, write_json
from bgs._typing import Float
from bgs.datasets.dataset import Dataset
from bgs.datasets.video_folder import load_videos
from bgs.judgments import DEFAULT_OPTIONS, TrialOptions
from bgs.judgments.csv_table import Table, number_cells, read_table, write_table
from bgs.judgments.tables import is_of_simulated, read_trial_table, trials_of, write_trials
from bgs.stimuli import StimulusSet

STIMULI, TRIALS, ABOUT = "stimuli.csv", "trials.csv", "about.json"
#: Ground truth of simulated judgments: a folder that contains it is simulated, even if ``about.json`` does not say so.
TRUTH = "observers.json"
_KNOWN = ("stimulus_id", "video", "captions", "split")


def load_folder(path: str | Path, options: TrialOptions = DEFAULT_OPTIONS) -> Dataset:
    """Load a folder as a data set, with all trials in the table.

    ``stimuli.csv`` has ``stimulus_id`` and optionally ``video`` (a path, relative to the folder), ``captions`` (a
    JSON list of sentences) and ``split`` (train or test). Any other column is a rating where every cell that is
    not empty is a number, and a label where none is. For ``trials.csv`` see :func:`bgs.judgments.tables.read_trials`.
    A trial table with answers of simulated observers (column ``source``) is simulated.
    ``about.json``, if there is one, names ``licence`` and ``citation`` and says whether the data are ``simulated``
    (true or false; without this key, they are if the licence is "simulated", as older versions wrote it). A folder
    with neither table is a data set of its videos, see :func:`bgs.datasets.video_folder.load_videos`.

    Args:
        path: the folder.
        options: how response times are read; no trials are excluded here.

    Raises:
        DataError: a file is missing, unreadable or inconsistent.
    """
    folder = Path(path)
    if not (folder / STIMULI).is_file():
        if not (folder / TRIALS).exists():
            return load_videos(folder, _is_simulated(folder, _read_about(folder / ABOUT)))
        raise DataError(
            f"not a data set: it has no {STIMULI}", where=folder, expected=f"{STIMULI} and {TRIALS}"
        )
    stimuli, notes = read_stimuli(folder / STIMULI)
    trials, simulated = None, False
    if (folder / TRIALS).exists():
        table = read_trial_table(folder / TRIALS, options.with_excluded)
        simulated = is_of_simulated(table)
        trials, more = trials_of(table, stimuli, options.rt_unit, options.rt_kind)
        notes += more
    files = [name for name in (STIMULI, TRIALS) if (folder / name).exists()]
    about = _read_about(folder / ABOUT)
    return Dataset(
        name=folder.resolve().name,
        stimuli=stimuli,
        trials=trials,
        hashes={name: sha256(folder / name) for name in files},
        licence=about.get("licence", "your own data"),
        citation=about.get("citation", "none given"),
        folder=folder,
        simulated=simulated or _is_simulated(folder, about),
        notes=notes,
    )


def write_folder(dataset: Dataset, path: str | Path) -> None:
    """Write a data set as a folder that :func:`load_folder` can read; existing tables are replaced."""
    folder = Path(path)
    write_stimuli(folder / STIMULI, dataset.stimuli)
    if dataset.trials is None:
        (folder / TRIALS).unlink(missing_ok=True)
    else:
        write_trials(folder / TRIALS, dataset.trials, dataset.stimuli)
    write_json(
        folder / ABOUT,
        {"licence": dataset.licence, "citation": dataset.citation, "simulated": dataset.simulated},
    )


def _read_about(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    about = read_json(path, 'expected {"licence": …, "citation": …, "simulated": true or false}')
    for name, value in about.items():
        if not isinstance(value, bool if name == "simulated" else str):
            raise DataError(
                f"invalid value of {name!r}", where=path,
                expected="true or false" if name == "simulated" else "a string", got=json.dumps(value),
            )  # fmt: skip
    return about


def is_simulated(folder: Path) -> bool:
    """Whether a folder says that what is in it is simulated."""
    return _is_simulated(folder, _read_about(folder / ABOUT))


def _is_simulated(folder: Path, about: dict[str, Any]) -> bool:
    """Any one mark is enough: removing another does not make the data real."""
    marked = about.get("simulated", False) or about.get("licence") == "simulated"
    return bool(marked) or (folder / TRUTH).exists()


def read_stimuli(path: Path) -> tuple[StimulusSet, tuple[str, ...]]:
    """Read ``stimuli.csv`` (columns: see :func:`load_folder`). Also returns notes on how it was interpreted."""
    table = read_table(path, _KNOWN[:1], _KNOWN[1:])
    ratings, labels = _ratings_and_labels(table)
    stimuli = StimulusSet(
        ids=_distinct_ids(table),
        captions=_captions(table) if "captions" in table.columns else None,
        videos=_videos(table) if "video" in table.columns else None,
        split=_split(table) if "split" in table.columns else None,
        ratings=ratings,
        labels=labels,
    )
    return stimuli, tuple(table.assumptions)


def write_stimuli(path: Path, stimuli: StimulusSet) -> None:
    """Write ``stimuli.csv``; videos inside the folder are written relative to it."""
    columns: dict[str, Sequence[object]] = {"stimulus_id": stimuli.ids}
    if stimuli.videos is not None:
        columns["video"] = [_relative(video, path.parent) for video in stimuli.videos]
    if stimuli.captions is not None:
        columns["captions"] = [json.dumps(captions, ensure_ascii=False) for captions in stimuli.captions]
    if stimuli.split is not None:
        columns["split"] = stimuli.split
    columns |= {name: number_cells(values) for name, values in stimuli.ratings.items()}
    write_table(path, columns | dict(stimuli.labels))


def _relative(video: Path | None, folder: Path) -> str:
    if video is None:
        return ""
    absolute, base = Path(os.path.abspath(video)), Path(os.path.abspath(folder))
    return str(absolute.relative_to(base) if absolute.is_relative_to(base) else absolute)


def _distinct_ids(table: Table) -> tuple[str, ...]:
    ids: list[str] = table.text("stimulus_id").tolist()
    first: dict[str, int] = {}
    for record, name in enumerate(ids):
        if first.setdefault(name, record) != record:
            raise DataError(
                f"stimulus {name!r} listed twice", where=table.where(record, "stimulus_id"),
                expected="distinct stimulus ids", got=f"the id of row {table.rows[first[name]]}",
            )  # fmt: skip
    return tuple(ids)


def _captions(table: Table) -> tuple[tuple[str, ...], ...]:
    return tuple(_sentences(table, record, cell) for record, cell in enumerate(table["captions"]))


def _sentences(table: Table, record: int, cell: str) -> tuple[str, ...]:
    """Parse a JSON list of sentences; an empty cell is an empty list."""
    try:
        captions = json.loads(cell or "[]")
    except json.JSONDecodeError as error:
        raise DataError(
            f"not JSON: {error.msg}", where=table.where(record, "captions"), expected='a list like ["a", "b"]'
        ) from error
    if not isinstance(captions, list) or not all(isinstance(text, str) and text.strip() for text in captions):
        raise DataError(
            "not a list of sentences", where=table.where(record, "captions"), expected='["a", "b"]'
        )
    return tuple(captions)


def _videos(table: Table) -> tuple[Path | None, ...]:
    return tuple(table.path.parent / cell if cell else None for cell in table["video"])


def _split(table: Table) -> tuple[str, ...]:
    names = tuple(cell.lower() for cell in table["split"])
    for record, name in enumerate(names):
        if name not in ("train", "test"):
            where, cell = table.where(record, "split"), table["split"][record]
            raise DataError("unknown split", where=where, expected="train or test", got=repr(cell))
    return names


def _ratings_and_labels(
    table: Table,
) -> tuple[dict[str, Float[np.ndarray, " n"]], dict[str, tuple[str, ...]]]:
    ratings, labels = {}, {}
    for column in table.columns:
        if column in _KNOWN:
            continue
        if _is_rating(table, column):
            ratings[column] = table.floats(column, blank_is_nan=True)
        else:
            labels[column] = tuple(table[column])
    return ratings, labels


def _is_rating(table: Table, column: str) -> bool:
    """Whether a column holds numbers. A mix of numbers and text is an error: it is more likely a typo than a label."""
    filled, numbers = ~table.missing(column), np.isfinite(table.numbers(column))
    if numbers.any() and (filled & ~numbers).any():
        odd = int(np.flatnonzero(filled & ~numbers)[0])
        raise DataError(
            "column mixes numbers and text", where=table.where(odd, column),
            expected="only numbers (a rating) or only text (a label)", got=repr(table[column][odd]),
        )  # fmt: skip
    return bool(numbers.any())
