"""Tables of any other program, by a small YAML file that says what their columns mean.

One row a trial (``layout: long``)::

    columns: {participant: subject, stim1: left, stim2: middle, stim3: right, odd: answer, rt: latency}
    rt_unit: ms

One row a person, as Qualtrics and other survey programs write it (``layout: wide``); ``{n}`` runs over ``numbers``::

    layout: wide
    participant: ResponseId
    rows_below_header: 2           # Qualtrics: question texts and import ids
    answers: {Left: 1, Middle: 2, Right: 3}
    trials:
      - numbers: 1-40
        shown_in: ["{n}_clip1", "{n}_clip2", "{n}_clip3"]   # columns that hold stimulus ids
        odd: "{n}_Q2"
        rt: "{n}_Q3_Page Submit"
      - shown: [hug.mp4, argue.mp4, hug.mp4]                # or the ids themselves
        odd: Q9
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from bgs._config import Settings, read_settings, validate
from bgs._errors import ConfigError, DataError, listed
from bgs.judgments.csv_table import Table
from bgs.judgments.readers.published import renamed
from bgs.judgments.readers.reading import ReaderInputs, Reading
from bgs.judgments.readers.spreadsheet import read_cells
from bgs.judgments.response_times import RtUnit
from bgs.judgments.tables import OPTIONAL, REQUIRED, SLOTS

_RANGE = re.compile(r"(\d{1,6})-(\d{1,6})")


class WideTrial(Settings):
    """The columns of one trial, or of several numbered alike, in a table with one row a person."""

    numbers: str | None = None
    """Numbers that replace {n} in the names below, as 1-40; null: one trial."""
    shown: tuple[str, str, str] | None = None
    """Ids of the three stimuli, in the order shown, if everybody saw the same."""
    shown_in: tuple[str, str, str] | None = None
    """Columns that hold the ids of the three stimuli, in the order shown."""
    odd: str
    """Column of the answer: the id of the odd one, its position 1 to 3, or a word of ``answers``."""
    rt: str | None = None
    """Column of the response time."""

    @model_validator(mode="after")
    def _consistent(self) -> Any:
        if (self.shown is None) == (self.shown_in is None):
            raise ValueError("give either shown (ids) or shown_in (columns)")
        if self.numbers is not None and not list(self._range()):
            raise ValueError(f"numbers: expected a range such as 1-40, got {self.numbers!r}")
        if self.numbers is not None and "{n}" not in self.odd:
            raise ValueError(f"odd: expected a name with {{n}}, since numbers are given, got {self.odd!r}")
        return self

    def _range(self) -> Iterator[int]:
        match = _RANGE.fullmatch(self.numbers or "")
        if match:
            yield from range(int(match[1]), int(match[2]) + 1)

    def each(self) -> Iterator[WideTrial]:
        """The trials, with numbers in place of {n}."""
        if self.numbers is None:
            yield self
        for n in self._range():
            fill = [None if names is None else tuple(k.replace("{n}", str(n)) for k in names) for names in (
                self.shown, self.shown_in, (self.odd,), None if self.rt is None else (self.rt,)
            )]  # fmt: skip
            shown, shown_in, odd, rt = fill
            given = {"shown": shown, "shown_in": shown_in, "odd": odd and odd[0], "rt": rt and rt[0]}
            yield WideTrial.model_validate(given)


class Mapping(Settings):
    """What the columns of a table mean."""

    layout: Literal["long", "wide"] = "long"
    """long: one row a trial; wide: one row a person."""
    sheet: str | None = None
    """Sheet of an Excel workbook; null: the first."""
    rows_below_header: int = Field(0, ge=0, le=100)
    """Rows between the header and the data that are to be passed over; 2 in exports of Qualtrics."""
    rt_unit: RtUnit = "s"
    """Unit of the response times: s or ms."""
    columns: dict[str, str] | None = None
    """long: column of the trial table (participant, block, trial, stim1, stim2, stim3, odd, rt) -> its name in the file."""
    participant: str | None = None
    """wide: column that names the participant."""
    block: str | None = None
    """wide: column of the block or session."""
    answers: dict[str, str] | None = None
    """Words of the answer column -> position of the odd one 1 to 3 (or its id)."""
    trials: tuple[WideTrial, ...] | None = None
    """wide: the trials, in order."""

    @model_validator(mode="before")
    @classmethod
    def _numbers_as_text(cls, given: object) -> object:
        if isinstance(given, dict) and isinstance(given.get("answers"), dict):
            answers = {str(k): v if isinstance(v, str) else str(v) for k, v in given["answers"].items()}
            return {**given, "answers": answers}
        return given

    @model_validator(mode="after")
    def _consistent(self) -> Any:
        if self.layout == "long":
            given = [key for key in ("participant", "block", "trials") if getattr(self, key) is not None]
            if given:
                raise ValueError(f"{given[0]}: only for layout: wide")
            known = {*REQUIRED, *OPTIONAL}
            if self.columns is not None and not set(REQUIRED) <= set(self.columns) <= known:
                raise ValueError(
                    f"columns: expected {', '.join(REQUIRED)} and perhaps {', '.join(OPTIONAL)}, "
                    f"got {listed(self.columns, limit=8)}"
                )
        elif self.columns is not None or self.participant is None or not self.trials:
            raise ValueError("layout wide needs participant and trials, and no columns")
        return self


def read_mapping_file(path: str | Path) -> Mapping:
    """Read a mapping file.

    Raises:
        ConfigError: the file is missing or not YAML, or a key is unknown, missing or of no use.
    """
    return validate(Mapping, read_settings(path), path)


def read_mapped(path: Path, inputs: ReaderInputs) -> list[Reading]:
    """Read a CSV file or workbook; without a mapping file, its columns are those of the trial table.

    Raises:
        ConfigError: see :func:`read_mapping_file`.
        DataError: see :func:`bgs.judgments.readers.spreadsheet.read_cells`; or no trial is answered.
    """
    mapping = Mapping() if inputs.mapping is None else read_mapping_file(inputs.mapping)
    table = _wide(path, mapping) if mapping.layout == "wide" else _long(path, mapping)
    _replace_answers(table, mapping.answers)
    return [Reading(table, mapping.rt_unit)]


def read_qualtrics(path: Path, inputs: ReaderInputs) -> list[Reading]:
    """Read a table with one row a person; see :func:`read_mapped`.

    Raises:
        ConfigError: there is no mapping file, or it is of a table with one row a trial.
    """
    if inputs.mapping is None:
        raise ConfigError(
            "a table with one row a person needs a mapping file",
            where=path,
            hint="--mapping FILE: docs/importing.md",
        )
    if read_mapping_file(inputs.mapping).layout != "wide":
        raise ConfigError("not a mapping of one row a person", where=inputs.mapping, expected="layout: wide")
    return read_mapped(path, inputs)


def _long(path: Path, mapping: Mapping) -> Table:
    columns = mapping.columns
    if columns is None:
        found = _below(read_cells(path, REQUIRED, OPTIONAL, mapping.sheet), mapping)
        columns = {name: name for name in (*REQUIRED, *OPTIONAL) if name in found.columns}
    else:
        found = _below(read_cells(path, tuple(columns.values()), (), mapping.sheet), mapping)
    table = renamed(found, columns)
    answered = [k for k, cell in enumerate(table["odd"]) if cell]
    return _rows(table, answered, "rows")


def _wide(path: Path, mapping: Mapping) -> Table:
    trials = [each for several in mapping.trials or () for each in several.each()]
    needed = {
        name for each in trials for name in (each.odd, each.rt, *(each.shown_in or ())) if name is not None
    }
    heads = [name for name in (mapping.participant, mapping.block) if name is not None]
    found = _below(read_cells(path, (*heads, *sorted(needed)), (), mapping.sheet), mapping)
    table = Table(
        path,
        {name: [] for name in (*REQUIRED, "trial", "rt", "block")},
        [],
        found.separator,
        found.assumptions,
    )
    rows: list[str] = []
    for record in range(len(found)):
        for number, each in enumerate(trials):
            shown = each.shown or tuple(found[name][record] for name in each.shown_in or ())
            block = "" if mapping.block is None else found[mapping.block][record]
            rt = "" if each.rt is None else found[each.rt][record]
            cells = (found[heads[0]][record], *shown, found[each.odd][record], str(number), rt, block)
            for name, cell in zip((*REQUIRED, "trial", "rt", "block"), cells, strict=True):
                table.columns[name].append(cell)
            rows.append(f"row {found.rows[record]}, trial of column {each.odd!r}")
    whole = Table(path, table.columns, rows, table.separator, table.assumptions)
    return _rows(whole, [k for k, cell in enumerate(whole["odd"]) if cell], "trials")


def _below(table: Table, mapping: Mapping) -> Table:
    return _rows(table, list(range(mapping.rows_below_header, len(table))), None)


def _rows(table: Table, keep: list[int], what: str | None) -> Table:
    """Some records of a table; says how many answers are missing, if that is why the others are left out.

    Raises:
        DataError: none is left.
    """
    if not keep:
        raise DataError(
            "no answers in this table", where=table.path, expected="at least one row with an answer"
        )
    left = len(table) - len(keep)
    if what and left:
        table.assume(f"{left:,} {what} without an answer left out")
    return table.picked(keep)


def _replace_answers(table: Table, answers: dict[str, str] | None) -> None:
    """Replace words by positions; a position becomes the id shown there, so that it cannot be taken for an id.

    Raises:
        DataError: an answer is none of the words.
    """
    if answers is None:
        return
    for record, cell in enumerate(table["odd"]):
        if cell not in answers:
            raise DataError(
                "unknown answer", where=table.where(record, "odd"), expected=f"one of {listed(answers, limit=8)}",
                got=repr(cell),
            )  # fmt: skip
        to = answers[cell]
        table.columns["odd"][record] = table[SLOTS[int(to) - 1]][record] if to in ("1", "2", "3") else to
