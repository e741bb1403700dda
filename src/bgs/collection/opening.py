"""Opens the database of a study, and puts its blocks in; those of a later batch, too."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from bgs._errors import BgsError
from bgs.collection.database import Database, failures_as_errors
from bgs.collection.earlier_schedules import find_schedule
from bgs.collection.study_folder import StudyFolder, open_study
from bgs.collection.tables import SIMULATED, BlockRow, ParticipantRow, StudyRow

#: The file of a study whose database is SQLite.
FILE = "study.sqlite"


def database_url(folder: Path, url: str | None = None) -> str:
    """The address of a study's database: the one that is given, or ``study.sqlite`` in its folder."""
    return url or f"sqlite:///{(folder / FILE).resolve()}"


def open_database(study: StudyFolder, now: float, url: str | None = None, new: bool = True) -> Database:
    """The database of a study, brought to the present version.

    Args:
        study: whose blocks are put in when it is new or nobody has come yet, and those that `bgs design --append` added.
        now: seconds since 1970.
        url: where it is; by default ``study.sqlite`` in the study's folder.
        new: makes one where there is none, as a server does.

    Raises:
        BgsError: it cannot be opened, is missing, is of a newer version, or belongs to another study or schedule.
    """
    database = Database(database_url(study.path, url), new)
    with database.writing() as session:
        known = session.scalar(select(StudyRow))
        if known is None or (known.hash != study.hash and _nobody_came(session)):
            for table in (StudyRow, BlockRow):
                session.execute(delete(table))
            session.add(StudyRow(id=1, hash=study.hash, created_at=now))
            _add_blocks(session, study, 0)
        elif known.hash != study.hash:
            stored = session.scalar(select(func.count()).select_from(BlockRow)) or 0
            if known.hash != study.hash_of_first(stored):
                raise _other_schedule(study, known.hash, stored, url or study.path / FILE)
            known.hash = study.hash
            _add_blocks(session, study, stored)
    return database


@contextmanager
def opened_study(path: str | Path, url: str | None = None) -> Iterator[tuple[StudyFolder, Database]]:
    """A study folder and its answers, for as long as the block lasts.

    Raises:
        BgsError: folder or database cannot be used, the study was never served, or the database fails meanwhile.
    """
    study = open_study(path)
    with failures_as_errors(database_url(study.path, url)):
        database = open_database(study, time.time(), url, new=False)
        try:
            yield study, database
        finally:
            database.close()


def _other_schedule(study: StudyFolder, found: str, blocks: int, where: object) -> BgsError:
    """The error for a database of other blocks; where their schedule was kept, it says so."""
    kept = find_schedule(
        study.path,
        study.stimuli.ids,
        lambda schedule: replace(study, schedule=schedule).hash_of_first(blocks) == found,
    )
    hint = "blocks may be added (`bgs design --append`); another schedule needs a new database: `--database`"
    if kept is not None:
        hint = (
            f"its schedule is {kept.name}: copy it, and {kept.stem}.json, to schedule.csv and schedule.json"
        )
    return BgsError(
        "this database belongs to another study, or to another schedule of this one", where=where,
        expected=study.hash[:16], got=found[:16], hint=hint,
    )  # fmt: skip


def participants_of(folder: Path, url: str | None = None, *, people: bool = False) -> int:
    """How many came to a study, whatever schedule its folder has now; 0 without a database.

    Args:
        folder: of the study.
        url: of its database; by default ``study.sqlite`` in the folder.
        people: count people only, not simulated observers.

    Raises:
        BgsError: the database cannot be opened.
    """
    address = database_url(folder, url)
    if url is None and not (folder / FILE).exists():
        return 0
    with (
        failures_as_errors(address),
        closing(Database(address, new=False)) as database,
        database.reading() as session,
    ):
        query = select(func.count()).select_from(ParticipantRow)
        if people:
            query = query.where(ParticipantRow.source != SIMULATED)
        return session.scalar(query) or 0


def _nobody_came(session: Session) -> bool:
    return session.scalar(select(ParticipantRow.id).limit(1)) is None


def identity(database: Database) -> str:
    """Names a database: tokens of another one hold ids that are somebody else's here. Blocks added later do not change it."""
    with database.reading() as session:
        return repr(session.scalars(select(StudyRow.created_at)).one())


def _add_blocks(session: Session, study: StudyFolder, stored: int) -> None:
    rows = [{"name": name, "position": k} for k, name in enumerate(study.schedule.names)]
    session.execute(insert(BlockRow), rows[stored:])
