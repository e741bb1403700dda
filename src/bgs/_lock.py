"""One process per folder: a lock that works on every operating system and is released when its holder dies.

filelock uses locks of the operating system (``flock``, ``LockFileEx``), not the existence of a file, so a lock file left by a
killed process blocks nobody. The file says which process holds the lock.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from bgs._errors import BgsError
from bgs._files import LOCK, make_folder

_SHORT_TIMEOUT, _NO_TIMEOUT = 0.2, -1.0  # seconds
#: First bytes of a lock file: of this version (after the locked byte), and of the first version.
_LOCKS = (b" process ", b"SQLite format 3")


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Hold a folder's lock. The folder is created if necessary, and removed again if it is still empty at the end.

    Raises:
        BgsError: another process is using the folder (it is named), or no lock can be created.
    """
    is_new, path = not folder.exists(), make_folder(folder) / LOCK
    try:
        with locked(path, wait=False):
            try:
                yield
            finally:
                # Remove the file while holding the lock: a waiting process notices and creates a new one.
                with suppress(
                    PermissionError
                ):  # Windows cannot remove an open file; filelock removes it later
                    path.unlink(missing_ok=True)
    finally:
        if is_new:
            with suppress(OSError):  # the folder is not empty
                folder.rmdir()


@contextmanager
def locked(
    path: Path, wait: bool = True, on_wait: Callable[[str], None] = lambda holder: None
) -> Iterator[None]:
    """Hold the lock ``path``, a file that is created if necessary and kept.

    Args:
        path: the lock file.
        wait: whether to wait for the process that holds it; otherwise that is an error.
        on_wait: called with the name of that process before waiting.

    Raises:
        BgsError: another process holds it (it is named), or it cannot be created.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path, thread_local=False, fallback_to_soft=False, on_acquired=partial(_sign, path))
    try:
        try:
            lock.acquire(timeout=_SHORT_TIMEOUT)
        except Timeout:
            if not wait:
                raise BgsError(
                    f"another process is using this folder: {_holder(path)}",
                    where=path.parent,
                    hint="wait until it has finished, or stop it",
                ) from None
            on_wait(_holder(path))
            lock.acquire(timeout=_NO_TIMEOUT)
    except OSError as error:
        raise BgsError(f"cannot lock: {error.strerror or error}", where=path) from error
    try:
        yield
    finally:
        lock.release()


def _sign(path: Path, descriptor: int) -> None:
    """Write into a lock file which process holds it."""
    found = os.read(descriptor, 100)
    if found and not found.startswith(_LOCKS):
        raise BgsError(
            "cannot lock: this is not a lock file",
            where=path,
            hint="delete this file if no process is using its folder",
        )
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.ftruncate(descriptor, os.write(descriptor, f" process {os.getpid()} on {platform.node()}".encode()))


def _holder(path: Path) -> str:
    """Which process holds a lock, if that can be read."""
    with suppress(OSError), path.open("rb", buffering=0) as stream:
        stream.seek(1)  # on Windows, other processes cannot read the locked byte
        if (found := stream.read(300).decode(errors="replace")).startswith("process "):
            return found
    return "one that has just started"
