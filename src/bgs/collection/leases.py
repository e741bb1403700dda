"""Leases across a restart: the time during which the server was away does not count."""

from __future__ import annotations

from sqlalchemy import func, select, update

from bgs.collection.database import Database
from bgs.collection.tables import AssignmentRow, State


def resume_leases(database: Database, lease_minutes: float, now: float) -> None:
    """Move the leases of all blocks in somebody's hands, so that the newest one begins now.

    Nobody could answer while the server was away, and its wall clock may have been set meanwhile, forwards or back: what counts
    is how long before the last sign of life of anybody a participant was last heard of.

    Args:
        database: of the study.
        lease_minutes: of the study's settings.
        now: seconds since 1970, as the server that starts believes.
    """
    active = AssignmentRow.state == State.ACTIVE
    with database.writing() as session:
        newest = session.scalar(select(func.max(AssignmentRow.lease_until)).where(active))
        if newest is not None:
            shift = now + 60 * lease_minutes - newest
            session.execute(
                update(AssignmentRow).where(active).values(lease_until=AssignmentRow.lease_until + shift)
            )
