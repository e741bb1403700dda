"""The end of a block: a completion code, which exists only here, and only once every answer is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select, update

from bgs.collection.answering import failed_checks
from bgs.collection.database import Database
from bgs.collection.joining import FAILED_CHECKS, locked_assignment, require_active
from bgs.collection.refusals import Reason, Refused
from bgs.collection.study_folder import StudyFolder
from bgs.collection.tables import HELD, AnswerRow, AssignmentRow, ParticipantRow, State

Outcome = Literal["completed", "no_consent", "failed_attention", "incompatible"]


@dataclass(frozen=True)
class Ending:
    """What a participant gets at the end.

    Attributes:
        outcome: how it ended.
        code: to be entered where they came from; None where the study has none.
        url: where to go with it.
    """

    outcome: Outcome
    code: str | None
    url: str | None


def ending(study: StudyFolder, outcome: Outcome) -> Ending:
    """The code of an outcome."""
    codes = study.settings.codes
    code: str | None = getattr(codes, outcome)
    url = None if code is None or codes.return_url is None else codes.return_url + code
    return Ending(outcome, code, url)


def complete(database: Database, study: StudyFolder, assignment: int, now: float) -> Ending:
    """Close a block; asked again, the answer is the same.

    Raises:
        Refused: an answer is missing (which ones is said), or the block is no longer the participant's.
    """
    with database.writing() as session:
        held = locked_assignment(session, assignment)
        if held.state in (State.COMPLETE, State.FAILED):
            return ending(study, "completed" if held.state == State.COMPLETE else "failed_attention")
        require_active(held.state)
        trials = study.schedule.blocks[held.block]
        answers = session.scalars(select(AnswerRow).where(AnswerRow.assignment_id == assignment)).all()
        missing = sorted({trial.number for trial in trials} - {answer.trial for answer in answers})
        if missing:
            raise Refused(Reason.INCOMPLETE, missing=missing)
        failed = failed_checks(trials, answers) > study.settings.attention.allowed_failures
        held.state, held.ended_at = State.FAILED if failed else State.COMPLETE, now
        if failed:
            person = session.get_one(ParticipantRow, held.participant_id)
            person.excluded_at, person.excluded_because = now, FAILED_CHECKS
    return ending(study, "failed_attention" if failed else "completed")


def leave(database: Database, assignment: int, now: float) -> None:
    """Give a block back: of somebody who does not agree, or whose device does not play the clips."""
    with database.writing() as session:
        held = session.get(AssignmentRow, assignment)
        if held is not None and held.state == State.ACTIVE:
            held.state, held.ended_at = State.RELEASED, now


def exclude(database: Database, key: str, reason: str, now: float) -> bool:
    """Exclude a participant: their answers are kept and marked, and their blocks go to somebody else.

    Returns:
        Whether there is such a participant.
    """
    with database.writing() as session:
        person = session.scalar(select(ParticipantRow).where(ParticipantRow.key == key).with_for_update())
        if person is None:
            return False
        person.excluded_at, person.excluded_because = now, reason[:200]
        theirs = (AssignmentRow.participant_id == person.id, AssignmentRow.state.in_(HELD))
        session.execute(update(AssignmentRow).where(*theirs).values(state=State.EXCLUDED, ended_at=now))
        return True


def erase(database: Database, key: str) -> int:
    """Erase a participant and all of their answers.

    Returns:
        Number of answers erased.
    """
    with database.writing() as session:
        person = session.scalar(select(ParticipantRow).where(ParticipantRow.key == key).with_for_update())
        if person is None:
            return 0
        erased = 0
        for held in session.scalars(select(AssignmentRow).where(AssignmentRow.participant_id == person.id)):
            for answer in session.scalars(select(AnswerRow).where(AnswerRow.assignment_id == held.id)):
                session.delete(answer)
                erased += 1
            session.flush()
            session.delete(held)
        session.flush()
        session.delete(person)
        return erased
