"""Index triplets, as THINGS, SPoSE and VICE use them: ``.npy`` or ``.txt`` with three stimulus indices a row.

Indices count from 0; in each row the first two are the pair that was kept together and the third is the odd one, as the
description of the public THINGS triplets says ("reordered as chosen pair, odd one"). The order shown, participants and
response times are not in such files: the participant is called ``unknown`` and the odd one always comes third, so that
nothing can be said of position or of people. ``--ids`` names the stimuli, one a line (``unique_id.txt`` of THINGS).
``.txt``: cells separated by spaces, tabs or commas. ``.npy``: an (n, 3) array of numbers; pickled arrays are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bgs._errors import DataError
from bgs._files import foreign_damage_as_error, read_text
from bgs._typing import Int
from bgs.judgments.csv_table import Table
from bgs.judgments.readers.reading import ReaderInputs, Reading, named
from bgs.judgments.tables import SLOTS

UNKNOWN = "unknown"
#: An index this high is no index of a stimulus.
_MOST = 10_000_000


def read_index_triplets(path: Path, inputs: ReaderInputs) -> list[Reading]:
    """Read index triplets.

    Raises:
        DataError: not (n, 3) whole numbers ≥ 0, no rows, or an index without an id.
    """
    rows, triplets = _array(path) if path.suffix.lower() == ".npy" else _lines(path)
    if not len(triplets):
        raise DataError("no triplets", where=path, expected="three indices a row")
    texts = np.array([str(k) for k in range(int(triplets.max()) + 1)], dtype=object)
    table = Table(
        path, dict(zip(SLOTS, (texts[column].tolist() for column in triplets.T), strict=True)), rows
    )
    named(table, SLOTS, inputs.ids)
    table.columns["odd"] = table["stim3"]
    table.columns["participant"] = [UNKNOWN] * len(rows)
    table.assume("the third of each row is the odd one; order shown, participants and times are not known")
    return [Reading(table)]


def _array(path: Path) -> tuple[list[int], Int[np.ndarray, "n 3"]]:
    with foreign_damage_as_error(path, "damaged"):
        found = np.array(
            np.lib.format.open_memmap(path, mode="r")
        )  # no pickles, and no archives under this name
    if found.ndim != 2 or found.shape[1] != 3 or found.dtype.kind not in "iuf":
        raise DataError(
            "not index triplets",
            where=path,
            expected="(n, 3) whole numbers",
            got=f"{found.shape} of {found.dtype}",
        )
    bad = ~(np.isfinite(found) & (found == np.floor(found)) & (found >= 0) & (found < _MOST))
    if bad.any():
        row, column = (int(k[0]) for k in np.nonzero(bad))
        raise _not_an_index(f"{path}, row {row + 1}", column, found[row, column].item())
    return list(range(1, len(found) + 1)), found.astype(np.int64)


def _lines(path: Path) -> tuple[list[int], Int[np.ndarray, "n 3"]]:
    rows, triplets = [], []
    for row, cells in _cells(path):
        if len(cells) != 3:
            raise DataError(
                "wrong number of cells", where=f"{path}, row {row}", expected="3 indices", got=len(cells)
            )
        for column, cell in enumerate(cells):
            if not (cell.isascii() and cell.isdigit() and len(cell) < 8):
                raise _not_an_index(f"{path}, row {row}", column, cell)
        rows.append(row)
        triplets.append([int(cell) for cell in cells])
    return rows, np.array(triplets, dtype=np.int64).reshape(-1, 3)


def _cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    for row, line in enumerate(read_text(path).split("\n"), start=1):
        cells = line.replace(",", " ").split()
        if cells:
            yield row, cells


def _not_an_index(where: str, column: int, got: object) -> DataError:
    return DataError(
        "not an index",
        where=f"{where}, column {column + 1}",
        expected="a whole number below 10 million, counted from 0",
        got=repr(got),
    )
