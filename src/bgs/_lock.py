"""One process at a time in a folder: a lock that works on every system and is freed when its holder dies.

filelock asks the operating system for it (``flock``, ``LockFileEx``), never for the mere existence of a file: what a killed
process leaves holds nobody up. The file says who holds it.
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

_A_MOMENT, _FOR_EVER = 0.2, -1.0  # seconds
#: How locks begin: one of this version (after the byte that is locked), one of the first version.
_LOCKS = (b" process ", b"SQLite format 3")


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Work alone in a folder, which is made if need be, and goes again if nothing was put into it.

    Raises:
        BgsError: another process is at work there (it is named), or no lock can be made.
    """
    is_new, path = not folder.exists(), make_folder(folder) / LOCK
    try:
        with locked(path, wait=False):
            try:
                yield
            finally:
                # While it is held: whoever waits for the file that is removed here sees that, and makes a new one.
                with suppress(PermissionError):  # Windows keeps a file that is open; filelock then removes it
                    path.unlink(missing_ok=True)
    finally:
        if is_new:
            with suppress(OSError):  # something was put into it
                folder.rmdir()


@contextmanager
def locked(
    path: Path, wait: bool = True, on_wait: Callable[[str], None] = lambda holder: None
) -> Iterator[None]:
    """Hold the lock ``path``, a file that is made if need be and stays.

    Args:
        path: the lock.
        wait: for whoever holds it; else that is an error.
        on_wait: called before waiting, with who holds it.

    Raises:
        BgsError: another process holds it (it is named), or it cannot be made.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path, thread_local=False, fallback_to_soft=False, on_acquired=partial(_sign, path))
    try:
        try:
            lock.acquire(timeout=_A_MOMENT)
        except Timeout:
            if not wait:
                raise BgsError(
                    f"another process is at work here: {_holder(path)}",
                    where=path.parent,
                    hint="wait until it has ended, or end it",
                ) from None
            on_wait(_holder(path))
            lock.acquire(timeout=_FOR_EVER)
    except OSError as error:
        raise BgsError(f"cannot lock: {error.strerror or error}", where=path) from error
    try:
        yield
    finally:
        lock.release()


def _sign(path: Path, descriptor: int) -> None:
    """Write into a lock who holds it."""
    found = os.read(descriptor, 100)
    if found and not found.startswith(_LOCKS):
        raise BgsError(
            "cannot lock: this file is no lock",
            where=path,
            hint="delete this file if nothing is at work in its folder",
        )
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.ftruncate(descriptor, os.write(descriptor, f" process {os.getpid()} on {platform.node()}".encode()))


def _holder(path: Path) -> str:
    """Who holds a lock, as far as it can be read."""
    with suppress(OSError), path.open("rb", buffering=0) as stream:
        stream.seek(1)  # Windows lets nobody else read the byte that is locked
        if (found := stream.read(300).decode(errors="replace")).startswith("process "):
            return found
    return "one that has just begun"
