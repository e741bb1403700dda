"""Output of a command: tables and lines, or JSON."""

from __future__ import annotations

import sys
from typing import Any

import typer

from bgs._files import json_text, require_output, write_json
from bgs._progress import is_quiet

#: The file name that means standard output.
STDOUT = "-"


class Output:
    """Prints tables and lines, or writes JSON and prints nothing else.

    Args:
        json: the value of ``--json``: a file, ``-``, or None.

    Raises:
        BgsError: the file cannot be written. Create this object before doing any work.
    """

    def __init__(self, json: str | None = None) -> None:
        if json is not None and json != STDOUT:
            require_output(json)
        self._json = json

    @property
    def wants_json(self) -> bool:
        """Whether ``--json`` was given."""
        return self._json is not None

    def show(self, *views: Any) -> None:
        """Print tables (rich renderables)."""
        from bgs.views.console import console

        if self._json != STDOUT:
            for view in views:
                console().print(view)

    def say(self, line: str) -> None:
        """Print a line verbatim."""
        if self._json != STDOUT and not is_quiet():
            typer.echo(line)

    def write(self, result: Any) -> None:
        """Write a result of JSON types if ``--json`` was given."""
        if self._json == STDOUT:
            sys.stdout.write(json_text(result))
        elif self._json is not None:
            write_json(self._json, result)
