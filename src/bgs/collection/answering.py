"""Storing answers: each trial once, whatever the network repeats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import and_, bindparam, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bgs._rng import generator
from bgs.collection.database import Database
from bgs.collection.joining import require_active
from bgs.collection.refusals import Reason, Refused
from bgs.collection.schedule import ScheduledTrial
from bgs.collection.study_folder import StudyFolder
from bgs.collection.tables import AnswerRow, AssignmentRow, ParticipantRow, State


def _at_once(insert: Callable[..., Any]) -> Any:
    """Stores an answer where its block is active, there is consent, and the lease need not be renewed."""
    columns = [column for column in AnswerRow.__table__.columns if column.name != "id"]
    values = [bindparam(column.name, type_=column.type) for column in columns]
    given = (
        select(*values)
        .select_from(AssignmentRow)
        .join(ParticipantRow, AssignmentRow.participant_id == ParticipantRow.id)
        .where(
            AssignmentRow.id == bindparam("assignment_id"), AssignmentRow.block == bindparam("block"),
            AssignmentRow.state == State.ACTIVE, AssignmentRow.lease_until > bindparam("fresh"),
            ParticipantRow.consent_version == bindparam("version"),
        )
        .with_for_update(read=True, of=AssignmentRow)  # a block that is being given away is not active any more
    )  # fmt: skip
    stored = (
        insert(AnswerRow).from_select([column.name for column in columns], given).on_conflict_do_nothing()
    )
    return stored.returning(AnswerRow.id)


_AT_ONCE = {"sqlite": _at_once(sqlite.insert), "postgresql": _at_once(postgresql.insert)}
#: A lease is renewed once this part of it has passed: not with every answer.
_RENEWED = 0.05
_HELD = (
    select(
        AssignmentRow.block, AssignmentRow.state, AssignmentRow.lease_until, ParticipantRow.consent_version
    )
    .join(ParticipantRow, AssignmentRow.participant_id == ParticipantRow.id)
    .where(AssignmentRow.id == bindparam("assignment"))
    .with_for_update(of=AssignmentRow)
)
_KNOWN = select(AnswerRow.client_id, AnswerRow.assignment_id, AnswerRow.trial, AnswerRow.odd).where(
    or_(
        AnswerRow.client_id == bindparam("client_id"),
        and_(AnswerRow.assignment_id == bindparam("assignment"), AnswerRow.trial == bindparam("trial")),
    )
)
_INSERTED = insert(AnswerRow)
_EXTENDED = (
    update(AssignmentRow)
    .where(AssignmentRow.id == bindparam("assignment"))
    .values(lease_until=bindparam("until"))
)


@dataclass(frozen=True)
class Answer:
    """A choice as the browser sends it.

    Attributes:
        client_id: made by the browser once for this choice, and sent again with every retry.
        trial: number within the block.
        stimuli: ids in the order on screen.
        odd: slot of the odd one, 0–2; None where the clips could not be played.
        rt_ms: milliseconds since the choice was enabled; None where unknown.
        details: what else is worth keeping, such as playback errors.
    """

    client_id: str
    trial: int
    stimuli: tuple[str, str, str]
    odd: int | None
    rt_ms: float | None
    details: dict[str, Any] = field(default_factory=dict)


def shown_order(trial: ScheduledTrial, assignment: int) -> tuple[str, str, str]:
    """The order on screen: drawn anew for each participant, the same after a reload."""
    order = generator(assignment, "order on screen", str(trial.number)).permutation(3)
    first, second, third = (trial.stimuli[int(place)] for place in order)
    return first, second, third


def store(
    database: Database, study: StudyFolder, assignment: int, block: str, answer: Answer, now: float
) -> bool:
    """Store an answer durably; only then may it be acknowledged.

    One statement does, in nearly every case. Where it stores nothing, a transaction finds out why.

    Args:
        database: of the study.
        study: served.
        assignment: whose answer it is.
        block: of the assignment, as its token says.
        answer: to store.
        now: seconds since 1970.

    Returns:
        Whether it is new: False for a retry of what is stored already.

    Raises:
        Refused: there is no consent, the block is no longer the participant's, it has no such trial, the answer does not fit what
            was shown, or the trial has another answer.
    """
    if _refused_trial(study, block, assignment, answer) is None:
        fresh = now + (1 - _RENEWED) * 60 * study.settings.lease_minutes
        asked = {"block": block, "version": study.settings.consent.version, "fresh": fresh}
        with database.single_statement() as connection:
            statement = _AT_ONCE[connection.dialect.name]
            if connection.execute(statement, asked | _row(assignment, answer, now)).first() is not None:
                return True
    return _store_with_care(database, study, assignment, answer, now)


def _store_with_care(
    database: Database, study: StudyFolder, assignment: int, answer: Answer, now: float
) -> bool:
    """The same in steps, which say why an answer is refused, and renew the lease."""
    asked = {"assignment": assignment, "trial": answer.trial, "client_id": answer.client_id}
    with database.writing_connection() as connection:
        held = connection.execute(
            _HELD, asked
        ).one_or_none()  # first, so that a retry waits for what it repeats
        if held is None:  # its participant was erased
            raise Refused(Reason.EXCLUDED)
        known = connection.execute(_KNOWN, asked).all()
        mine = [row for row in known if row.client_id == answer.client_id]
        if mine:
            if (mine[0].assignment_id, mine[0].trial, mine[0].odd) != (assignment, answer.trial, answer.odd):
                raise Refused(Reason.ANSWERED, trial=answer.trial)
            return False
        require_active(held.state)
        if held.consent_version != study.settings.consent.version:
            raise Refused(Reason.CONSENT)
        refused = _refused_trial(study, held.block, assignment, answer)
        if refused is not None or known:
            raise Refused(refused or Reason.ANSWERED, trial=answer.trial)
        connection.execute(_INSERTED, _row(assignment, answer, now))
        lease = 60 * study.settings.lease_minutes
        if now + lease - held.lease_until >= _RENEWED * lease:
            connection.execute(_EXTENDED, {"assignment": assignment, "until": now + lease})
    return True


def _row(assignment: int, answer: Answer, now: float) -> dict[str, Any]:
    first, second, third = answer.stimuli
    return {
        "assignment_id": assignment, "trial": answer.trial, "client_id": answer.client_id, "stim1": first, "stim2": second,
        "stim3": third, "odd": answer.odd, "rt_ms": answer.rt_ms, "details": answer.details, "received_at": now,
    }  # fmt: skip


def _refused_trial(study: StudyFolder, block: str, assignment: int, answer: Answer) -> Reason | None:
    """Why an answer does not fit the trial that was shown; None where it does."""
    trials = study.schedule.rows_of(block)
    if not 0 <= answer.trial < len(trials):
        return Reason.TRIAL
    shown = shown_order(study.schedule.at(trials[answer.trial]), assignment)
    return None if answer.stimuli == shown else Reason.MISMATCH


def answered(database: Database, assignment: int) -> list[int]:
    """Numbers of the trials whose answer is stored."""
    with database.reading() as session:
        query = select(AnswerRow.trial).where(AnswerRow.assignment_id == assignment)
        return sorted(session.scalars(query))


def unplayed_trials(answers: Iterable[AnswerRow]) -> set[int]:
    """Numbers of the trials whose clips could not be played: they have no choice."""
    return {answer.trial for answer in answers if answer.odd is None}


def failed_checks(trials: Sequence[ScheduledTrial], answers: Sequence[AnswerRow]) -> int:
    """Number of attention checks failed: the odd one is the clip that is shown once."""
    checks = {trial.number for trial in trials if trial.kind == "check"}
    failed = 0
    for answer in answers:
        if answer.trial in checks and answer.odd is not None:
            shown = np.array([answer.stim1, answer.stim2, answer.stim3])
            failed += int((shown == shown[answer.odd]).sum() != 1)
    return failed
