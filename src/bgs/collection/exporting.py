"""The trial table of a study: streamed, in the order in which answers came, each exactly once."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from bgs._errors import BgsError
from bgs._files import atomic_path
from bgs._optional import require
from bgs.collection.database import Database
from bgs.collection.schedule import Shown
from bgs.collection.schedule_table import SCHEDULE
from bgs.collection.study_folder import StudyFolder
from bgs.collection.tables import SIMULATED, AnswerRow, AssignmentRow, ParticipantRow, State
from bgs.datasets.folder import STIMULI
from bgs.judgments import Trials
from bgs.judgments.quality_rules import RuleSet, apply_rules
from bgs.judgments.readers.published import COLUMNS as PUBLISHED

#: The first eight are the trial table of ``bgs train``; the others describe how an answer came about.
COLUMNS = (
    "participant", "block", "trial", "stim1", "stim2", "stim3", "odd", "rt",
    "kind", "state", "excluded", "received_at", "playback_errors", "plays", "enabled_after", "hidden_for", "source",
)  # fmt: skip
#: What ``excluded`` says of answers that do not count for no reason of the participant's own, by the state of the block.
REASONS = {
    State.RELEASED: "the block went to somebody else",
    State.UNPLAYED: "too many trials could not be played",
}  # fmt: skip
#: Characters of a participant's hash that name them in the export.
_NAME = 16
_ROWS = 5000


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Attributes:
        answers: number of rows; of these ``simulated`` are of SIMULATED observers, and ``marked`` of nobody who counts.
        flagged: participant -> rule -> finding, of those whom rules of exclusion flag.
        untested: rule -> why nobody could be tested by it.
    """

    answers: int
    simulated: int
    marked: int
    flagged: dict[str, dict[str, str]]
    untested: dict[str, str]


def export(
    database: Database,
    study: StudyFolder,
    path: Path,
    with_excluded: bool = False,
    rules: RuleSet | None = None,
    published: bool = False,
) -> Exported:
    """Write the trial table as CSV or Parquet, by the ending.

    Without rules, memory does not grow with the number of answers. Trials whose clips could not be played are left out. So are,
    unless ``with_excluded``, answers of blocks that went to somebody else and those of excluded participants: a block is then in
    the table once.

    Args:
        database: of the study.
        study: exported.
        path: file to write.
        with_excluded: keep what is otherwise left out, marked.
        rules: whoever breaks one is excluded from the table, with the findings as reason; the database is not changed.
        published: the first columns have the names of Garcia & Isik's table.

    Raises:
        BgsError: another ending, or the file is a table of the study itself.
    """
    _require_no_part(study, path)
    found = None if rules is None else apply_rules(_need_trials(database, study), rules)
    flags = () if found is None else found.flagged
    flagged = {flag.participant: {breach.rule: breach.finding for breach in flag.breaches} for flag in flags}
    counts: Counter[str] = Counter()
    rows = _counted(_marked(_rows(database, study, with_excluded), flagged, with_excluded), counts)
    names = tuple(PUBLISHED.get(name, name) for name in COLUMNS) if published else COLUMNS
    if path.suffix == ".csv":
        written = _write_csv(path, names, rows)
    elif path.suffix == ".parquet":
        written = _write_parquet(path, names, rows)
    else:
        raise BgsError(
            "unsupported file type", where=path, expected=".csv or .parquet", got=path.suffix or "no suffix"
        )
    untested = {} if found is None else found.untested
    return Exported(written, counts["simulated"], counts["marked"], flagged, untested)


def _counted(rows: Iterator[tuple[Any, ...]], counts: Counter[str]) -> Iterator[tuple[Any, ...]]:
    """The rows; afterwards it is known how many are of simulated observers, and how many are marked."""
    source, excluded = COLUMNS.index("source"), COLUMNS.index("excluded")
    for row in rows:
        counts["simulated"] += row[source] == SIMULATED
        counts["marked"] += bool(row[excluded])
        yield row


def _require_no_part(study: StudyFolder, path: Path) -> None:
    """Check that an export does not replace what the study is made of."""
    if os.path.realpath(path) in {os.path.realpath(study.path / name) for name in (STIMULI, SCHEDULE)}:
        raise BgsError("this table is part of the study", where=path, expected="another file for the export")


