"""The end of a block: a completion code, which exists only here, and only once every answer is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from bgs.collection.answering import failed_checks, unplayed_trials
from bgs.collection.database import Database
from bgs.collection.joining import FAILED_CHECKS, locked_assignment, locked_participant, require_active
from bgs.collection.refusals import Reason, Refused
from bgs.collection.schedule import ScheduledTrial
from bgs.collection.settings import StudySettings
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


#: State of a block that is over -> how it ended.
_OUTCOMES: dict[str, Outcome] = {
    State.COMPLETE: "completed", State.FAILED: "failed_attention", State.UNPLAYED: "incompatible",
}  # fmt: skip


def complete(database: Database, study: StudyFolder, assignment: int, now: float) -> Ending:
    """Close a block; asked again, the answer is the same.

    Raises:
        Refused: an answer is missing (which ones is said), or the block is no longer the participant's.
    """
    with database.writing() as session:
        held = locked_assignment(session, assignment)
        if held.state not in _OUTCOMES:
            require_active(held.state)
            trials = study.schedule.blocks[held.block]
            answers = session.scalars(select(AnswerRow).where(AnswerRow.assignment_id == assignment)).all()
            missing = sorted({trial.number for trial in trials} - {answer.trial for answer in answers})
            if missing:
                raise Refused(Reason.INCOMPLETE, missing=missing)
            held.state, held.ended_at = _state_at_end(study.settings, trials, answers), now
            if held.state == State.FAILED:
                _exclude(session, held.participant_id, FAILED_CHECKS, now)
        return ending(study, _OUTCOMES[held.state])


def _state_at_end(
    settings: StudySettings, trials: Sequence[ScheduledTrial], answers: Sequence[AnswerRow]
) -> State:
    """What becomes of a block with an answer to every trial. A trial that was not played is no answer, nor a check passed."""
    allowed, unplayed = settings.attention.allowed_failures, unplayed_trials(answers)
    failed = failed_checks(trials, answers)
    if failed > allowed:
        return State.FAILED
    checks = sum(trial.kind == "check" and trial.number in unplayed for trial in trials)
    if failed + checks > allowed or len(unplayed) > settings.playback.allowed_unplayed * len(trials):
        return State.UNPLAYED
    return State.COMPLETE


def leave(database: Database, assignment: int, now: float) -> None:
    """Give a block back: of somebody who does not agree, or whose device does not play the clips.

    Raises:
        Refused: the participant was erased.
    """
    with database.writing() as session:
        held = locked_assignment(session, assignment)
        if held.state == State.ACTIVE:
            held.state, held.ended_at = State.RELEASED, now


def exclude(database: Database, key: str, reason: str, now: float) -> bool:
    """Exclude a participant: their answers are kept and marked, and their blocks go to somebody else.

    Returns:
        Whether there is such a participant.
    """
    with database.writing() as session:
        person = locked_participant(session, key)
        if person is not None:
            _exclude(session, person.id, reason, now)
        return person is not None


def _exclude(session: Session, participant: int, reason: str, now: float) -> None:
    """Exclude a participant, whose row is locked."""
    person = session.get_one(ParticipantRow, participant)
    person.excluded_at, person.excluded_because = now, reason[:200]
    session.flush()
    theirs = (AssignmentRow.participant_id == participant, AssignmentRow.state.in_(HELD))
    session.execute(update(AssignmentRow).where(*theirs).values(state=State.EXCLUDED, ended_at=now))


def erase(database: Database, key: str) -> int | None:
    """Erase a participant and all of their answers.

    Returns:
        Number of answers erased; None: there is no such participant.
    """
    with database.writing() as session:
        person = locked_participant(session, key)
        if person is None:
            return None
        theirs = select(AssignmentRow.id).where(AssignmentRow.participant_id == person.id)
        held = session.scalars(theirs.with_for_update()).all()  # waits for an answer that is being stored
        answers = AnswerRow.assignment_id.in_(held)
        erased = session.scalar(select(func.count()).select_from(AnswerRow).where(answers))
        session.execute(delete(AnswerRow).where(answers))
        session.execute(delete(AssignmentRow).where(AssignmentRow.id.in_(held)))
        session.delete(person)
        return erased
