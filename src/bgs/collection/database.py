"""The database of a study: SQLite in its folder, or PostgreSQL by URL; one transaction a request."""

from __future__ import annotations

import os
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.orm import Session

from bgs._errors import BgsError, message_of
from bgs._optional import require

#: Seconds that a transaction waits for another one, or for a server.
_PATIENCE = 15
_SQLITE = ("sqlite", "sqlite+pysqlite")
_MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """Connections to one database.

    Args:
        url: as SQLAlchemy writes it; ``sqlite:///study.sqlite``, or ``postgresql+psycopg://user@host/name``.
        new: makes the tables where there are none.

    Raises:
        BgsError: it is not such an address, cannot be reached, has no tables, or a newer version of bgs wrote it.
    """

    def __init__(self, url: str, new: bool = True) -> None:
        self.url = url
        with failures_as_errors(url), _faulty_address_as_error(url):
            address = make_url(url)
            self.is_sqlite = address.drivername in _SQLITE
            if self.is_sqlite:
                path = _file_of(address)
                if not new and not path.exists():
                    raise _no_study(url)
                self.engine = _sqlite(url, path)
            elif address.drivername == "postgresql+psycopg":
                require("psycopg", "postgres")
                self.engine = _server(url)
            else:
                raise ValueError(address.drivername)
            self.engine.connect().close()
        # One writer at a time is all that SQLite has; waiting here is fairer than trying again.
        self._writer = threading.Lock() if self.is_sqlite else nullcontext()
        self._upgrade(new)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session whose changes are not kept."""
        with self.engine.connect() as connection, Session(connection) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are kept together when the block ends, durably, or not at all."""
        with (
            self.writing_connection() as connection,
            Session(connection, join_transaction_mode="rollback_only") as session,
        ):
            yield session
            session.flush()

    @contextmanager
    def single_statement(self) -> Iterator[Connection]:
        """A connection for one statement, which is a transaction of its own, durable once it has been executed."""
        if self.is_sqlite:
            with self.writing_connection() as connection:
                yield connection
            return
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _upgrade(self, new: bool) -> None:
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        scripts = ScriptDirectory.from_config(config)
        known = {script.revision for script in scripts.walk_revisions()}
        with failures_as_errors(self.url), self.writing_connection() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
            if found is not None and found not in known:
                raise BgsError(
                    "this database was written by a newer version of bgs", where=_shown(self.url),
                    expected=scripts.get_current_head(), got=found, hint="upgrade bgs",
                )  # fmt: skip
            if found is None and not new:
                raise _no_study(self.url)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    @contextmanager
    def writing_connection(self) -> Iterator[Connection]:
        """The same as :meth:`writing`, without objects."""
        with (
            self._writer,
            self.engine.connect().execution_options(bgs_writes=True) as connection,
            connection.begin(),
        ):
            yield connection


@contextmanager
def failures_as_errors(url: str) -> Iterator[None]:
    """A context in which a database that fails, such as a full disk or a server that is away, becomes a one-line error.

    Raises:
        BgsError: it failed; the transaction was rolled back.
    """
    try:
        yield
    except DBAPIError as error:
        why = str(error.orig).strip().splitlines() or [type(error.orig).__name__]
        raise BgsError(f"the database failed: {why[0]}", where=_shown(url)) from error


@contextmanager
def _faulty_address_as_error(url: str) -> Iterator[None]:
    """A context for an address and its options, before anything is asked of the database.

    Raises:
        BgsError: SQLAlchemy or a driver cannot read it, or it is of another database.
    """
    try:
        yield
    except (ArgumentError, ValueError, TypeError) as error:
        raise BgsError(
            f"not the address of a database that studies use: {message_of(error)}", where=_shown(url),
            expected="sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME",
        ) from error  # fmt: skip


def _file_of(address: URL) -> Path:
    """The file of a database of SQLite."""
    name = address.database
    if not name or name == ":memory:" or name.startswith("file:"):
        raise ValueError("it names no file")
    return Path(name).absolute()


def _no_study(url: str) -> BgsError:
    return BgsError(
        "no study in this database", where=_shown(url), hint="`bgs collect serve` makes it; see --database"
    )


def _shown(url: str) -> str:
    """An address without its password, also where it cannot be read."""
    return re.sub(r"(?<=://)([^@/:]*):[^@/]*@", r"\1:***@", url)


def _server(url: str) -> Engine:
    # A server that does not answer at all must not keep every thread of ours waiting.
    patience = {"connect_timeout": _PATIENCE, "tcp_user_timeout": 1000 * _PATIENCE}
    # Connections are not tried before each use: one that is dead fails one request, which is sent again, and closes the others.
    engine = create_engine(url, pool_size=20, pool_recycle=300, connect_args=patience)

    @event.listens_for(engine, "connect")
    def _open(connection: Any, _record: Any) -> None:
        # The second ends transactions of one of our servers whose machine was switched off: they hold locks.
        for name, seconds in (
            ("lock_timeout", _PATIENCE),
            ("idle_in_transaction_session_timeout", 4 * _PATIENCE),
        ):
            connection.execute(f"SET {name} = '{seconds}s'")
        # The administrator may have turned it off: a crash could then lose what was acknowledged.
        set_it = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        connection.execute(set_it)
        connection.commit()

    return engine


def _sqlite(url: str, path: Path) -> Engine:
    engine = create_engine(url, connect_args={"timeout": _PATIENCE, "check_same_thread": False}, pool_size=20)

    require_same = _same_file(path)

    @event.listens_for(engine, "do_connect")
    def _connect(*_about: Any) -> None:
        require_same()  # else a new file would be made

    @event.listens_for(engine, "connect")
    def _open(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin below, not where the driver thinks best
        # FULL: an acknowledged answer survives the loss of power, not only of the process.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer that began as a reader could be refused later, when another has written meanwhile.
        writes = connection.get_execution_options().get("bgs_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
        require_same(log=bool(writes))

    return engine


def _same_file(path: Path) -> Callable[..., None]:
    """A check that the file is still the one that was opened first, and, for writers, that its log (WAL) is there.

    What is written to a file that was deleted, moved or replaced is lost with the process, although SQLite reports no error.
    """
    log_of = path.with_name(f"{path.name}-wal")
    first: list[tuple[int, int]] = []

    def require_same(log: bool = False) -> None:
        # Other threads may take the interpreter at each look at the disk, while writers wait: as few looks as possible.
        found = _identity(path)
        if found is not None and not first:
            first.append(found)
        same = not first if found is None else first == [found]
        if not same or (log and _identity(log_of) is None):
            what = path if not same else log_of
            error = sqlite3.OperationalError(f"{what} was deleted, moved or replaced while it was open")
            raise OperationalError("BEGIN", None, error)

    return require_same


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from one of the same name; None where there is none."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
