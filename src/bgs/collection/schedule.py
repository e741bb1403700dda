"""``schedule.csv``: which triplets one participant sees, block by block."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from bgs._errors import DataError
from bgs._files import read_text

Kind = Literal["judgment", "repeat", "check"]
COLUMNS = ("block", "trial", "stim1", "stim2", "stim3", "kind")


@dataclass(frozen=True)
class ScheduledTrial:
    """A triplet of a block; its order on screen is drawn anew for each participant.

    Attributes:
        number: within its block, from 0.
        stimuli: ids.
        kind: ``check`` shows one clip twice.
    """

    number: int
    stimuli: tuple[str, str, str]
    kind: Kind


@dataclass(frozen=True)
class Schedule:
    """Blocks in the order in which they are handed out: name -> trials."""

    blocks: dict[str, tuple[ScheduledTrial, ...]]

    @property
    def n_trials(self) -> int:
        """Of all blocks together."""
        return sum(map(len, self.blocks.values()))


def read_schedule(path: Path, stimulus_ids: Sequence[str]) -> Schedule:
    """Read and check a schedule.

    Raises:
        DataError: the file is missing or damaged, a clip is unknown, numbers of a block are not 0, 1, …, or a trial's kind
            is not that of its clips; the row is named.
    """
    if not path.is_file():
        raise DataError("no schedule", where=path, hint="`bgs design` writes it")
    rows = csv.reader(read_text(path).splitlines())
    header = next(rows, [])
    if tuple(header) != COLUMNS:
        raise DataError(
            "other columns than those of a schedule",
            where=path,
            expected=",".join(COLUMNS),
            got=",".join(header),
        )
    known, blocks = set(stimulus_ids), dict[str, list[ScheduledTrial]]()
    for line, row in enumerate(rows, start=2):
        where = f"{path}, row {line}"
        if len(row) != len(COLUMNS):
            raise DataError("incomplete row", where=where, expected=f"{len(COLUMNS)} columns", got=len(row))
        block = blocks.setdefault(row[0], [])
        block.append(_trial(row, where, known, len(block)))
    if not blocks:
        raise DataError("the schedule has no trials", where=path, hint="`bgs design` writes one")
    return Schedule({name: tuple(trials) for name, trials in blocks.items()})


def _trial(row: Sequence[str], where: str, known: set[str], number: int) -> ScheduledTrial:
    if row[1] != str(number):
        raise DataError(
            "trials of a block are not numbered 0, 1, …", where=where, expected=number, got=row[1]
        )
    stimuli = (row[2], row[3], row[4])
    unknown = [name for name in stimuli if name not in known]
    if unknown:
        raise DataError(
            "a clip that the study has not", where=where, got=unknown[0], hint="`bgs design` for these clips"
        )
    kinds = get_args(Kind)
    if row[5] not in kinds:
        raise DataError("unknown kind of trial", where=where, expected=" or ".join(kinds), got=row[5])
    kind: Kind = next(one for one in kinds if one == row[5])
    clips = len(set(stimuli))
    if clips != (2 if kind == "check" else 3):
        expected = "one clip twice" if kind == "check" else "three different clips"
        raise DataError(f"not a trial of kind {kind}", where=where, expected=expected, got=" ".join(stimuli))
    return ScheduledTrial(number, stimuli, kind)
