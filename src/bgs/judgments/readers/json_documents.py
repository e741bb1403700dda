"""JSON documents one after the other in a text: a file with one, JSON lines, and results that a server put end to end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bgs._errors import DataError

_SPACE = " \t\r\n"


def documents(text: str, path: Path) -> Iterator[tuple[int, Any]]:
    """Each document, with the line on which it begins.

    Raises:
        DataError: a document is damaged, or the text between documents is not JSON; the line is named.
    """
    decoder = json.JSONDecoder()
    position, line, counted = 0, 1, 0
    while True:
        while position < len(text) and text[position] in _SPACE:
            position += 1
        line, counted = line + text.count("\n", counted, position), position
        if position == len(text):
            return
        try:
            value, end = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise DataError(
                f"not JSON: {error.msg}", where=f"{path}, line {error.lineno}, character {error.colno}",
                expected="the JSON that jsPsych saves, complete",
            ) from None  # fmt: skip
        except (
            RecursionError,
            ValueError,
        ) as error:  # nested too deeply; a number of more digits than Python reads
            raise DataError(f"not JSON that can be read: {error}", where=f"{path}, line {line}") from None
        yield line, value
        position = end
