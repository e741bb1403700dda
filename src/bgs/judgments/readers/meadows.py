"""Meadows: the *Annotations* download (CSV) of a triplet-choice task.

Columns (https://docs.meadows-research.com/downloads/structures/annotations): ``task`` (block), ``participation``
(participant), ``stim1_id`` to ``stim3_id`` (ids given by Meadows), ``stim1_name`` to ``stim3_name`` (from file names),
``start`` and ``resp`` (ISO 8601; the response time is their difference) and ``label``. The documentation leaves open what
``label`` holds for this task: the name or the id of the stimulus chosen as odd is read, and a number 1 to 3 as its position.
Stimulus ids are the names, or Meadows' ids if a name is missing or stands for two ids. Rows of other tasks, with fewer than
three stimuli, are left out and counted. Trials are counted in the order of ``start``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from bgs._errors import DataError
from bgs.judgments.csv_table import Table, read_table
from bgs.judgments.readers.reading import ReaderInputs, Reading
from bgs.judgments.tables import SLOTS

_IDS, _NAMES = tuple(f"{slot}_id" for slot in SLOTS), tuple(f"{slot}_name" for slot in SLOTS)
_NEEDED = ("task", "participation", *_IDS, *_NAMES, "start", "resp", "label")


def read_meadows(path: Path, inputs: ReaderInputs) -> list[Reading]:
    """Read annotations of a triplet-choice task.

    Raises:
        DataError: see :func:`bgs.judgments.csv_table.read_table`; no row has three stimuli, a time is not in ISO 8601 or
            an answer comes before its question.
    """
    found = read_table(path, _NEEDED)
    threes = [k for k in range(len(found)) if all(found[column][k] for column in _IDS)]
    if not threes:
        raise DataError(
            "no row with three stimuli", where=path, expected="annotations of a triplet-choice task"
        )
    left = len(found) - len(threes)
    rows = found.picked(threes)
    if left:
        rows.assume(f"{left:,} rows with fewer than three stimuli (of other tasks) left out")
    return [Reading(_as_trials(rows))]


def _as_trials(rows: Table) -> Table:
    by_name = _names_tell_apart(rows)
    columns = _NAMES if by_name else _IDS
    starts, ends = _instants(rows, "start"), _instants(rows, "resp")
    table = Table(rows.path, {}, rows.rows, rows.separator, rows.assumptions, {"odd": "label", "rt": "resp"})
    table.names.update(
        {"participant": "participation", "block": "task", **dict(zip(SLOTS, columns, strict=True))}
    )
    table.columns.update({slot: rows[column] for slot, column in zip(SLOTS, columns, strict=True)})
    table.columns.update(participant=rows["participation"], block=rows["task"], odd=_odd(rows, columns))
    table.columns["rt"] = [_seconds(rows, k, starts[k], ends[k]) for k in range(len(rows))]
    table.columns["trial"] = _order(rows, starts)
    return table


def _names_tell_apart(rows: Table) -> bool:
    """Whether every stimulus has a name, and no two ids share one."""
    pairs = {pair for a, b in zip(_IDS, _NAMES, strict=True) for pair in zip(rows[a], rows[b], strict=True)}
    names = {name for _, name in pairs}
    if all(names) and len(names) == len({stimulus for stimulus, _ in pairs}) == len(pairs):
        return True
    rows.assume("a stimulus has no name, or shares it: Meadows' ids are used")
    return False


def _odd(rows: Table, columns: Sequence[str]) -> list[str]:
    """The odd one, as the columns of the stimuli name it."""
    found = []
    for k, label in enumerate(rows["label"]):
        shown = [rows[column][k] for column in columns]
        alike = [name for name, *other in zip(shown, *_both(rows, k), strict=True) if label in other]
        found.append(alike[0] if alike else label)
    return found


def _both(rows: Table, record: int) -> tuple[list[str], list[str]]:
    return [rows[column][record] for column in _IDS], [rows[column][record] for column in _NAMES]


def _instants(rows: Table, column: str) -> list[datetime]:
    found = []
    for k, cell in enumerate(rows[column]):
        try:
            found.append(datetime.fromisoformat(cell))
        except ValueError:
            raise DataError(
                "not a time", where=rows.where(k, column), expected="ISO 8601, as 2020-09-14T18:18:43.196Z",
                got=repr(cell),
            ) from None  # fmt: skip
    return found


def _seconds(rows: Table, record: int, start: datetime, end: datetime) -> str:
    try:
        seconds = (end - start).total_seconds()
    except TypeError:  # one has a time zone
        seconds = -1.0
    if seconds < 0:
        raise DataError(
            "the answer comes before its question", where=rows.where(record, "resp"),
            expected=f"a time after {rows['start'][record]}", got=rows["resp"][record],
        )  # fmt: skip
    return repr(seconds)


def _order(rows: Table, starts: list[datetime]) -> list[str]:
    """0, 1, 2, … within participant and task, by start."""
    number: dict[tuple[str, str], int] = {}
    places = [""] * len(rows)
    for k in np.argsort(np.array([start.timestamp() for start in starts]), kind="stable").tolist():
        whose = rows["participation"][k], rows["task"][k]
        places[k] = str(number.get(whose, 0))
        number[whose] = number.get(whose, 0) + 1
    return places
