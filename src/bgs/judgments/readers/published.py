"""The published table of Garcia & Isik (arXiv:2510.01502), and tables with its column names.

Columns: ``participation`` (participant), ``task`` (block), ``trial``, ``stim1_name`` to ``stim3_name``, ``choice`` (the odd
one) and ``response_time`` (seconds); others are ignored, but rows that a
column ``excluded`` marks are left out. Stimuli are indices 0, 1, 2, … in the published file, whose names
``--ids video_mapping.csv`` gives; without ids, the cells themselves are stimulus ids.
"""

from __future__ import annotations

from pathlib import Path

from bgs.judgments.csv_table import Table, read_table
from bgs.judgments.readers.reading import ReaderInputs, Reading, named
from bgs.judgments.tables import SLOTS, is_of_simulated, without_excluded

#: Column of the trial table -> published name.
COLUMNS = {
    "participant": "participation",
    "block": "task",
    "trial": "trial",
    **{slot: f"{slot}_name" for slot in SLOTS},
    "odd": "choice",
    "rt": "response_time",
}


def read_published(path: Path, inputs: ReaderInputs) -> list[Reading]:
    """Read a table with the published column names.

    Raises:
        DataError: see :func:`bgs.judgments.csv_table.read_table`; or a cell that is not an index of the ids.
    """
    found = without_excluded(read_table(path, tuple(COLUMNS.values())))
    if is_of_simulated(found):
        found.assume("some answers are of SIMULATED observers (column 'source'): --simulated marks the data")
    table = renamed(found, COLUMNS)
    named(table, (*SLOTS, "odd"), inputs.ids)
    return [Reading(table)]


def renamed(table: Table, columns: dict[str, str]) -> Table:
    """The columns that ``columns`` names (new name -> name in the file), under their new names."""
    return Table(
        table.path, {new: table[old] for new, old in columns.items()}, table.rows, table.separator, table.assumptions,
        {new: old for new, old in columns.items() if new != old},
    )  # fmt: skip
