"""Texts that a request, the database and an export can all hold."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from bgs._errors import DataError

#: Beginnings of cells that spreadsheets run as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: Control characters, and halves of characters: not UTF-8.
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def _printable(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("control characters")
    return text


#: A line without control characters.
Line = Annotated[str, AfterValidator(_printable)]


def require_plain(text: str, what: str, where: object, most: int) -> None:
    """Check a text that will be stored, sent by browsers, and a cell of the export.

    Raises:
        DataError: it is longer than ``most`` characters, has control characters, or spreadsheets would run it as a formula.
    """
    if text.startswith(_FORMULA):
        raise DataError(
            f"this {what} would be run as a formula by spreadsheets that open the export", where=where,
            expected=f"one that does not begin with any of {' '.join(_FORMULA[:4])}", got=text,
        )  # fmt: skip
    if _CONTROL.search(text):
        raise DataError(
            f"this {what} has control characters", where=where, expected="a line of text", got=repr(text)
        )
    if len(text) > most:
        raise DataError(
            f"this {what} is too long", where=where, expected=f"at most {most} characters",
            got=f"{len(text):,}: {text[:40]}…",
        )  # fmt: skip
