"""Joining a study: who a participant is, and which block they get. Nobody else ever holds the same block."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bgs.collection.database import Database
from bgs.collection.refusals import Reason, Refused
from bgs.collection.settings import StudySettings
from bgs.collection.study_folder import StudyFolder
from bgs.collection.tables import AssignmentRow, BlockRow, ParticipantRow, State

#: Why the server itself excludes a participant.
FAILED_CHECKS = "failed attention checks"
#: How often two people who join at once are sorted out before giving up.
_TRIES = 20


@dataclass(frozen=True)
class Seat:
    """A participant's place in the study.

    Attributes:
        assignment: id of the block in their hands.
        block: its name.
        consented: whether they agreed to the consent of this version.
    """

    assignment: int
    block: str
    consented: bool


def join(
    database: Database,
    study: StudyFolder,
    key: str,
    source: str,
    now: float,
    user_agent: str | None = None,
) -> Seat:
    """The seat of a participant: the one that they have, or the next free block.

    Args:
        database: of the study.
        study: whose blocks are given out; those that a later batch added to the database are not.
        key: salted hash of the participant's name.
        source: where they come from, ``prolific``, ``link`` or ``simulated``.
        now: seconds since 1970.
        user_agent: stored where the study says so.

    Raises:
        Refused: they were excluded, have done all their blocks, or no block is free.
    """
    for attempt in range(_TRIES):
        try:
            with database.writing() as session:
                return _seat(session, study, key, source, now, user_agent)
        except (
            IntegrityError
        ):  # somebody took the block, or the same person joined twice, in this very moment
            if attempt + 1 == _TRIES:
                raise
    raise AssertionError("unreachable")


def _seat(
    session: Session, study: StudyFolder, key: str, source: str, now: float, user_agent: str | None
) -> Seat:
    settings = study.settings
    person = locked_participant(session, key)
    if person is None:
        person = ParticipantRow(key=key, source=source, created_at=now, user_agent=user_agent)
        session.add(person)
        session.flush()
    if person.excluded_at is not None:
        raise Refused(Reason.EXCLUDED, failed=person.excluded_because == FAILED_CHECKS)
    held = _active(session, person)
    if held is None:
        _require_another(session, settings, person)
        held = _next_block(session, study, person, now)
    held.lease_until = now + 60 * settings.lease_minutes
    session.flush()
    return Seat(held.id, held.block, person.consent_version == settings.consent.version)


def _active(session: Session, person: ParticipantRow) -> AssignmentRow | None:
    mine = (AssignmentRow.participant_id == person.id, AssignmentRow.state == State.ACTIVE)
    return session.scalar(select(AssignmentRow).where(*mine).with_for_update())


def _require_another(session: Session, settings: StudySettings, person: ParticipantRow) -> None:
    mine = (
        AssignmentRow.participant_id == person.id,
        AssignmentRow.state.in_((State.COMPLETE, State.FAILED)),
    )
    done = session.scalar(select(func.count()).select_from(AssignmentRow).where(*mine))
    if done is not None and done >= settings.blocks_per_participant:
        raise Refused(Reason.DONE, mine=True)


def _next_block(session: Session, study: StudyFolder, person: ParticipantRow, now: float) -> AssignmentRow:
    """The first block that nobody holds and that this person has not had; abandoned ones are taken from their holder."""
    held = select(AssignmentRow.id).where(_held_by_somebody(now)).exists()
    had = select(AssignmentRow.id).where(
        AssignmentRow.block == BlockRow.name, AssignmentRow.participant_id == person.id
    )
    ours = BlockRow.position < study.schedule.n_blocks
    free = select(BlockRow).where(ours, ~held, ~had.exists()).order_by(BlockRow.position).limit(1)
    block = session.scalar(free.with_for_update(of=BlockRow, skip_locked=True))
    if block is None:
        raise Refused(Reason.FULL)
    of_block = (AssignmentRow.block == block.name, AssignmentRow.state == State.ACTIVE)
    for abandoned in session.scalars(select(AssignmentRow).where(*of_block).with_for_update()):
        if abandoned.lease_until > now:  # it was taken, or answered, since it was found free
            raise IntegrityError("the block was taken", None, Exception())
        abandoned.state, abandoned.ended_at = State.RELEASED, now
    session.flush()
    mine = AssignmentRow(
        participant_id=person.id, block=block.name, state=State.ACTIVE, started_at=now,
        lease_until=now + 60 * study.settings.lease_minutes,
    )  # fmt: skip
    session.add(mine)
    session.flush()
    return mine


def _held_by_somebody(now: float) -> ColumnElement[bool]:
    active = and_(AssignmentRow.state == State.ACTIVE, AssignmentRow.lease_until > now)
    return and_(AssignmentRow.block == BlockRow.name, or_(AssignmentRow.state == State.COMPLETE, active))


def record_consent(database: Database, settings: StudySettings, assignment: int, now: float) -> None:
    """Record that a participant agreed to the consent of this version.

    Raises:
        Refused: the block is no longer theirs.
    """
    with database.writing() as session:
        held = locked_assignment(session, assignment)
        require_active(held.state)
        person = session.get_one(ParticipantRow, held.participant_id)
        person.consent_version, person.consented_at = settings.consent.version, now


def locked_participant(session: Session, key: str) -> ParticipantRow | None:
    """The participant of this key, if there is one; nobody else changes them until the transaction ends."""
    return session.scalar(select(ParticipantRow).where(ParticipantRow.key == key).with_for_update())


def locked_assignment(session: Session, assignment: int) -> AssignmentRow:
    """A block that was given to a participant; nobody else changes it, or its participant, until the transaction ends.

    Everybody locks the participant first, so that no two wait for each other.

    Raises:
        Refused: there is none: its participant was erased.
    """
    holder = select(AssignmentRow.participant_id).where(AssignmentRow.id == assignment).scalar_subquery()
    session.scalar(select(ParticipantRow.id).where(ParticipantRow.id == holder).with_for_update())
    held = session.scalar(select(AssignmentRow).where(AssignmentRow.id == assignment).with_for_update())
    if held is None:
        raise Refused(Reason.EXCLUDED)
    return held


def require_active(state: str) -> None:
    """Check that a block is still in its participant's hands.

    Raises:
        Refused: it is not, or it is done.
    """
    if state == State.EXCLUDED:
        raise Refused(Reason.EXCLUDED)
    if state == State.RELEASED:
        raise Refused(Reason.RELEASED)
    if state != State.ACTIVE:
        raise Refused(Reason.DONE)
