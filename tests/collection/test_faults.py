"""Faults around a server: a bad network, and a database that is restarted. What was acknowledged is what is exported."""

from __future__ import annotations

import time

import pytest

from collection.conftest import N_TRIALS
from collection.faulty_proxy import FAULTS, faulty_network
from collection.postgres import away
from collection.served_process import Observers, assert_nothing_lost, command

pytest.importorskip("uvicorn")
httpx = pytest.importorskip("httpx")
#: Six requests in ten meet a fault; four of them are heard of only after a retry.
CHANCES = {"drop request": 0.1, "drop response": 0.15, "delay": 0.1, "double": 0.15, "hold back": 0.1}


def through_a_bad_network(process, people: int, trials: int, out) -> None:
    with faulty_network(process.port, CHANCES) as proxy:
        ledger = Observers(proxy.address, people).ledger()
    assert all(proxy.done[fault] for fault in FAULTS), proxy.done
    assert_nothing_lost(process, ledger, people, trials, out)


def test_a_network_that_drops_delays_doubles_and_reorders(in_thread, tmp_path):
    through_a_bad_network(in_thread(7), people=6, trials=N_TRIALS, out=tmp_path / "export.csv")


@pytest.mark.slow
def test_a_bad_network_for_many(process, tmp_path):
    through_a_bad_network(process(201, 20), people=200, trials=20, out=tmp_path / "export.csv")


@pytest.mark.slow
def test_a_bad_network_and_a_server_that_is_killed(process, tmp_path):
    served = process(60, 10)
    with faulty_network(served.port, CHANCES) as proxy:
        observers = Observers(proxy.address, 60)
        for _ in range(10):
            time.sleep(1.0)
            served.kill()
            served.start()
        ledger = observers.ledger()
    assert_nothing_lost(served, ledger, 60, 10, tmp_path / "export.csv")


def through_restarts(process, people: int, restarts: int, out) -> None:
    observers = Observers(process.address, people, pace=0.3)
    for _ in range(restarts):
        time.sleep(0.5)
        with away(process.url):
            assert observers.busy
            join = httpx.post(f"{process.address}api/join", json={"source": "link", "participant": "anna"})
            assert (join.status_code, join.json()) == (503, {"error": "storage"})
    assert_nothing_lost(process, observers.ledger(), people, N_TRIALS, out)


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_a_database_that_is_restarted(in_thread, tmp_path):
    through_restarts(in_thread(8), people=8, restarts=1, out=tmp_path / "export.csv")


@pytest.mark.slow
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_a_database_that_is_restarted_ten_times(process, tmp_path):
    through_restarts(process(200), people=200, restarts=10, out=tmp_path / "export.csv")


def test_a_database_that_is_away_is_one_line_for_the_researcher(postgres, study_path, capsys):
    address = postgres().replace("host=", "host=/nowhere")
    for arguments in (
        ["status"],
        ["erase", "anna"],
        ["exclude", "anna", "--reason", "x"],
        ["serve", "--port", "0"],
    ):
        assert command(arguments[0], str(study_path), *arguments[1:], "--database", address) == 2
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert "the database failed" in line


def test_a_commit_is_on_disk_whatever_the_default_of_the_database_server(postgres, study_path, serve):
    """Else a restart of the database could lose what was acknowledged."""
    from sqlalchemy import create_engine, text

    address = postgres()
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("ALTER DATABASE postgres SET synchronous_commit = off"))
        try:
            served = serve(study_path, address)
            with served.database.reading() as session:
                assert session.scalar(text("SHOW synchronous_commit")) == "on"
        finally:
            connection.execute(text("ALTER DATABASE postgres RESET synchronous_commit"))
    engine.dispose()