def _marked(
    rows: Iterator[tuple[Any, ...]], flagged: dict[str, dict[str, str]], keep: bool
) -> Iterator[tuple[Any, ...]]:
    """Rows of those whom rules flag, with the reason, or left out."""
    place = COLUMNS.index("excluded")
    for row in rows:
        why = flagged.get(row[0])
        if why is None:
            yield row
        elif keep:
            reasons = "; ".join(
                [row[place]] * bool(row[place]) + [f"{rule}: {one}" for rule, one in why.items()]
            )
            yield (*row[:place], reasons, *row[place + 1 :])


def _need_trials(database: Database, study: StudyFolder) -> Trials:
    found = counted_trials(database, study)
    if found is None:
        raise BgsError("there are no answers yet to which rules could be applied", where=study.path)
    return found


def counted_trials(database: Database, study: StudyFolder) -> Trials | None:
    """The rows of an export without those excluded, as arrays; None before the first answer."""
    place = {name: k for k, name in enumerate(study.stimuli.ids)}
    parts = [_arrays(rows, place) for rows in _groups(_rows(database, study, with_excluded=False))]
    if not parts:
        return None
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Trials(**whole, n_stimuli=len(place))


def _arrays(rows: Sequence[tuple[Any, ...]], place: dict[str, int]) -> dict[str, Any]:
    """Columns of the trial table, stimuli as positions."""
    columns = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))
    slots = (columns[name] for name in ("stim1", "stim2", "stim3"))
    stimuli = np.array([[place[name] for name in slot] for slot in slots]).T
    odd = np.array([place[name] for name in columns["odd"]])
    return {
        "participant": np.array(columns["participant"]), "block": np.array(columns["block"]),
        "trial": np.array(columns["trial"]), "stimuli": stimuli, "odd": (stimuli == odd[:, None]).argmax(axis=1),
        "rt": np.array(columns["rt"], dtype=np.float64),
    }  # fmt: skip


def _rows(database: Database, study: StudyFolder, with_excluded: bool) -> Iterator[tuple[Any, ...]]:
    kept = [State.ACTIVE, State.COMPLETE]
    if with_excluded:
        kept += [State.FAILED, State.EXCLUDED, *REASONS]
    query = (
        select(
            AnswerRow,
            AssignmentRow.block,
            AssignmentRow.state,
            ParticipantRow.key,
            ParticipantRow.excluded_because,
            ParticipantRow.source,
        )
        .join(AssignmentRow, AnswerRow.assignment_id == AssignmentRow.id)
        .join(ParticipantRow, AssignmentRow.participant_id == ParticipantRow.id)
        .where(AssignmentRow.state.in_(kept), AnswerRow.odd.is_not(None))
        .order_by(AnswerRow.id)
        .execution_options(yield_per=_ROWS)
    )
    with database.reading() as session:
        for answer, block, state, key, excluded, source in session.execute(query):
            why = excluded or REASONS.get(State(state), "")
            yield _row(study, answer, block, state, key, why, source)
            session.expunge(answer)


def _row(
    study: StudyFolder, answer: AnswerRow, block: str, state: str, key: str, excluded: str, source: str
) -> tuple[Any, ...]:
    stimuli = (answer.stim1, answer.stim2, answer.stim3)
    details = answer.details
    assert answer.odd is not None
    errors = [f"{one['slot']}: {one['error']} ({one['count']})" for one in details.get("playback_errors", ())]
    return (
        f"p-{key[:_NAME]}", block, answer.trial, *stimuli, stimuli[answer.odd],
        None if answer.rt_ms is None else answer.rt_ms / 1000,
        Shown(int(study.schedule.kind[study.schedule.row(block, answer.trial)])).label, state, excluded, answer.received_at,
        "; ".join(errors), " ".join(map(str, details.get("plays", ()))),
        details.get("enabled_after"), details.get("hidden_for"), source,
    )  # fmt: skip


def _write_csv(path: Path, names: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> int:
    written = 0
    with atomic_path(path) as part, part.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(names)
        for row in rows:
            writer.writerow(["" if value is None else value for value in row])
            written += 1
    return written


def _write_parquet(path: Path, names: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> int:
    pa, parquet = require("pyarrow", "features"), require("pyarrow.parquet", "features")
    kinds = {
        "trial": pa.int64(),
        "rt": pa.float64(),
        "received_at": pa.float64(),
        "enabled_after": pa.float64(),
        "hidden_for": pa.float64(),
    }
    types = [kinds.get(name, pa.string()) for name in COLUMNS]
    schema = pa.schema(list(zip(names, types, strict=True)))
    written = 0
    with atomic_path(path) as part, parquet.ParquetWriter(part, schema) as writer:
        for rows_of_group in _groups(rows):
            columns = dict(zip(names, map(list, zip(*rows_of_group, strict=True)), strict=True))
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
