"""How far a study is: blocks, participants, answers, and which pairs of clips have been seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sqlalchemy import func, select

from bgs._typing import Int
from bgs.collection.database import Database
from bgs.collection.study_folder import StudyFolder
from bgs.collection.tables import HELD, AnswerRow, AssignmentRow, ParticipantRow, State


@dataclass(frozen=True)
class Progress:
    """Counts of a study.

    Attributes:
        blocks: all blocks; of these ``complete``, ``active`` (an answer within the lease), ``abandoned`` (none), and ``free``.
        answers: that count: of blocks that are active or complete.
        planned: trials of all blocks.
        participants: that came; of these ``consented``.
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
    excluded: dict[str, int]
    pairs: int
    pairs_planned: int
    rt_ms: float | None

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return asdict(self)


def progress(database: Database, study: StudyFolder, now: float) -> Progress:
    """Count what a study has at this moment."""
    with database.reading() as session:
        active_until = session.scalars(
            select(AssignmentRow.lease_until).where(AssignmentRow.state == State.ACTIVE)
        ).all()
        complete = session.scalar(
            select(func.count()).select_from(AssignmentRow).where(AssignmentRow.state == State.COMPLETE)
        )
        people = session.execute(select(ParticipantRow.consented_at, ParticipantRow.excluded_because)).all()
        counted = (
            select(AssignmentRow.block, AnswerRow.trial, AnswerRow.rt_ms)
            .join(AssignmentRow, AnswerRow.assignment_id == AssignmentRow.id)
            .where(AssignmentRow.state.in_(HELD))
        )
        answers = [(block, trial, rt) for block, trial, rt in session.execute(counted)]
    blocks, done = len(study.schedule.blocks), int(complete or 0)
    active = sum(until > now for until in active_until)
    seen = coverage(study, Counter((block, trial) for block, trial, _ in answers))
    times = [rt for _, _, rt in answers if rt is not None]
    return Progress(
        blocks, done, active, len(active_until) - active, blocks - done - len(active_until), len(answers),
        study.schedule.n_trials, len(people), sum(consented is not None for consented, _ in people),
        dict(Counter(why for _, why in people if why is not None)),
        int((np.triu(seen, 1) > 0).sum()), int((np.triu(coverage(study, None), 1) > 0).sum()),
        float(np.median(times)) if times else None,
    )  # fmt: skip


def seen_trials(database: Database) -> Counter[tuple[str, int]]:
    """(block, trial) -> 1 for all answers that count."""
    query = (
        select(AssignmentRow.block, AnswerRow.trial)
        .join(AssignmentRow, AnswerRow.assignment_id == AssignmentRow.id)
        .where(AssignmentRow.state.in_(HELD))
    )
    with database.reading() as session:
        return Counter((block, trial) for block, trial in session.execute(query))


def coverage(study: StudyFolder, answered: Counter[tuple[str, int]] | None) -> Int[np.ndarray, "n n"]:
    """(n, n) how often each pair of clips was seen together; of all planned trials where ``answered`` is None."""
    place = {name: k for k, name in enumerate(study.stimuli.ids)}
    shown = [
        [place[name] for name in trial.stimuli]
        for block, trials in study.schedule.blocks.items()
        for trial in trials
        if answered is None or answered[block, trial.number]
    ]
    counts = np.zeros((len(place), len(place)), dtype=np.int64)
    if shown:
        triplets = np.array(shown)
        for first, second in ((0, 1), (0, 2), (1, 2)):
            np.add.at(counts, (triplets[:, first], triplets[:, second]), 1)
    counts += counts.T
    np.fill_diagonal(counts, 0)
    return counts
