"""Parses the bytes of a table into records of cells: encoding, separator, and the row on which each record starts."""

from __future__ import annotations

import codecs
import csv
import io
from pathlib import Path

from bgs._errors import DataError

#: Cell separators and their names.
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
#: Byte order marks and encodings; longer marks first, since one is a prefix of another.
_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def decode(data: bytes, path: Path) -> tuple[str, str | None]:
    """Decode a file. Also returns its encoding if that is not UTF-8: from its byte order mark, or else Windows-1252.

    Raises:
        DataError: the file is not text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strictly(data, encoding, path), encoding
    if b"\0" in data:
        raise DataError("not text: contains a NUL byte", where=path, expected="a table as UTF-8 text")
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeDecodeError:
        return _strictly(data, "Windows-1252", path), "Windows-1252"


def _strictly(data: bytes, encoding: str, path: Path) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(
            f"neither UTF-8 nor {encoding} text", where=path, got=f"byte 0x{data[error.start]:02x}",
            hint="save the table as UTF-8",
        ) from error  # fmt: skip


def split_records(
    path: Path, text: str, separator: str, header_only: bool = False
) -> tuple[list[list[str]], list[int]]:
    """Split text into records of cells, header first, with the row on which each starts; blank rows are skipped but counted.

    Raises:
        DataError: there are no records, or a quote is not closed.
    """
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True
    )
    records: list[list[str]] = []
    rows: list[int] = []
    begin = 1
    known: dict[str, str] = {}  # cells repeat, and a table may have millions: each text is kept once
    try:
        for record in reader:
            if any(cell.strip() for cell in record):
                records.append([known.setdefault(cell, cell) for cell in record])
                rows.append(begin)
                if header_only:
                    break
            begin = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"not a table with {SEPARATORS[separator]}: {error}", where=f"{path}, row {begin}"
        ) from error
    if not records:
        raise DataError("empty file", where=path, expected="a header and rows")
    return records, rows


def plain_name(name: str) -> str:
    """Normalise a column name: lower case, without spaces, hyphens and underscores."""
    return "".join(letter for letter in name.casefold() if letter not in " -_")
