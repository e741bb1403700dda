"""Schedules that `bgs design` replaced: kept, since answers to them may lie in a database that it does not know."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bgs._errors import BgsError, DataError
from bgs._files import atomic_path, read_json, sha256
from bgs.collection.schedule import Schedule
from bgs.collection.schedule_table import ABOUT, SCHEDULE, read_schedule

#: Made when a study is first served: :data:`bgs.collection.secrets.FILE`, whose packages planning does without.
SECRETS = "secrets.json"
#: Characters of the file's hash in the name under which it is kept.
_LENGTH = 8


def keep_schedule(folder: Path) -> Path | None:
    """Copy a schedule that is about to be replaced, if the study was ever served or blocks were added to it.

    Returns:
        The copy, ``schedule-HASH.csv``; None where none is needed.

    Raises:
        BgsError: it cannot be read, or the copy cannot be written.
    """
    schedule, about = folder / SCHEDULE, folder / ABOUT
    if not schedule.is_file() or not ((folder / SECRETS).exists() or _extended(about)):
        return None
    kept = folder / f"schedule-{sha256(schedule)[:_LENGTH]}.csv"
    for given, copy in ((schedule, kept), (about, kept.with_suffix(".json"))):
        if given.is_file():
            with atomic_path(copy) as part:
                part.write_bytes(given.read_bytes())
    return kept


def _extended(about: Path) -> bool:
    """Whether it was put together by `bgs design --append`."""
    with suppress(DataError):
        return about.is_file() and "before" in read_json(about)
    return False


def find_schedule(
    folder: Path, stimulus_ids: tuple[str, ...], wanted: Callable[[Schedule], bool]
) -> Path | None:
    """The first schedule kept from before that is the wanted one, or None."""
    for path in sorted(folder.glob("schedule-*.csv")):
        with suppress(BgsError):
            if wanted(read_schedule(folder, stimulus_ids, path.name)):
                return path
    return None
