"""A PostgreSQL server for tests: a cluster of its own in a temporary folder, on a socket, for as long as the tests run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Debian keeps the programs of a server out of PATH.
_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def programs() -> Path | None:
    """The folder with ``initdb`` and ``pg_ctl``; None where there is no server."""
    found = shutil.which("pg_ctl")
    places = ([Path(found).resolve().parent] if found else []) + _PLACES
    return next((place for place in places if (place / "initdb").is_file()), None)


@contextmanager
def cluster() -> Iterator[str]:
    """The address of a running server, without the database's name."""
    folder = Path(tempfile.mkdtemp(prefix="bgs-pg-"))
    root = os.geteuid() == 0  # the server refuses to run as root
    if root:
        shutil.chown(folder, "postgres", "postgres")
    folder.chmod(0o755)

    user = "postgres" if root else os.environ.get("USER", "postgres")
    _run(folder, "initdb", "-A", "trust", "-U", user, "--no-sync")
    _start(folder)
    try:
        yield f"postgresql+psycopg://{user}@/{{name}}?host={folder}"
    finally:
        _stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def away(address: str) -> Iterator[None]:
    """Stop the server of a database as a crash does, and start it again."""
    folder = Path(address.partition("?host=")[2])
    _stop(folder)
    try:
        yield
    finally:
        _start(folder)


def _start(folder: Path) -> None:
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c max_connections=200"
    _run(folder, "pg_ctl", "-w", "-o", options, "-l", str(folder / "log"), "start")


def _stop(folder: Path) -> None:
    _run(folder, "pg_ctl", "-m", "immediate", "stop")


def _run(folder: Path, program: str, *arguments: str) -> None:
    place = programs()
    assert place is not None
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    command = [*prefix, str(place / program), "-D", str(folder / "data"), *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
