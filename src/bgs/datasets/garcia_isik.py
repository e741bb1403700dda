"""Garcia & Isik (arXiv:2510.01502): 49,484 odd-one-out judgments of 250 social video clips."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np

from bgs._errors import DataError, listed
from bgs._typing import Float
from bgs.judgments import Trials
from bgs.judgments.csv_table import Table, read_table
from bgs.judgments.readers import ReaderInputs, read_ids
from bgs.judgments.readers.published import read_published
from bgs.judgments.tables import trials_of
from bgs.stimuli import StimulusSet

_UTILS = "data/raw/utils"
_SIMILARITY = "data/interim/similarity"
_RATING = "rating-"


def load_garcia_isik(folder: Path) -> tuple[StimulusSet, Trials]:
    """Load the clips' annotations and every trial, attention checks included.

    Stimulus ids are video file names, in the order of the indices that the trials use.

    Args:
        folder: the authors' repository (or just the files listed on the card).

    Raises:
        DataError: a file is inconsistent with itself or another.
    """
    names = read_video_names(folder)
    return read_stimuli(folder, names), read_triplets(similarity_file(folder, "all_triplets.csv"), len(names))


def similarity_file(folder: Path, name: str) -> Path:
    """Path of one of the judgment or matrix files."""
    return folder / _SIMILARITY / name


def read_video_names(folder: Path) -> tuple[str, ...]:
    """Video file names, in the order of their indices 0 to n − 1."""
    return read_ids(folder / _UTILS / "video_mapping.csv")


def read_stimuli(folder: Path, names: tuple[str, ...]) -> StimulusSet:
    """Read the annotations of the clips ``names``, matched by name; their order in the file does not matter."""
    table = read_table(folder / _UTILS / "annotations.csv", ("video_name", "stimulus_set", "captions"))
    record = {name: i for i, name in enumerate(table["video_name"])}
    if set(record) != set(names) or len(table) != len(names):
        raise DataError(
            "clips differ from video_mapping.csv", where=table.path, expected=f"the same {len(names)} names, each once",
            got=listed(sorted(set(record) ^ set(names))) or f"{len(table)} rows",
        )  # fmt: skip
    pick = [record[name] for name in names]
    ratings = {
        column.removeprefix(_RATING): table.floats(column)[pick]
        for column in table.columns
        if column.startswith(_RATING)
    }
    return StimulusSet(
        ids=names,
        captions=tuple(_captions(table, i) for i in pick),
        split=tuple(table["stimulus_set"][i] for i in pick),
        ratings=ratings,
    )


def _captions(table: Table, record: int) -> tuple[str, ...]:
    """Parse a Python list literal of sentences."""
    try:
        captions = ast.literal_eval(table["captions"][record])
    except (ValueError, SyntaxError) as error:
        raise DataError("not a list of captions", where=table.where(record, "captions")) from error
    if not isinstance(captions, list) or not captions or not all(isinstance(text, str) for text in captions):
        raise DataError(
            "not a list of captions", where=table.where(record, "captions"), expected="a list of sentences"
        )
    return tuple(captions)


def read_triplets(path: Path, n_stimuli: int) -> Trials:
    """Read trials from ``all_triplets.csv``, ``train_triplets.csv`` or ``test_triplets.csv``.

    Clips and choice are indices. If the chosen clip was shown twice, its first slot counts.
    """
    ids = tuple(str(index) for index in range(n_stimuli))  # of indices, which stay as they are
    (reading,) = read_published(path, ReaderInputs(ids=ids))
    return trials_of(reading.table, StimulusSet(ids=ids))[0]


def read_split(folder: Path, part: str) -> tuple[str, ...]:
    """Read the published list of ``"train"`` or ``"test"`` videos."""
    return tuple(read_table(folder / _UTILS / f"{part}.csv", ("video_name",))["video_name"])


def read_matrix(folder: Path, name: str, n_stimuli: int) -> Float[np.ndarray, "n n"]:
    """Read a published square matrix and expand it to all stimuli.

    The header of the file names the stimuli (indices) of its rows and columns.

    Returns:
        (n_stimuli, n_stimuli) floats, NaN outside the stimuli of the file.
    """
    table = read_table(similarity_file(folder, name), ())
    stimuli = [int(column) if column.isdecimal() else -1 for column in table.columns]
    if len(table) != len(stimuli) or min(stimuli) < 0 or max(stimuli) >= n_stimuli:
        raise DataError(
            "not a square matrix over stimuli", where=table.path, expected=f"indices below {n_stimuli} as a header",
            got=f"{len(table)} rows, {len(stimuli)} columns",
        )  # fmt: skip
    matrix = np.full((n_stimuli, n_stimuli), np.nan)
    matrix[np.ix_(stimuli, stimuli)] = np.column_stack([table.floats(column) for column in table.columns])
    return matrix
