"""Opens the database of a study, and puts its blocks in."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import insert, select

from bgs._errors import BgsError
from bgs.collection.database import Database
from bgs.collection.study_folder import StudyFolder
from bgs.collection.tables import BlockRow, StudyRow

#: The file of a study whose database is SQLite.
FILE = "study.sqlite"


def database_url(folder: Path, url: str | None = None) -> str:
    """The address of a study's database: the one that is given, or ``study.sqlite`` in its folder."""
    return url or f"sqlite:///{(folder / FILE).resolve()}"


def open_database(study: StudyFolder, now: float, url: str | None = None) -> Database:
    """The database of a study, brought to the present version.

    Args:
        study: whose blocks are put in when it is new.
        now: seconds since 1970.
        url: where it is; by default ``study.sqlite`` in the study's folder.

    Raises:
        BgsError: it cannot be opened, is of a newer version, or belongs to another study or schedule.
    """
    database = Database(database_url(study.path, url))
    with database.writing() as session:
        known = session.scalar(select(StudyRow))
        if known is None:
            session.add(StudyRow(id=1, hash=study.hash, created_at=now))
            rows = [{"name": name, "position": k} for k, name in enumerate(study.schedule.blocks)]
            session.execute(insert(BlockRow), rows)
        elif known.hash != study.hash:
            raise BgsError(
                "this database belongs to another study, or to another schedule of this one", where=url or study.path / FILE,
                expected=study.hash[:16], got=known.hash[:16], hint="a changed schedule needs a new database: `--database`",
            )  # fmt: skip
    return database
