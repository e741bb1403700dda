"""The database of a study: its address, its file, and that of an earlier version."""

from __future__ import annotations

import shutil
import sqlite3
import time
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from bgs import BgsError
from bgs.api.collecting import Study
from bgs.collection import database as module
from bgs.collection.completing import erase
from bgs.collection.database import Database
from bgs.collection.joining import join
from bgs.collection.leases import heartbeat, note_alive, resume_leases
from bgs.collection.opening import open_database
from bgs.collection.study_folder import open_study

NOW = 1_800_000_000.0


@pytest.fixture
def study(study_path):
    return open_study(study_path)


@pytest.fixture
def opened(study):
    database = open_database(study, NOW)
    yield database
    database.close()


def seated(database, study, who: str):
    return join(database, study, who * 64, "link", NOW).assignment


def test_a_database_of_the_first_version_is_brought_up_to_date(study, url):
    """Rows and ids stay; an excluded participant's blocks are freed; ids are never used again."""
    config = Config()
    config.set_main_option("script_location", str(Path(module.__file__).parent / "migrations"))
    engine = (module._server if url else lambda given: module._sqlite(given, study.path / "study.sqlite"))(
        url or f"sqlite:///{study.path / 'study.sqlite'}"
    )
    with engine.connect().execution_options(bgs_writes=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for row in (
            f"INSERT INTO study VALUES (1, '{study.hash}', 5.0)",
            *(f"INSERT INTO block VALUES ('block-{k}', {k})" for k in range(4)),
            "INSERT INTO participant VALUES (3, 'a', 'link', 1, '1', 1, NULL, NULL, NULL)",
            "INSERT INTO participant VALUES (4, 'b', 'link', 1, '1', 1, 2, 'x', NULL)",
            "INSERT INTO assignment VALUES (7, 3, 'block-0', 'active', 9, 1, NULL), (8, 4, 'block-1', 'complete', 9, 1, 2)",
            "INSERT INTO answer VALUES (5, 7, 0, 'id', 'a', 'b', 'c', 1, 10, '{}', 2)",
        ):
            connection.exec_driver_sql(row)
    engine.dispose()
    database = open_database(study, NOW, url)
    with database.reading() as session:
        read = lambda text: session.connection().exec_driver_sql(text).all()  # noqa: E731
        assert read("SELECT id, state, block FROM assignment ORDER BY id") == [
            (7, "active", "block-0"), (8, "excluded", "block-1"),
        ]  # fmt: skip
        assert read("SELECT id, assignment_id, client_id, odd, rt_ms FROM answer") == [(5, 7, "id", 1, 10.0)]
        assert read("SELECT alive_at FROM study") == [(None,)]
        if url is None:
            assert read("PRAGMA foreign_key_check") == []
            names = {name for (name,) in read("SELECT name FROM sqlite_master WHERE type = 'index'")}
            assert {"one_holder", "one_active", "ix_assignment_participant_id"} <= names
    if url is None:
        assert erase(database, "b") == 0
        assert seated(database, study, "c") == 9
    database.close()


@pytest.mark.parametrize(
    "address",
    ["mysql://h/d", "sqlite+aiosqlite:///x.db", "postgresql+psycopg2://h/d", "postgresql+psycopg://h:port/d", "nonsense",
     "sqlite:///x.db?timeout=abc", "sqlite://", "sqlite:///:memory:", "postgresql://h/d", "oracle://u:secret@h:port/d"],
)  # fmt: skip
def test_another_address_is_one_line(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BgsError, match="not the address of a database that studies use") as caught:
        Database(address)
    assert "secret" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", ["deleted", "moved", "replaced", "without its log"])
def test_a_file_that_is_not_there_any_more_is_storage_that_fails(opened, study, how):
    seated(opened, study, "a")
    path = study.path / "study.sqlite"
    if how == "deleted":
        path.unlink()
    elif how == "moved":
        path.rename(study.path / "other.sqlite")
    elif how == "replaced":
        shutil.copy(path, study.path / "copy")
        (study.path / "copy").replace(path)
    else:
        Path(f"{path}-wal").unlink()
    with pytest.raises(module.DBAPIError, match="deleted, moved or replaced"):
        seated(opened, study, "b")
    if how in ("deleted", "moved"):
        opened.close()  # connections that are made anew make no new file either
        with pytest.raises(module.DBAPIError, match="deleted, moved or replaced"):
            seated(opened, study, "b")
        assert not path.exists()


@pytest.mark.parametrize("act", ["progress", "export", "erase"])
def test_a_database_is_made_by_serving_alone(study_path, tmp_path, act):
    typo = Study(study_path, f"sqlite:///{tmp_path}/typo.sqlite")
    table = tmp_path / "trials.csv"
    table.write_text("earlier")
    asked = {
        "progress": typo.progress,
        "export": lambda: typo.export(table),
        "erase": lambda: typo.erase("a"),
    }
    with pytest.raises(BgsError, match=r"typo\.sqlite: no study in this database"):
        asked[act]()
    sqlite3.connect(tmp_path / "typo.sqlite").close()  # an empty file
    (tmp_path / "typo.sqlite").touch()
    with pytest.raises(BgsError, match=r"typo\.sqlite: no study in this database"):
        asked[act]()
    with pytest.raises(BgsError, match="no study in this database"):
        Study(study_path).export(table)
    assert table.read_text() == "earlier"
    assert Study(study_path).progress().participants == 0


@pytest.mark.parametrize("name", ["stimuli.csv", "schedule.csv", "../study/stimuli.csv"])
def test_an_export_never_replaces_the_study(opened, study_path, name):
    before = (study_path / name).read_bytes()
    with pytest.raises(BgsError, match="part of the study"):
        Study(study_path).export(study_path / name)
    assert (study_path / name).read_bytes() == before


def test_a_lease_that_had_expired_stays_expired(opened, study):
    hour = 3600.0
    mine = seated(opened, study, "a")
    note_alive(opened, NOW + 3 * hour)  # nobody came for three hours; then the server stopped
    resume_leases(opened, 60.0, NOW + 50 * hour)
    later = join(opened, study, "b" * 64, "link", NOW + 50 * hour)
    assert (later.block, later.assignment) == ("block-0", mine + 1)
    # A clock that was set back: b was heard of 10 minutes before the server stopped, and has 50 minutes left.
    note_alive(opened, NOW + 50 * hour + 600)
    resume_leases(opened, 60.0, NOW)
    assert join(opened, study, "c" * 64, "link", NOW + 49 * 60).block == "block-1"
    assert join(opened, study, "d" * 64, "link", NOW + 51 * 60).block == "block-0"


def test_a_server_notes_that_it_is_alive(opened):
    beats = []

    def clock() -> float:
        beats.append(NOW)
        return NOW + len(beats)

    with heartbeat(opened, clock, seconds=0.001):
        while len(beats) < 3:
            time.sleep(0.001)
    with opened.reading() as session:
        assert session.connection().exec_driver_sql("SELECT alive_at FROM study").scalar() == NOW + len(beats)
