"""What a reader returns, and what several readers share: names that a table can hold, and names of stimuli given as indices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bgs._errors import DataError
from bgs._files import read_text
from bgs.judgments.csv_table import Table, read_table
from bgs.judgments.response_times import RtUnit

#: Column of the ids that the browser gives to answers: one that was sent again has the same id.
ANSWER = "answer"


@dataclass(frozen=True)
class Reading:
    """The answers in one file, as text, in the columns of a trial table.

    Attributes:
        table: ``participant``, ``stim1`` to ``stim3`` and ``odd``, and ``block``, ``trial``, ``rt`` and :data:`ANSWER` where
            known. For anchored comparisons ``head``, ``winner`` and ``loser`` in place of the stimuli and the odd one.
        rt_unit: unit of ``rt``.
    """

    table: Table
    rt_unit: RtUnit = "s"


@dataclass(frozen=True)
class ReaderInputs:
    """What some formats need beside the files.

    Attributes:
        ids: stimulus ids, for files that number stimuli 0, 1, 2, …
        mapping: file that says what the columns of a table mean, see :mod:`bgs.judgments.readers.mapping`.
    """

    ids: tuple[str, ...] | None = None
    mapping: Path | None = None


def each_once(readings: Sequence[Reading]) -> list[Reading]:
    """The readings with every answer once, wherever it comes again; how many were left out is noted.

    Raises:
        DataError: two different answers have one id.
    """
    seen: dict[str, tuple[str, ...]] = {}
    kept: list[Reading] = []
    for reading in readings:
        table = reading.table
        new = [k for k in range(len(table)) if _is_new(table, k, seen)]
        if len(new) < len(table):
            table.assume(f"{len(table) - len(new):,} answers that were sent again left out")
        if new:
            kept.append(replace(reading, table=table.picked(new)))
        else:  # never the first reading: nothing was seen before
            kept[0].table.assumptions.extend(table.assumptions)
    return kept


def _is_new(table: Table, record: int, seen: dict[str, tuple[str, ...]]) -> bool:
    name = table[ANSWER][record] if ANSWER in table.columns else ""
    if not name:
        return True
    cells = tuple(table[column][record] for column in sorted(table.columns))
    if name not in seen:
        seen[name] = cells
        return True
    if seen[name] != cells:
        raise DataError("two different answers have this id", where=table.where(record, ANSWER), got=name)
    return False


def name_fault(name: str) -> str | None:
    """Why a table cannot hold this name and give it back unchanged; None if it can."""
    if not name:
        return "an empty name"
    if name != name.strip():
        return "a name that begins or ends with a space"
    if not all(letter.isprintable() for letter in name):
        return "a name with a character that cannot be printed"
    return None


def read_ids(path: str | Path) -> tuple[str, ...]:
    """Stimulus ids in the order of their indices 0, 1, 2, …: a text file with one id a line, or a CSV table with the
    columns ``index`` and ``video_name``.

    Raises:
        DataError: the file is empty, an id is missing or listed twice, or indices have gaps or repeats.
    """
    path = Path(path)
    if path.suffix.lower() == ".csv":
        table = read_table(path, ("index", "video_name"))
        index = table.integers("index")
        order = np.argsort(index)
        if not np.array_equal(index[order], np.arange(len(table))):
            raise DataError(
                "indices have gaps or repeats", where=table.path, expected=f"0 to {len(table) - 1}, each once"
            )
        names, rows = [table["video_name"][i] for i in order], [table.rows[i] for i in order]
    else:
        names = [line.strip() for line in read_text(path).rstrip().split("\n")]
        rows = list(range(1, len(names) + 1))
    first: dict[str, int | str] = {}
    for name, row in zip(names, rows, strict=True):
        fault = name_fault(name)
        if fault or name in first:
            raise DataError(
                f"not a stimulus id: {fault}" if fault else f"stimulus {name!r} listed twice",
                where=f"{path}, row {row}", expected="distinct stimulus ids, one for each index",
            )  # fmt: skip
        first[name] = row
    return tuple(names)


def named(table: Table, columns: Sequence[str], ids: Sequence[str] | None) -> None:
    """Replace indices in these columns by stimulus ids, in place; without ``ids`` the cells are ids as they are.

    Raises:
        DataError: a cell is not an index of ``ids``.
    """
    if ids is None:
        return
    known = {str(index): name for index, name in enumerate(ids)}
    for column in columns:
        cells = table[column]
        try:
            table.columns[column] = [known[cell] for cell in cells]
        except KeyError:
            record = next(k for k, cell in enumerate(cells) if cell not in known)
            raise DataError(
                "not an index of a stimulus", where=table.where(record, column),
                expected=f"0 to {len(ids) - 1}, since {len(ids)} ids are given", got=repr(cells[record]),
                hint="indices count from 0",
            ) from None  # fmt: skip
