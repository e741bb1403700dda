"""How far a study is: blocks, participants, answers, and which pairs of clips have been seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import select

from bgs._typing import Int
from bgs.collection.database import Database
from bgs.collection.study_folder import StudyFolder
from bgs.collection.tables import HELD, SIMULATED, AnswerRow, AssignmentRow, ParticipantRow, State


@dataclass(frozen=True)
class Progress:
    """Counts of a study.

    Attributes:
        blocks: all blocks; of these ``complete``, ``active`` (an answer within the lease), ``abandoned`` (none), and ``free``.
        answers: that count: of blocks that are active or complete.
        planned: trials of all blocks.
        participants: that came; of these ``consented``, and ``simulated`` are no people.
        excluded: reason -> participants.
        pairs: pairs of clips seen; ``pairs_planned`` of the schedule.
        rt_ms: median time of a choice in milliseconds; None before the first.
    """

    blocks: int
    complete: int
    active: int
    abandoned: int
    free: int
    answers: int
    planned: int
    participants: int
    consented: int
    simulated: int
    excluded: dict[str, int]
    pairs: int
    pairs_planned: int
    rt_ms: float | None

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return asdict(self)


class Counted(NamedTuple):
    """An answer that counts: a choice, in a block that is active or complete.

    Attributes:
        block: name of the block.
        trial: number within the block.
        rt_ms: milliseconds of the choice; None where unknown.
    """

    block: str
    trial: int
    rt_ms: float | None


def counted_answers(database: Database) -> list[Counted]:
    """All answers that count; trials that could not be played are none."""
    query = (
        select(AssignmentRow.block, AnswerRow.trial, AnswerRow.rt_ms)
        .join(AssignmentRow, AnswerRow.assignment_id == AssignmentRow.id)
        .where(AssignmentRow.state.in_(HELD), AnswerRow.odd.is_not(None))
    )
    with database.reading() as session:
        return [Counted(block, trial, rt) for block, trial, rt in session.execute(query)]


def progress(database: Database, study: StudyFolder, now: float, answers: Sequence[Counted]) -> Progress:
    """Count what a study has at this moment; ``answers`` are its :func:`counted_answers`."""
    with database.reading() as session:
        held = session.execute(
            select(AssignmentRow.block, AssignmentRow.state, AssignmentRow.lease_until).where(AssignmentRow.state.in_(HELD))
        ).all()  # fmt: skip
        columns = (ParticipantRow.consented_at, ParticipantRow.excluded_because, ParticipantRow.source)
        people = session.execute(select(*columns)).all()
    # Another server may hand out blocks that a later batch added, and that this one does not know yet.
    known = study.schedule.positions
    answers = [answer for answer in answers if answer.block in known]
    active_until = [row.lease_until for row in held if row.block in known and row.state == State.ACTIVE]
    done = sum(row.block in known and row.state == State.COMPLETE for row in held)
    blocks, active = study.schedule.n_blocks, sum(until > now for until in active_until)
    seen = coverage(study, answers)
    times = [answer.rt_ms for answer in answers if answer.rt_ms is not None]
    return Progress(
        blocks, done, active, len(active_until) - active, blocks - done - len(active_until), len(answers),
        len(study.schedule), len(people), sum(one.consented_at is not None for one in people),
        sum(one.source == SIMULATED for one in people),
        dict(Counter(one.excluded_because for one in people if one.excluded_because is not None)),
        int((np.triu(seen, 1) > 0).sum()), int((np.triu(coverage(study, None), 1) > 0).sum()),
        float(np.median(times)) if times else None,
    )  # fmt: skip


def coverage(study: StudyFolder, answers: Sequence[Counted] | None) -> Int[np.ndarray, "n n"]:
    """(n, n) how often each pair of clips was seen together; of all planned trials where ``answers`` is None.

    Answers in blocks that the schedule has not are left out.
    """
    schedule, triplets = study.schedule, study.schedule.stimuli
    if answers is not None:
        known = schedule.positions
        rows = [schedule.row(answer.block, answer.trial) for answer in answers if answer.block in known]
        triplets = triplets[np.array(rows, dtype=np.int64)]
    counts = np.zeros((len(study.stimuli), len(study.stimuli)), dtype=np.int64)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        np.add.at(counts, (triplets[:, first], triplets[:, second]), 1)
    counts += counts.T
    np.fill_diagonal(counts, 0)
    return counts
