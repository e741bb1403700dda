"""A full disk: nothing is acknowledged, no code is given, nothing is half-written; with space, everything goes on."""

from __future__ import annotations

import subprocess
import time
from contextlib import contextmanager

import pytest

from bgs._errors import BgsError
from bgs._files import read_json
from bgs.collection.secrets import open_secrets
from bgs.collection.serving import StudyServer
from collection.conftest import N_TRIALS, Clock, Served, write_study
from collection.served_process import InThread, Observers, Process, assert_nothing_lost, command, export
from collection.small_disk import filled, small_disk

pytest.importorskip("uvicorn")


#: More than the tests need.
BLOCKS = 60


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    with small_disk(tmp_path_factory.mktemp("small") / "disk") as folder:
        yield folder


@pytest.fixture(scope="module")
def on_disk(disk):
    """A server whose study and database are on the small disk."""
    server = InThread(write_study(disk / "study", blocks=BLOCKS))
    yield server
    server.stop()


@contextmanager
def visits(process: Process | InThread):
    import httpx

    with httpx.Client(base_url=process.address, timeout=30.0) as client:
        yield Served(client, None, None, None, Clock(), process.admin)


def status(process: Process, path) -> dict:
    assert command("status", str(process.study), "--json", str(path)) == 0
    return read_json(path)


def test_no_answer_is_acknowledged_and_no_code_given_until_there_is_space(on_disk, disk, tmp_path, capsys):
    with visits(on_disk) as served:
        anna, ben = (served.join(who, "link").consent() for who in ("anna", "ben"))
        for trial in range(N_TRIALS):
            anna.answer(trial)
        ben.answer(0)
        before, counts = export(on_disk, tmp_path / "before.csv"), status(on_disk, tmp_path / "before.json")
        message = ben.message(1)
        with filled(disk):
            for _ in range(3):
                response = ben.call("POST", "answers", json=message)
                assert (response.status_code, response.json()) == (503, {"error": "storage"})
            end = anna.call("POST", "complete")
            assert (end.status_code, end.json()) == (503, {"error": "storage"})
            new = served.client.post("/api/join", json={"source": "link", "participant": "cleo"})
            assert new.status_code == 503
            assert ben.session()["answered"] == [0]
            assert export(on_disk, tmp_path / "during.csv") == before
            assert status(on_disk, tmp_path / "during.json") == counts
            capsys.readouterr()
            assert command("erase", str(on_disk.study), "anna", "--source", "link") == 2
            (line,) = capsys.readouterr().err.strip().splitlines()
            assert "the database failed" in line
        assert ben.call("POST", "answers", json=message).json() == {"stored": True, "new": True}
        assert anna.call("POST", "complete").json()["code"] == "DONE-1"
        served.join("cleo", "link")
    rows = export(on_disk, tmp_path / "after.csv")
    assert rows[: len(before)] == [
        {**row, "state": now["state"]} for row, now in zip(before, rows, strict=False)
    ]
    assert len(rows) == N_TRIALS + 2


def test_a_table_is_written_whole_or_not_at_all(on_disk, disk, capsys):
    with visits(on_disk) as served:
        served.join("dana", "link").consent().finish()
    there = set(disk.iterdir())
    table = disk / "trials.csv"
    with filled(disk):
        for name in ("trials.csv", "trials.parquet"):
            capsys.readouterr()
            assert command("export", str(on_disk.study), "--out", str(disk / name)) == 2
            (line,) = capsys.readouterr().err.strip().splitlines()
            assert "No space left on device" in line
        assert set(disk.iterdir()) - there == {disk / "ballast"}
    assert len(export(on_disk, table)) >= N_TRIALS
    whole = table.read_bytes()
    with filled(disk):
        assert command("export", str(on_disk.study), "--out", str(table)) == 2
    assert table.read_bytes() == whole  # the earlier one


@pytest.mark.slow
def test_a_server_killed_on_a_full_disk_says_why_it_does_not_start_and_lost_nothing(disk, tmp_path):
    process = Process(write_study(disk / "killed"), None)
    with visits(process) as served:
        emil = served.join("emil", "link").consent()
        assert emil.answer(0).status_code == 200
        message = emil.message(1)
        with filled(disk):
            assert emil.call("POST", "answers", json=message).status_code == 503
            process.kill()
            done = subprocess.run(process.command, capture_output=True, text=True, timeout=120, check=False)
            assert done.returncode == 2
            (line,) = done.stderr.strip().splitlines()
            assert "the database failed" in line
        process.start()
        assert emil.call("POST", "answers", json=message).json() == {"stored": True, "new": True}
    assert len(export(process, tmp_path / "export.csv")) == 2
    process.kill()


def test_a_study_that_is_first_served_on_a_full_disk_leaves_nothing_that_is_in_the_way(disk, capsys):
    study = write_study(disk / "another")
    with filled(disk):
        assert command("serve", str(study), "--port", "0") == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
        with pytest.raises(BgsError, match="No space left"):
            open_secrets(study)
        assert not (study / "secrets.json").exists()
    server = StudyServer(study, port=0)
    server.socket.close()
    server.database.close()


@pytest.mark.slow
def test_observers_go_on_whenever_there_is_space(tmp_path):
    with small_disk(tmp_path / "disk", megabytes=32) as disk:  # SQLite's log alone takes 4
        process = Process(write_study(disk / "study", blocks=BLOCKS), None)
        observers = Observers(process.address, BLOCKS, pace=0.5)
        for _ in range(5):
            time.sleep(0.5)
            with filled(disk):
                assert observers.busy
                time.sleep(1.0)
        ledger = observers.ledger()
        assert_nothing_lost(process, ledger, BLOCKS, N_TRIALS, tmp_path / "export.csv")
        process.kill()
