"""Storing answers: each trial once, whatever the network repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import and_, bindparam, insert, or_, select, update

from bgs._rng import generator
from bgs.collection.database import Database
from bgs.collection.joining import require_active
from bgs.collection.refusals import Reason, Refused
from bgs.collection.schedule import ScheduledTrial
from bgs.collection.study_folder import StudyFolder
from bgs.collection.tables import AnswerRow, AssignmentRow, ParticipantRow

#: A lease is renewed once this part of it has passed: not with every answer.
_RENEWED = 0.05
# The route that most requests take, without objects: half of the time of one that builds them.
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


def store(database: Database, study: StudyFolder, assignment: int, answer: Answer, now: float) -> bool:
    """Store an answer durably; only then may it be acknowledged.

    Returns:
        Whether it is new: False for a retry of what is stored already.

    Raises:
        Refused: there is no consent, the block is no longer the participant's, it has no such trial, the answer does not fit what
            was shown, or the trial has another answer.
    """
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
        _require_shown(study, held.block, assignment, answer)
        if known:
            raise Refused(Reason.ANSWERED, trial=answer.trial)
        first, second, third = answer.stimuli
        row = {
            "assignment_id": assignment, "trial": answer.trial, "client_id": answer.client_id, "stim1": first, "stim2": second,
            "stim3": third, "odd": answer.odd, "rt_ms": answer.rt_ms, "details": answer.details, "received_at": now,
        }  # fmt: skip
        connection.execute(_INSERTED, row)
        lease = 60 * study.settings.lease_minutes
        if now + lease - held.lease_until >= _RENEWED * lease:
            connection.execute(_EXTENDED, {"assignment": assignment, "until": now + lease})
    return True


def _require_shown(study: StudyFolder, block: str, assignment: int, answer: Answer) -> None:
    trials = study.schedule.rows_of(block)
    if not 0 <= answer.trial < len(trials):
        raise Refused(Reason.TRIAL, trial=answer.trial)
    if answer.stimuli != shown_order(study.schedule.at(trials[answer.trial]), assignment):
        raise Refused(Reason.MISMATCH, trial=answer.trial)


def answered(database: Database, assignment: int) -> list[int]:
    """Numbers of the trials whose answer is stored."""
    with database.reading() as session:
        query = select(AnswerRow.trial).where(AnswerRow.assignment_id == assignment)
        return sorted(session.scalars(query))


def failed_checks(trials: Sequence[ScheduledTrial], answers: Sequence[AnswerRow]) -> int:
    """Number of attention checks failed: the odd one is the clip that is shown once."""
    checks = {trial.number for trial in trials if trial.kind == "check"}
    failed = 0
    for answer in answers:
        if answer.trial in checks and answer.odd is not None:
            shown = np.array([answer.stim1, answer.stim2, answer.stim3])
            failed += int((shown == shown[answer.odd]).sum() != 1)
    return failed
