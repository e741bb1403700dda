"""Faults around a server: a bad network, and a database that is restarted. What was acknowledged is what is exported."""

from __future__ import annotations

import socket
import time

import pytest

from bgs._errors import BgsError
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


@pytest.mark.slow
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


def test_a_database_server_that_never_answers_is_given_up(study_path, serve, monkeypatch):
    pytest.importorskip("psycopg")
    monkeypatch.setattr("bgs.collection.database._PATIENCE", 2)  # the shortest that the driver takes
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"postgresql+psycopg://anna@127.0.0.1:{silent.getsockname()[1]}/study"
        with pytest.raises(BgsError, match=r"the database failed.*timeout"):
            serve(study_path, address)


def test_a_lock_that_is_never_given_back_is_storage_that_fails(postgres, study_path, serve, monkeypatch):
    """Of a server whose machine was switched off in the middle of a transaction."""
    from sqlalchemy import text

    monkeypatch.setattr("bgs.collection.database._PATIENCE", 1)
    served = serve(study_path, postgres())
    visitor = served.join().consent()
    message = visitor.message(0)
    with served.database.writing() as other:
        other.execute(text("SELECT id FROM assignment FOR UPDATE"))
        response = visitor.call("POST", "answers", json=message)
        assert (response.status_code, response.json()) == (503, {"error": "storage"})
    assert visitor.call("POST", "answers", json=message).json() == {"stored": True, "new": True}


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
