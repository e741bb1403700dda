"""A comma-separated table: text in, typed columns out, every complaint with its row and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bgs._errors import DataError, some
from bgs._files import write_text
from bgs._typing import Float, Int, Shaped


@dataclass(frozen=True)
class Table:
    """Columns of text, as they stand in a comma-separated file.

    Attributes:
        path: the file.
        columns: column name -> n cells.
        rows: row of the file on which each of the n records begins, as in a text editor: the header is row 1.
    """

    path: Path
    columns: dict[str, list[str]]
    rows: list[int]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> list[str]:
        return self.columns[column]

    def where(self, record: int, column: str) -> str:
        """The place of one cell, for an error message."""
        return f"{self.path}, row {self.rows[record]}, column {column!r}"

    def text(self, column: str) -> Shaped[np.ndarray, " n"]:
        """(n,) strings, none of them empty.

        Raises:
            DataError: a cell is empty.
        """
        cells = self.columns[column]
        if "" in cells:
            raise DataError("empty cell", where=self.where(cells.index(""), column), expected="a name")
        return np.array(cells, dtype=np.str_)

    def floats(self, column: str, *, blank_is_nan: bool = False) -> Float[np.ndarray, " n"]:
        """(n,) finite numbers; with ``blank_is_nan``, NaN where the cell is empty.

        Raises:
            DataError: a cell is not a finite number.
        """
        cells = self.columns[column]
        blank = np.array([blank_is_nan and cell == "" for cell in cells], dtype=bool)
        values = to_numbers(cells)
        bad = np.flatnonzero(~np.isfinite(values) & ~blank)
        if len(bad):
            raise DataError(
                "not a number", where=self.where(int(bad[0]), column),
                expected="a finite number", got=repr(cells[bad[0]]),
            )  # fmt: skip
        return values

    def integers(self, column: str) -> Int[np.ndarray, " n"]:
        """(n,) whole numbers.

        Raises:
            DataError: a cell is not a whole number.
        """
        values = self.floats(column)
        bad = np.flatnonzero(values != np.round(values))
        if len(bad):
            raise DataError(
                "not a whole number", where=self.where(int(bad[0]), column),
                expected="an integer", got=repr(self.columns[column][bad[0]]),
            )  # fmt: skip
        return values.astype(np.int64)


def to_numbers(cells: Sequence[str]) -> Float[np.ndarray, " n"]:
    """(n,) the numbers that cells hold; NaN where one holds none."""
    try:
        return np.array(cells, dtype=np.float64)  # at once, if all of them are numbers
    except ValueError:
        return np.array([_to_number(cell) for cell in cells], dtype=np.float64)


def _to_number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def read_table(path: str | Path, required: Sequence[str], optional: Sequence[str] | None = None) -> Table:
    """Read a comma-separated UTF-8 file with a header.

    Args:
        path: the file.
        required: columns it must have.
        optional: further columns it may have; None allows any.

    Raises:
        DataError: the file is missing, empty, not UTF-8, not a table, or has the wrong columns.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header, records, rows = _read_records(path, stream)
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise DataError("not UTF-8 text", where=path, got=f"byte 0x{byte:02x}") from error
    except OSError as error:
        raise DataError(f"cannot read: {error.strerror}", where=path) from error
    _check_header(path, header, required, optional)
    if not records:
        raise DataError("no rows below the header", where=path, expected="at least one row")
    return Table(path, dict(zip(header, map(list, zip(*records, strict=True)), strict=True)), rows)


def _read_records(path: Path, stream: Iterable[str]) -> tuple[list[str], list[list[str]], list[int]]:
    reader = csv.reader(stream, strict=True)
    records: list[list[str]] = []
    rows: list[int] = []
    begin = 1
    try:
        for record in reader:
            if record:  # blank lines are skipped, yet counted
                records.append(record)
                rows.append(begin)
            begin = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"not a comma-separated table: {error}", where=f"{path}, row {begin}") from error
    if not records:
        raise DataError("empty file", where=path, expected="a header and rows")
    header = records[0]
    for record, row in zip(records, rows, strict=True):
        if len(record) != len(header):
            raise DataError(
                "wrong number of cells", where=f"{path}, row {row}", expected=len(header), got=len(record)
            )
    return header, records[1:], rows[1:]


def _check_header(
    path: Path, header: Sequence[str], required: Sequence[str], optional: Sequence[str] | None
) -> None:
    missing = [name for name in required if name not in header]
    if missing:
        raise DataError(
            f"missing column {some(missing)}", where=f"{path}, row 1",
            expected=", ".join(required), got=some(header, limit=12),
        )  # fmt: skip
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError(f"column listed twice: {some(twice)}", where=f"{path}, row 1")
    known = header if optional is None else [*required, *optional]
    unknown = [repr(name) for name in header if name not in known]
    if unknown:
        raise DataError(
            f"unknown column {some(unknown)}", where=f"{path}, row 1", expected=f"some of {', '.join(known)}"
        )


def write_table(path: str | Path, columns: dict[str, Sequence[object]]) -> None:
    """Write equally long columns as comma-separated UTF-8, atomically."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    write_text(path, buffer.getvalue())


def number_cells(values: Float[np.ndarray, " n"]) -> list[str]:
    """Cells that read back as exactly the same numbers; empty where NaN."""
    return ["" if np.isnan(value) else repr(value) for value in values.tolist()]
