"""Cells of a spreadsheet: CSV in any form that :mod:`bgs.judgments.csv_table` reads, or one sheet of an Excel workbook."""

from __future__ import annotations

import io
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from bgs._errors import DataError, listed
from bgs._files import foreign_damage_as_error
from bgs._optional import require
from bgs.judgments.csv_table import Table, read_table, table_of_records

EXCEL = (".xlsx", ".xlsm")


def read_cells(
    path: Path, required: tuple[str, ...], optional: tuple[str, ...] = (), sheet: str | None = None
) -> Table:
    """Read a table with a header from a CSV file or from a sheet of a workbook (the first, unless named).

    Of a formula, the value that the spreadsheet saved is read. Row numbers are those of the sheet.

    Raises:
        DataError: see :func:`bgs.judgments.csv_table.read_table`; or not a workbook, or no such sheet.
        MissingExtraError: the package openpyxl is not installed.
    """
    if path.suffix.lower() not in EXCEL:
        if sheet is not None:
            raise DataError(
                "only a workbook has sheets", where=path, expected=" or ".join(EXCEL), got=path.suffix
            )
        return read_table(path, required, optional)
    records, rows = _records(path, sheet)
    if not records:
        raise DataError("empty sheet", where=path, expected="a header and rows")
    return table_of_records(path, records, rows, required, optional)


def _records(path: Path, sheet: str | None) -> tuple[list[list[str]], list[int]]:
    """Rows with something in them, as text, and their numbers; all as wide as the widest cell of the header."""
    openpyxl: Any = require("openpyxl", "excel")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read: {error.strerror or error}", where=path) from error
    found, numbers = [], []
    with foreign_damage_as_error(path, "not an Excel workbook, or a damaged one", ".xlsx"):
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheets = {each.title: each for each in book.worksheets}  # no sheets of charts
        if not sheets or (sheet is not None and sheet not in sheets):
            raise DataError(
                "no sheets" if sheet is None else f"no sheet {sheet!r}", where=path,
                expected=f"one of {listed(sheets, limit=12)}" if sheets else "a sheet with cells",
            )  # fmt: skip
        rows = (sheets[sheet] if sheet else book.worksheets[0]).iter_rows(values_only=True)
        for number, row in enumerate(rows, start=1):
            cells = [_text(cell) for cell in row]
            if any(cell.strip() for cell in cells):
                found.append(cells)
                numbers.append(number)
        book.close()
    width = max((k + 1 for row in found for k, cell in enumerate(row) if cell.strip()), default=0)
    return [(row + [""] * width)[:width] for row in found], numbers


def _text(cell: Any) -> str:
    """A cell as a CSV export would write it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell)
