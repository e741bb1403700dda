"""An answer is stored by one statement; whatever it leaves out is what a transaction refuses, renews or recognises."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import event, select

from bgs.collection.answering import Answer, shown_order, store
from bgs.collection.joining import join, record_consent
from bgs.collection.refusals import Reason, Refused
from bgs.collection.tables import AssignmentRow
from collection.conftest import N_TRIALS

NOW = 1_800_000_000.0


@pytest.fixture
def seat(served):
    found = join(served.database, served.study, "k" * 64, "link", NOW)
    record_consent(served.database, served.study.settings, found.assignment, NOW)
    return found


def answer_to(served, seat, trial: int, **changes) -> Answer:
    shown = shown_order(served.study.schedule.blocks[seat.block][trial], seat.assignment)
    return replace(Answer(f"id-{trial}", trial, shown, 0, 1000.0), **changes)


def statements(served, seat, answer: Answer, now: float) -> tuple[bool, int]:
    """Whether an answer is new, and how many statements that took, beginning and end not counted."""
    seen: list[str] = []

    def count(_connection, _cursor, text, *_more):
        if not text.startswith(("BEGIN", "PRAGMA")):
            seen.append(text)

    event.listen(served.database.engine, "before_cursor_execute", count)
    try:
        return store(served.database, served.study, seat.assignment, seat.block, answer, now), len(seen)
    finally:
        event.remove(served.database.engine, "before_cursor_execute", count)


def test_a_new_answer_takes_one_statement(served, seat):
    for trial in range(N_TRIALS):
        assert statements(served, seat, answer_to(served, seat, trial), NOW + trial) == (True, 1)
    assert statements(served, seat, answer_to(served, seat, 0), NOW) == (False, 3)  # a retry


def test_a_lease_is_renewed_once_a_twentieth_has_passed(served, seat):
    lease = 60 * served.study.settings.lease_minutes

    def until() -> float:
        with served.database.reading() as session:
            return session.scalars(select(AssignmentRow.lease_until)).one()

    store(
        served.database,
        served.study,
        seat.assignment,
        seat.block,
        answer_to(served, seat, 0),
        NOW + 0.04 * lease,
    )
    assert until() == NOW + lease
    store(
        served.database,
        served.study,
        seat.assignment,
        seat.block,
        answer_to(served, seat, 1),
        NOW + 0.06 * lease,
    )
    assert until() == NOW + 1.06 * lease


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"client_id": "x", "trial": N_TRIALS}, Reason.TRIAL),
        ({"client_id": "x", "trial": -1}, Reason.TRIAL),
        ({"client_id": "x", "stimuli": ("clip 0", "clip 0", "clip 0")}, Reason.MISMATCH),
        ({"client_id": "another"}, Reason.ANSWERED),
        ({"odd": 1}, Reason.ANSWERED),
    ],
)
def test_what_does_not_fit_is_refused(served, seat, changes, reason):
    first = answer_to(served, seat, 0)
    store(served.database, served.study, seat.assignment, seat.block, first, NOW)
    with pytest.raises(Refused) as caught:
        store(served.database, served.study, seat.assignment, seat.block, replace(first, **changes), NOW)
    assert caught.value.reason is reason


def test_the_block_of_somebody_else_is_refused(served, seat):
    """As if a token named another block: the assignment's own is what counts."""
    other = join(served.database, served.study, "o" * 64, "link", NOW)
    mine = answer_to(served, seat, 0)
    with pytest.raises(Refused):
        store(served.database, served.study, other.assignment, seat.block, mine, NOW)
