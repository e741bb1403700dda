"""Ends of a block: what is paid, what is left out, and what belongs to nobody any more."""

from __future__ import annotations

import csv
import threading
from contextlib import contextmanager

import pytest
from sqlalchemy import insert, select, text

from bgs.collection.completing import complete, erase, exclude, leave
from bgs.collection.exporting import export
from bgs.collection.joining import locked_assignment
from bgs.collection.progress import counted_answers, progress
from bgs.collection.tables import AnswerRow, AssignmentRow, State
from collection.conftest import N_TRIALS, SETTINGS, careless, write_study

ANNA = ("prolific", "anna")


def exported(served, tmp_path, **more):
    export(served.database, served.study, tmp_path / "export.csv", **more)
    return list(csv.DictReader((tmp_path / "export.csv").read_text().splitlines()))


def unplayed(visitor, trial: int) -> None:
    sent = {**visitor.message(trial), "odd": None, "rt": None}
    assert visitor.call("POST", "answers", json=sent).status_code == 200


def states(served) -> list[str]:
    with served.database.reading() as session:
        return list(session.scalars(select(AssignmentRow.state).order_by(AssignmentRow.id)))


def test_the_token_of_an_erased_participant_is_nobody_elses(served):
    anna = served.join().consent()
    assert erase(served.database, served.secrets.participant_key(*ANNA)) == 0
    served.join("bert").consent()
    sent = {"client_id": "00000000-0000-4000-8000-000000000000", "trial": 0, "stimuli": ["a", "b", "c"]}
    response = anna.call("POST", "answers", json={**sent, "odd": 0, "rt": 1.0})
    assert (response.status_code, response.json()["error"]) == (403, "excluded")


@pytest.mark.parametrize(
    ("trials", "code", "state"),
    [
        ((0,), "DONE-1", State.COMPLETE),
        ((0, 1), "DEVICE-4", State.UNPLAYED),
        (range(N_TRIALS), "DEVICE-4", State.UNPLAYED),
        ((N_TRIALS - 1,), "DEVICE-4", State.UNPLAYED),  # the attention check, of which none may fail
    ],
)
def test_trials_that_were_not_played_are_not_paid_as_answers(
    serve, study_path, tmp_path, trials, code, state
):
    served = serve(study_path)
    visitor = served.join().consent()
    for trial in range(N_TRIALS):
        (unplayed if trial in trials else type(visitor).answer)(visitor, trial)
    found = progress(served.database, served.study, served.clock(), counted_answers(served.database))
    assert found.answers == N_TRIALS - len(trials)
    end = visitor.call("POST", "complete").json()
    assert end["code"] == code
    assert visitor.call("POST", "complete").json() == end
    assert states(served) == [state]
    assert len(exported(served, tmp_path)) == (state == State.COMPLETE) * (N_TRIALS - len(trials))
    taken = served.join("ben").session()["block"] == "block-0"
    assert taken == (state == State.UNPLAYED)


@pytest.mark.parametrize(("allowed", "code"), [(0.0, "DEVICE-4"), (0.4, "DONE-1"), (1.0, "DONE-1")])
def test_how_many_may_be_unplayed_is_a_setting(serve, tmp_path, allowed, code):
    served = serve(
        write_study(tmp_path / "s", settings=SETTINGS + f"playback: {{allowed_unplayed: {allowed}}}\n")
    )
    visitor = served.join().consent()
    for trial in range(N_TRIALS):
        (unplayed if trial < 2 else type(visitor).answer)(visitor, trial)
    assert visitor.call("POST", "complete").json()["code"] == code


def test_answers_of_who_fails_a_later_block_are_left_out_and_marked(serve, tmp_path):
    served = serve(write_study(tmp_path / "s", settings=SETTINGS + "blocks_per_participant: 2\n"))
    assert served.join().consent().finish().json()["code"] == "DONE-1"
    assert served.join().consent().finish(careless).json()["code"] == "FAIL-3"
    assert exported(served, tmp_path) == []
    assert {row["state"] for row in exported(served, tmp_path, with_excluded=True)} == {"excluded", "failed"}
    assert counted_answers(served.database) == []
    assert served.join("ben").session()["block"] == "block-0"


@contextmanager
def meanwhile(act, *arguments):
    """Something that another connection does at the same time, and its outcome."""
    found = []

    def run():
        try:
            found.append(act(*arguments))
        except Exception as error:
            found.append(error)

    other = threading.Thread(target=run)
    with_me = lambda: (other.start(), other.join(0.3))  # noqa: E731 - either it waits for us, or it is done
    yield with_me, found
    other.join()


@pytest.fixture
def on_postgres(serve, study_path, postgres):
    return serve(study_path, postgres())


def test_leaving_while_a_block_is_completed_discards_nothing(on_postgres):
    database, study, now = on_postgres.database, on_postgres.study, on_postgres.clock()
    visitor = on_postgres.join().consent()
    for trial in range(N_TRIALS):
        visitor.answer(trial)
    with meanwhile(leave, database, 1, now) as (begin, found), database.writing() as session:
        locked_assignment(session, 1).state = State.COMPLETE
        session.flush()
        begin()
    assert found == [None]
    assert states(on_postgres) == [State.COMPLETE]
    assert complete(database, study, 1, now).outcome == "completed"


def test_erasing_while_an_answer_arrives_erases_it(on_postgres):
    database = on_postgres.database
    on_postgres.join().consent()
    key = on_postgres.secrets.participant_key(*ANNA)
    row = {"assignment_id": 1, "trial": 0, "client_id": "x", "stim1": "a", "stim2": "b", "stim3": "c", "odd": 0,
           "details": {}, "received_at": 0.0}  # fmt: skip
    with meanwhile(erase, database, key) as (begin, found), database.writing_connection() as connection:
        connection.execute(text("SELECT 1 FROM assignment WHERE id = 1 FOR SHARE"))
        connection.execute(insert(AnswerRow), row)
        begin()
    assert found == [1]
    assert states(on_postgres) == []


def test_excluding_while_checks_are_failed_does_not_wait_for_ever(on_postgres):
    """Both change block and participant; whoever comes second waits for the first."""
    database, study, now = on_postgres.database, on_postgres.study, on_postgres.clock()
    visitor = on_postgres.join().consent()
    for trial in range(N_TRIALS):
        visitor.answer(trial, careless)
    key = on_postgres.secrets.participant_key(*ANNA)
    with meanwhile(complete, database, study, 1, now) as (begin, found), database.writing() as session:
        session.execute(text("SELECT 1 FROM participant FOR UPDATE"))
        begin()
        session.execute(text("UPDATE assignment SET state = 'excluded'"))
    assert str(found[0]) == "excluded"
    assert exclude(database, key, "again", now)
