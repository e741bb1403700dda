"""Clocks that are set: nobody is locked out, no block in use is given away, no answer is lost."""

from __future__ import annotations

import csv

import pytest

from bgs.collection.clock import SteadyClock
from bgs.collection.exporting import export
from bgs.collection.leases import resume_leases
from collection.conftest import N_BLOCKS, N_TRIALS

HOUR, DAY = 3600.0, 24 * 3600.0


def exported(served, tmp_path):
    path = tmp_path / "export.csv"
    export(served.database, served.study, path, with_excluded=True)
    return list(csv.DictReader(path.read_text().splitlines()))


@pytest.fixture
def served(serve, study_path):
    return serve(study_path)


@pytest.mark.parametrize("jump", [3 * DAY, -5 * HOUR])
def test_setting_the_wall_clock_moves_nothing_while_a_server_runs(jump):
    wall, passed = [1e9], [50.0]
    clock = SteadyClock(lambda: wall[0], lambda: passed[0])
    assert clock() == 1e9
    wall[0] += jump
    passed[0] += 7.0
    assert clock() == 1e9 + 7.0


def test_the_server_of_a_study_runs_by_such_a_clock(study_path, monkeypatch):
    """Sessions outlive a wall clock that jumps by days while they are under way."""
    from fastapi.testclient import TestClient

    from bgs.collection.serving import StudyServer

    server = StudyServer(study_path, port=0)
    with server.socket, TestClient(server.app) as client:
        token = client.post("/api/join", json={"source": "link", "participant": "anna"}).json()["token"]
        monkeypatch.setattr("time.time", lambda: 4e9)
        response = client.get("/api/session", headers={"authorization": f"Bearer {token}"})
        assert response.status_code == 200
    server.database.close()


@pytest.mark.parametrize("jump", [3 * DAY, 2 * HOUR, -5 * HOUR])
def test_a_server_that_starts_with_another_clock_goes_on(served, tmp_path, jump):
    """Everybody keeps their block and their answers; who has a token that is now too old gets another by the same link."""
    visitors = {who: served.join(who).consent() for who in "abcd"}
    for visitor in visitors.values():
        visitor.answer(0)
    served.clock.now += jump
    resume_leases(served.database, served.study.settings.lease_minutes, served.clock())
    full = served.client.post("/api/join", json={"source": "link", "participant": "eve"})
    assert (full.status_code, full.json()["error"]) == (410, "full")
    for who, visitor in visitors.items():
        old = visitor.call("GET", "session")
        assert old.status_code == (401 if jump > DAY else 200)
        again = served.join(who)
        assert again.session()["answered"] == [0]
        assert all(again.answer(trial).status_code == 200 for trial in range(1, N_TRIALS))
        assert again.call("POST", "complete").json()["code"] == "DONE-1"
    rows = exported(served, tmp_path)
    assert len({(row["block"], row["trial"]) for row in rows}) == len(rows) == N_BLOCKS * N_TRIALS
    assert {row["state"] for row in rows} == {"complete"}


def test_the_export_is_in_the_order_in_which_answers_came_whatever_the_clock_said(served, tmp_path):
    visitor = served.join().consent()
    for trial in range(N_TRIALS):
        visitor.answer(trial)
        served.clock.now += 60.0 if trial % 2 else -2 * HOUR
    rows = exported(served, tmp_path)
    assert [int(row["trial"]) for row in rows] == list(range(N_TRIALS))
    times = [float(row["received_at"]) for row in rows]
    assert times != sorted(times)


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_a_restart_keeps_who_abandoned_a_block_and_who_did_not(serve, study_path, url, jump):
    """Leases keep their distances: 50 minutes silent before the restart and 20 after it are too long, 20 alone are not."""
    served = serve(study_path, url)
    for who in "abcd":
        served.join(who).consent()
    served.clock.now += 50 * 60
    awake = [served.join(who) for who in "bcd"]
    served.clock.now += jump
    resume_leases(served.database, served.study.settings.lease_minutes, served.clock())
    served.clock.now += 20 * 60
    eve = served.client.post("/api/join", json={"source": "link", "participant": "eve"}).json()
    block = served.secrets.verify(eve["token"], 1.0, served.clock())["block"]
    assert block == "block-0"
    full = served.client.post("/api/join", json={"source": "link", "participant": "fay"})
    assert full.json() == {"error": "full"}
    if jump < 0:  # else their tokens are too old; the link gives them others
        assert all(visitor.answer(0).status_code == 200 for visitor in awake)


def test_a_restart_without_anybody_changes_nothing(served):
    resume_leases(served.database, 60.0, served.clock())
    served.join().consent().finish()
    resume_leases(served.database, 60.0, served.clock() + DAY)
    assert served.join("ben").session()["block"] == "block-1"
