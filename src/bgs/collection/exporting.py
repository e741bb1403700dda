"""The trial table of a study: streamed, in the order in which answers came, each exactly once."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bgs._errors import BgsError
from bgs._files import atomic_path
from bgs._optional import require
from bgs.collection.database import Database
from bgs.collection.study_folder import StudyFolder
from bgs.collection.tables import AnswerRow, AssignmentRow, ParticipantRow, State

#: The first eight are the trial table of ``bgs train``; the others describe how an answer came about.
COLUMNS = (
    "participant", "block", "trial", "stim1", "stim2", "stim3", "odd", "rt",
    "kind", "state", "excluded", "received_at", "playback_errors", "plays", "enabled_after", "hidden_for",
)  # fmt: skip
#: Characters of a participant's hash that name them in the export.
_NAME = 16
_ROWS = 5000


def export(database: Database, study: StudyFolder, path: Path, with_excluded: bool = False) -> int:
    """Write the trial table as CSV or Parquet, by the ending; memory does not grow with the number of answers.

    Trials whose clips could not be played are left out. So are, unless ``with_excluded``, answers of blocks that went to somebody
    else and those of excluded participants: a block is then in the table once.

    Returns:
        Number of answers written.

    Raises:
        BgsError: another ending.
    """
    rows = _rows(database, study, with_excluded)
    if path.suffix == ".csv":
        return _write_csv(path, rows)
    if path.suffix == ".parquet":
        return _write_parquet(path, rows)
    raise BgsError(
        "unsupported file type", where=path, expected=".csv or .parquet", got=path.suffix or "no suffix"
    )


def _rows(database: Database, study: StudyFolder, with_excluded: bool) -> Iterator[tuple[Any, ...]]:
    kept = [State.ACTIVE, State.COMPLETE]
    if with_excluded:
        kept += [State.FAILED, State.EXCLUDED, State.RELEASED]
    query = (
        select(
            AnswerRow,
            AssignmentRow.block,
            AssignmentRow.state,
            ParticipantRow.key,
            ParticipantRow.excluded_because,
        )
        .join(AssignmentRow, AnswerRow.assignment_id == AssignmentRow.id)
        .join(ParticipantRow, AssignmentRow.participant_id == ParticipantRow.id)
        .where(AssignmentRow.state.in_(kept), AnswerRow.odd.is_not(None))
        .order_by(AnswerRow.id)
        .execution_options(yield_per=_ROWS)
    )
    with database.reading() as session:
        for answer, block, state, key, excluded in session.execute(query):
            yield _row(study, answer, block, state, key, excluded)
            session.expunge(answer)


def _row(
    study: StudyFolder, answer: AnswerRow, block: str, state: str, key: str, excluded: str | None
) -> tuple[Any, ...]:
    stimuli = (answer.stim1, answer.stim2, answer.stim3)
    details = answer.details
    assert answer.odd is not None
    errors = [f"{one['slot']}: {one['error']} ({one['count']})" for one in details.get("playback_errors", ())]
    return (
        f"p-{key[:_NAME]}", block, answer.trial, *stimuli, stimuli[answer.odd],
        None if answer.rt_ms is None else answer.rt_ms / 1000,
        study.schedule.blocks[block][answer.trial].kind, state, excluded or "", answer.received_at,
        "; ".join(errors), " ".join(map(str, details.get("plays", ()))),
        details.get("enabled_after"), details.get("hidden_for"),
    )  # fmt: skip


def _write_csv(path: Path, rows: Iterator[tuple[Any, ...]]) -> int:
    written = 0
    with atomic_path(path) as part, part.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow(["" if value is None else value for value in row])
            written += 1
    return written


def _write_parquet(path: Path, rows: Iterator[tuple[Any, ...]]) -> int:
    pa, parquet = require("pyarrow", "features"), require("pyarrow.parquet", "features")
    kinds = {
        "trial": pa.int64(),
        "rt": pa.float64(),
        "received_at": pa.float64(),
        "enabled_after": pa.float64(),
        "hidden_for": pa.float64(),
    }
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    written = 0
    with atomic_path(path) as part, parquet.ParquetWriter(part, schema) as writer:
        for rows_of_group in _groups(rows):
            columns = dict(zip(COLUMNS, map(list, zip(*rows_of_group, strict=True)), strict=True))
            writer.write_table(pa.table(columns, schema=schema))
            written += len(rows_of_group)
    return written


def _groups(rows: Iterator[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    group: list[tuple[Any, ...]] = []
    for row in rows:
        group.append(row)
        if len(group) == 10 * _ROWS:
            yield group
            group = []
    if group:
        yield group
