"""Leases across a restart: the time during which the server was away does not count."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import func, select, update
from sqlalchemy.exc import SQLAlchemyError

from bgs.collection.database import Database
from bgs.collection.tables import AssignmentRow, State, StudyRow

#: Seconds between two notes of a server that it is alive.
_BEAT = 30.0


def resume_leases(database: Database, lease_minutes: float, now: float) -> None:
    """Move the leases of all blocks in somebody's hands by the time for which the server was away.

    Nobody could answer meanwhile, and its wall clock may have been set, forwards or back: what counts is how long before the last
    sign of life, of the server or of anybody, a participant was last heard of. A lease that had expired by then stays expired.

    Args:
        database: of the study.
        lease_minutes: of the study's settings.
        now: seconds since 1970, as the server that starts believes.
    """
    active = AssignmentRow.state == State.ACTIVE
    with database.writing() as session:
        newest = session.scalar(select(func.max(AssignmentRow.lease_until)).where(active))
        alive = session.scalar(select(StudyRow.alive_at))
        if newest is not None:
            heard = newest - 60 * lease_minutes
            shift = now - (heard if alive is None else max(alive, heard))
            session.execute(
                update(AssignmentRow).where(active).values(lease_until=AssignmentRow.lease_until + shift)
            )
        session.execute(update(StudyRow).values(alive_at=now))


def note_alive(database: Database, now: float) -> None:
    """Note that a server of the study runs."""
    with database.writing() as session:
        session.execute(update(StudyRow).values(alive_at=now))


@contextmanager
def heartbeat(database: Database, clock: Callable[[], float], seconds: float = _BEAT) -> Iterator[None]:
    """Note every so often that the server runs, for as long as the block lasts."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(seconds):
            # A full disk, or a database that is away, stops answers, too; they say so, and the next note may succeed.
            with suppress(SQLAlchemyError):
                note_alive(database, clock())

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
