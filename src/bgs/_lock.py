"""One process at a time in a folder: a lock that works on every system and is freed when its holder dies.

SQLite's file lock is the one in the standard library that does both; the file says who holds it.
"""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from bgs._errors import BgsError
from bgs._files import LOCK, make_folder

_A_MOMENT, _FOR_EVER = 0.2, 1e6  # seconds
_COMMANDS = (
    "BEGIN IMMEDIATE",
    "CREATE TABLE IF NOT EXISTS holder (pid INTEGER, host TEXT)",
    "DELETE FROM holder",
    "INSERT INTO holder VALUES ({pid}, '{host}')",
    "COMMIT",  # who is next can read this, and then waits
    "BEGIN IMMEDIATE",
)


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Work alone in a folder, which is made if need be, and goes again if nothing was put into it.

    Raises:
        BgsError: another process is at work there (it is named), or no lock can be made.
    """
    is_new, path = not folder.exists(), make_folder(folder) / LOCK
    with locked(path, wait=False):
        try:
            yield
        finally:
            # While it is held: who waits for a lock that is gone gets an error from SQLite, never the lock.
            with suppress(PermissionError):  # Windows keeps a file that is open
                path.unlink(missing_ok=True)
            if is_new and not any(folder.iterdir()):
                folder.rmdir()


@contextmanager
def locked(path: Path, wait: bool = True) -> Iterator[None]:
    """Hold the lock ``path``, a file that is made if need be and stays.

    Args:
        path: the lock.
        wait: for whoever holds it; else that is an error.

    Raises:
        BgsError: another process holds it (it is named), or it cannot be made.
    """
    host = platform.node().replace("'", "")
    try:
        connection = sqlite3.connect(path, timeout=_FOR_EVER if wait else _A_MOMENT, isolation_level=None)
    except sqlite3.Error as error:
        raise BgsError(f"cannot lock: {error}", where=path) from error
    with closing(connection):
        try:
            for command in _COMMANDS:
                connection.execute(command.format(pid=os.getpid(), host=host))
        except sqlite3.Error as error:
            raise _refusal(path, error) from None
        yield


def _refusal(path: Path, error: sqlite3.Error) -> BgsError:
    if not error.sqlite_errorname.startswith("SQLITE_BUSY"):
        return BgsError(
            f"cannot lock: {error}", where=path, hint="delete this file if nothing is at work in its folder"
        )
    return BgsError(
        f"another process is at work here: {_holder(path)}",
        where=path.parent,
        hint="wait until it has ended, or end it",
    )


def _holder(path: Path) -> str:
    """Who holds a lock, as far as it can be read."""
    try:
        with closing(sqlite3.connect(path, timeout=1.0)) as connection:
            pid, host = connection.execute("SELECT pid, host FROM holder").fetchone()
    except (sqlite3.Error, TypeError):  # it has only begun
        return "one that has just begun"
    return f"process {pid} on {host}"
