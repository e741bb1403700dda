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
    place = programs()
    assert place is not None
    folder = Path(tempfile.mkdtemp(prefix="bgs-pg-"))
    root = os.geteuid() == 0  # the server refuses to run as root
    if root:
        shutil.chown(folder, "postgres", "postgres")
    folder.chmod(0o755)

    def run(*command: str) -> None:
        prefix = ["runuser", "-u", "postgres", "--"] if root else []
        subprocess.run([*prefix, *command], check=True, capture_output=True, cwd=folder)

    data, user = folder / "data", "postgres" if root else os.environ.get("USER", "postgres")
    run(str(place / "initdb"), "-D", str(data), "-A", "trust", "-U", user, "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c max_connections=200"
    run(str(place / "pg_ctl"), "-D", str(data), "-w", "-o", options, "-l", str(folder / "log"), "start")
    try:
        yield f"postgresql+psycopg://{user}@/{{name}}?host={folder}"
    finally:
        run(str(place / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
