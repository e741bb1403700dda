"""Reads tables in common formats into typed columns; every error names its row and column.

Programs and spreadsheets write tables in different ways. Unambiguous variants are read, and the table records
what was assumed; anything else is an error that names its location.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from bgs._errors import DataError, listed
from bgs._files import write_text
from bgs._typing import Bool, Float, Int, Shaped
from bgs.judgments.table_text import SEPARATORS, decode, plain_name, split_records

#: Cells of a numeric column that mean a missing value, in upper or lower case.
MISSING = frozenset({"na", "n/a", "nan", "null", "none"})
#: The range of 64-bit integers.
_INT64 = np.iinfo(np.int64)
_MOST_DIGITS = 30
_SPACES = "spaces around cells are ignored"
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")


@dataclass(frozen=True)
class Table:
    """Columns of text as in the file, without spaces around cells.

    Attributes:
        path: the file.
        columns: column name -> n cells.
        rows: where each of the n records is: the line on which it starts, as in a text editor (the header is row 1), or,
            for files that are not made of rows, a place in words.
        separator: cell separator; if it is a semicolon, numbers may have decimal commas.
        assumptions: how non-standard content was interpreted, one sentence each; reading numbers may add to it.
        names: column -> what the file calls it, where that differs; for error messages.
    """

    path: Path
    columns: dict[str, list[str]]
    rows: list[int] | list[str]
    separator: str = ","
    assumptions: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> list[str]:
        return self.columns[column]

    def where(self, record: int, column: str) -> str:
        """The location of a cell, for an error message."""
        row = self.rows[record]
        place = f"row {row}" if isinstance(row, int) else row
        return f"{self.path}, {place}, column {self.names.get(column, column)!r}"

    def picked(self, records: Sequence[int]) -> Table:
        """The table with these records only."""
        columns = {name: [cells[k] for k in records] for name, cells in self.columns.items()}
        rows: Any = [self.rows[k] for k in records]
        return replace(self, columns=columns, rows=rows)

    def text(self, column: str) -> Shaped[np.ndarray, " n"]:
        """(n,) nonempty strings.

        Raises:
            DataError: a cell is empty.
        """
        cells = self.columns[column]
        if "" in cells:
            raise DataError("empty cell", where=self.where(cells.index(""), column), expected="a name")
        return np.array(cells, dtype=np.str_)

    def assume(self, what: str) -> None:
        """Record a sentence on how the file was interpreted, once."""
        line = f"{self.path}: {what}"
        if line not in self.assumptions:
            self.assumptions.append(line)

    def missing(self, column: str) -> Bool[np.ndarray, " n"]:
        """(n,) True where a numeric column has no number: an empty cell, or one of :data:`MISSING`."""
        return np.array([cell == "" or cell.lower() in MISSING for cell in self.columns[column]], dtype=bool)

    def numbers(self, column: str) -> Float[np.ndarray, " n"]:
        """(n,) numbers of a column; NaN where a cell is not a finite number."""
        values = to_numbers(self._with_points(column))
        return np.where(np.isfinite(values), values, np.nan)

    def _with_points(self, column: str) -> Sequence[str]:
        """Cells of a column, with decimal commas replaced by points."""
        cells = self.columns[column]
        if self.separator == ";" and any(map(_DECIMAL_COMMA.fullmatch, cells)):
            self.assume(f"column {column!r} has decimal commas")
            return [cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell for cell in cells]
        return cells

    def floats(self, column: str, *, blank_is_nan: bool = False) -> Float[np.ndarray, " n"]:
        """(n,) finite numbers; with ``blank_is_nan``, NaN where the cell means a missing value.

        Raises:
            DataError: a cell is not a finite number.
        """
        cells, values = self.columns[column], self.numbers(column)
        blank = self.missing(column) if blank_is_nan else np.zeros(len(cells), dtype=bool)
        bad = np.flatnonzero(np.isnan(values) & ~blank)
        if len(bad):
            raise DataError(
                "not a number", where=self.where(int(bad[0]), column),
                expected="a finite number", got=repr(cells[bad[0]]),
            )  # fmt: skip
        words = sorted({cells[k] for k in np.flatnonzero(blank)} - {""})
        if words:
            self.assume(f"{listed(words)} in column {column!r} is read as a missing value")
        return values

    def integers(self, column: str) -> Int[np.ndarray, " n"]:
        """(n,) integers, parsed exactly, since a double holds only 53 bits.

        Raises:
            DataError: a cell is not a 64-bit integer.
        """
        self.floats(column)  # report cells that are not numbers first
        whole = np.empty(len(self), dtype=np.int64)
        for row, cell in enumerate(self._with_points(column)):
            number = _whole(cell)
            if number is None or not _INT64.min <= number <= _INT64.max:
                raise DataError(
                    "not an integer" if number is None else "number too large",
                    where=self.where(row, column), expected="an integer of at most 64 bits", got=repr(cell),
                )  # fmt: skip
            whole[row] = number
        return whole


def to_numbers(cells: Sequence[str]) -> Float[np.ndarray, " n"]:
    """(n,) numbers in cells; NaN where a cell is not a number."""
    try:
        return np.array(cells, dtype=np.float64)  # fast path, if all cells are numbers
    except ValueError:
        return np.array([_to_number(cell) for cell in cells], dtype=np.float64)


def _whole(cell: str) -> int | None:
    """The integer in a cell such as ``12``, ``12.0`` or ``1e3``; None if there is none."""
    try:
        return int(cell)
    except ValueError:
        number = Decimal(cell.strip().replace("_", ""))
        if number.adjusted() > _MOST_DIGITS:  # 1e308 as an integer has 309 digits
            return int(10**_MOST_DIGITS)
        return int(number) if number == number.to_integral_value() else None


def _to_number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def read_table(
    path: str | Path,
    required: Sequence[str],
    optional: Sequence[str] = (),
    *,
    keep_others: bool = True,
    unnamed: str = "",
) -> Table:
    """Read a table with a header, separated by commas, semicolons or tabs, in UTF-8, UTF-16 or Windows-1252.

    Column names match regardless of case, spaces, hyphens and underscores. An unnamed column that counts the
    rows, as pandas writes it, and unnamed empty columns are dropped. ``assumptions`` records what was assumed.

    Args:
        path: the file.
        required: columns it must have.
        optional: further known columns.
        keep_others: whether to keep columns with other names or drop them.
        unnamed: name of the first column where the header has none, as pandas writes an index.

    Raises:
        DataError: the file is missing, empty, not text, not a table, or has the wrong columns.
    """
    path = Path(path)
    try:
        text, encoding = decode(path.read_bytes(), path)
    except OSError as error:
        raise DataError(f"cannot read: {error.strerror}", where=path) from error
    separator = _separator(path, text, required)
    records, rows = split_records(path, text, separator)
    records[0][0] = records[0][0].strip() or unnamed
    table = table_of_records(path, records, rows, required, optional, separator)
    if encoding is not None:
        table.assumptions.insert(0, f"{path}: read as {encoding}, not UTF-8")
    if f"{separator} " in text.split("\n", 1)[0]:  # which the parser drops
        table.assume(_SPACES)
    if not keep_others:
        _leave_out(table, [*required, *optional])
    return table


def table_of_records(
    path: Path,
    records: list[list[str]],
    rows: list[int],
    required: Sequence[str],
    optional: Sequence[str] = (),
    separator: str = ",",
) -> Table:
    """A table from records of cells, header first, with the row of each; see :func:`read_table`."""
    header, cells = [name.strip() for name in records[0]], records[1:]
    _check_width(path, records, rows)
    columns = dict(enumerate([cell.strip() for cell in column] for column in zip(*cells, strict=True)))
    table = Table(path, {}, rows[1:], separator)
    if separator != ",":
        table.assume(f"cells are separated by {SEPARATORS[separator]}")
    if any(cell != cell.strip() for record in records for cell in record):
        table.assume(_SPACES)
    names = _known_names(table, header, [*required, *optional])
    kept = [k for k, name in enumerate(names) if name or not _is_index(table, k, columns.get(k, []))]
    _check_header(table, [names[k] for k in kept], required)
    if not cells:
        raise DataError("no rows below the header", where=path, expected="at least one row")
    table.columns.update({names[k]: columns[k] for k in kept})
    return table


def _separator(path: Path, text: str, required: Sequence[str]) -> str:
    """The separator for which the header has the required columns; otherwise the one that gives the most cells."""
    headers: dict[str, list[str]] = {}
    for sign in SEPARATORS:
        try:
            headers[sign] = split_records(path, text, sign, header_only=True)[0][0]
        except DataError:  # quoting is invalid with this separator
            headers[sign] = []
    wanted = set(map(plain_name, required))
    for sign, header in headers.items():
        if wanted and wanted <= set(map(plain_name, header)):
            return sign
    return max(headers, key=lambda sign: len(headers[sign]))


def _check_width(path: Path, records: list[list[str]], rows: list[int]) -> None:
    for record, row in zip(records, rows, strict=True):
        if len(record) != len(records[0]):
            raise DataError(
                "wrong number of cells", where=f"{path}, row {row}", expected=len(records[0]), got=len(record)
            )


def _known_names(table: Table, header: list[str], known: Sequence[str]) -> list[str]:
    """The header with known names substituted for variants that differ only in case or punctuation."""
    names = list(header)
    for name in known:
        alike = [k for k, given in enumerate(header) if plain_name(given) == plain_name(name)]
        if name not in header and len(alike) == 1:
            table.assume(f"column {header[alike[0]]!r} is read as {name!r}")
            names[alike[0]] = name
    return names


def _is_index(table: Table, position: int, cells: list[str]) -> bool:
    """Whether an unnamed column can be dropped: it counts the rows, or is empty.

    Raises:
        DataError: it contains anything else.
    """
    counts = (list(map(str, range(first, first + len(cells)))) for first in (0, 1))
    if not any(cells):
        return True
    if cells in counts:
        table.assume("an unnamed column that counts the rows is ignored")
        return True
    raise DataError(
        f"column {position + 1} has no name",
        where=f"{table.path}, row 1",
        got=f"cells {listed(map(repr, cells))}",
    )


def _check_header(table: Table, header: Sequence[str], required: Sequence[str]) -> None:
    missing = [name for name in required if name not in header]
    if missing:
        raise DataError(
            f"missing column {listed(missing)}", where=f"{table.path}, row 1",
            expected=", ".join(required), got=listed(header, limit=12),
        )  # fmt: skip
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError(f"column listed twice: {listed(twice)}", where=f"{table.path}, row 1")


def _leave_out(table: Table, known: Sequence[str]) -> None:
    """Drop unknown columns."""
    unknown = [name for name in table.columns if name not in known]
    for name in unknown:
        del table.columns[name]
    if unknown:
        columns = f"column{'s' * (len(unknown) > 1)} {listed(map(repr, unknown))}"
        table.assume(f"{columns} ignored; known columns are {', '.join(known)}")


def write_table(path: str | Path, columns: dict[str, Sequence[object]]) -> None:
    """Write equally long columns as comma-separated UTF-8, atomically."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    write_text(path, buffer.getvalue())


def number_cells(values: Float[np.ndarray, " n"]) -> list[str]:
    """Cells that are read back as exactly the same numbers; empty for NaN."""
    return ["" if np.isnan(value) else repr(value) for value in values.tolist()]
