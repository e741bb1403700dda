"""Trial tables on disk: one row per trial, with stimulus ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bgs._errors import DataError
from bgs._numbers import counted
from bgs._typing import Int, Shaped
from bgs.judgments.csv_table import Table, number_cells, read_table, to_numbers, write_table
from bgs.judgments.response_times import RtKind, RtUnit, read_response_times
from bgs.judgments.trials import Trials
from bgs.stimuli import StimulusSet
from bgs.stimuli.stimulus_set import VIDEO_SUFFIXES

SLOTS = ("stim1", "stim2", "stim3")
#: Columns of a trial table: those it must have, and the others.
REQUIRED = ("participant", *SLOTS, "odd")
OPTIONAL = ("block", "trial", "rt")
#: Columns of an export (docs/collect.md) that mark rows: why they do not count, and whether they are of simulated observers.
EXCLUDED, SOURCE = "excluded", "source"
_COUNTS = frozenset({"", "0", "no", "false", "none", "na", "n/a"})


def odd_slots(stimuli: Int[np.ndarray, "n 3"], odd: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """(n,) first slot 0–2 that shows the stimulus chosen as odd; −1 if none does."""
    shows_odd = stimuli == odd[:, None]
    return np.where(shows_odd.any(axis=1), shows_odd.argmax(axis=1), -1)


def read_trials(
    path: str | Path,
    stimuli: StimulusSet,
    rt_unit: RtUnit = "s",
    rt_kind: RtKind = "response",
    with_excluded: bool = False,
) -> tuple[Trials, tuple[str, ...]]:
    """Read odd-one-out trials.

    Columns: ``participant``, ``stim1``, ``stim2``, ``stim3`` and ``odd`` (stimulus ids; ``odd`` may be the position 1–3
    instead); optional ``block``, ``trial`` (an integer; by default counted within participant and block) and ``rt``
    (empty where unknown). If the odd one is a clip shown twice, its first slot counts. Ids may omit the
    extension of a video file if all ids of the table are then known. Rows that a column ``excluded`` marks are left out.

    Args:
        path: the file.
        stimuli: the stimulus set.
        rt_unit, rt_kind: see :func:`bgs.judgments.response_times.read_response_times`.
        with_excluded: keep rows that are marked.

    Returns:
        The trials, and notes on how ambiguous content was interpreted, one sentence each.

    Raises:
        DataError: see :func:`read_table`; or an unknown stimulus, an odd one that its trial does not show,
            or an invalid response time.
    """
    return trials_of(read_trial_table(path, with_excluded), stimuli, rt_unit, rt_kind)


def read_trial_table(path: str | Path, with_excluded: bool = False) -> Table:
    """The table of :func:`read_trials`, as text."""
    table = read_table(path, REQUIRED, (*OPTIONAL, EXCLUDED, SOURCE), keep_others=False)
    return table if with_excluded else without_excluded(table)


def without_excluded(table: Table) -> Table:
    """A table without the rows that its column ``excluded`` marks, with a note of how many they are.

    Raises:
        DataError: no row is left.
    """
    marks = table.columns.get(EXCLUDED, [""] * len(table))
    kept = [record for record, mark in enumerate(marks) if mark.lower() in _COUNTS]
    if len(kept) == len(table):
        return table
    if not kept:
        raise DataError("every row is marked in the column 'excluded'", where=table.path)
    table.assume(
        f"left out, since the column 'excluded' marks them: {counted(len(table) - len(kept), 'row')}"
    )
    return table.picked(kept)


def is_of_simulated(table: Table) -> bool:
    """Whether a column ``source`` says that an answer is a simulated observer's."""
    return "simulated" in table.columns.get(SOURCE, ())


def trials_of(
    table: Table, stimuli: StimulusSet, rt_unit: RtUnit = "s", rt_kind: RtKind = "response"
) -> tuple[Trials, tuple[str, ...]]:
    """The trials in a table with the columns of :func:`read_trials`, from whatever file it comes; see there."""
    by_position = _odd_is_a_position(table, stimuli)
    known = _known_ids(table, stimuli, SLOTS if by_position else (*SLOTS, "odd"))
    shown = np.column_stack([_positions(table, slot, known) for slot in SLOTS])
    if by_position:
        odd = to_numbers(table["odd"]).astype(np.int64) - 1
    else:
        _check_spelling(table)
        odd = odd_slots(shown, _positions(table, "odd", known))
    outside = np.flatnonzero(odd < 0)
    if len(outside):
        raise DataError(
            "the odd one is not in its trial", where=table.where(int(outside[0]), "odd"),
            expected=" or ".join(table[slot][outside[0]] for slot in SLOTS), got=table["odd"][outside[0]],
        )  # fmt: skip
    participant = table.text("participant")
    block = np.array(table["block"] if "block" in table.columns else [""] * len(table), dtype=np.str_)
    trial = table.integers("trial") if "trial" in table.columns else within_block(participant, block)
    rt = read_response_times(table, participant, block, trial, rt_unit, rt_kind)
    return Trials(participant, block, trial, shown, odd, rt, len(stimuli)), tuple(table.assumptions)


def write_trials(path: str | Path, trials: Trials, stimuli: StimulusSet) -> None:
    """Write trials in the format that :func:`read_trials` reads."""
    ids = np.array(stimuli.ids)
    odd = np.take_along_axis(trials.stimuli, trials.odd[:, None], axis=1)[:, 0]
    columns: dict[str, Sequence[object]] = {
        "participant": trials.participant.tolist(),
        "block": trials.block.tolist(),
        "trial": trials.trial.tolist(),
        **{slot: ids[trials.stimuli[:, k]].tolist() for k, slot in enumerate(SLOTS)},
        "odd": ids[odd].tolist(),
        "rt": number_cells(trials.rt),
    }
    write_table(path, columns)


def _odd_is_a_position(table: Table, stimuli: StimulusSet) -> bool:
    """Whether ``odd`` holds positions 1–3: all its cells do, and none is a stimulus id.

    Raises:
        DataError: the positions seem to count from 0.
    """
    cells = set(table["odd"])
    numbers = set(to_numbers(list(cells)).tolist())
    if not numbers <= {0.0, 1.0, 2.0, 3.0} or not cells.isdisjoint({*stimuli.ids, *map(_stem, stimuli.ids)}):
        return False
    if 0.0 in numbers:
        raise DataError(
            "the odd one seems to be a position that counts from 0", where=f"{table.path}, column 'odd'",
            expected="stimulus ids, or positions 1 to 3", got=f"{min(cells)} to {max(cells)}",
        )  # fmt: skip
    table.assume("column 'odd' is read as the position of the odd one, 1 to 3")
    return True


def _known_ids(table: Table, stimuli: StimulusSet, columns: Sequence[str]) -> dict[str, int]:
    """Positions by id, as the table writes ids: stimulus ids, or those without file extensions if all ids need it."""
    named = {name for column in columns for name in table[column]}
    if named <= stimuli.index.keys():
        return stimuli.index
    stems = {_stem(name): position for name, position in stimuli.index.items()}
    if len(stems) < len(stimuli) or not {_stem(name) for name in named} <= stems.keys():
        return stimuli.index
    table.assume("stimulus ids are matched without video file extensions")
    return {name: stems[_stem(name)] for name in named}


def _stem(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    return stem if dot and f".{ending}".lower() in VIDEO_SUFFIXES else name


def _positions(table: Table, column: str, known: dict[str, int]) -> Int[np.ndarray, " n"]:
    positions = np.array([known.get(name, -1) for name in table[column]], dtype=np.int64)
    unknown = np.flatnonzero(positions < 0)
    if len(unknown):
        name = table[column][unknown[0]]
        alike = [repr(other) for other in known if other.casefold() == name.casefold()]
        raise DataError(
            "unknown stimulus", where=table.where(int(unknown[0]), column),
            expected=f"one of the {len(known)} stimulus ids", got=repr(name),
            hint=f"there is {' and '.join(alike)}: ids are case-sensitive" if alike else None,
        )  # fmt: skip
    return positions


def _check_spelling(table: Table) -> None:
    """Refuse an odd one that differs from a clip of its trial only in case.

    Raises:
        DataError: there is such a row; both spellings are named.
    """
    for record, odd in enumerate(table["odd"]):
        shown = [table[slot][record] for slot in SLOTS]
        alike = [name for name in shown if name.casefold() == odd.casefold()]
        if alike and odd not in shown:
            raise DataError(
                "the odd one is spelt differently from the clip in its trial", where=table.where(record, "odd"),
                expected=repr(alike[0]), got=repr(odd), hint="ids are case-sensitive",
            )  # fmt: skip


def within_block(
    participant: Shaped[np.ndarray, " n"], block: Shaped[np.ndarray, " n"]
) -> Int[np.ndarray, " n"]:
    """0, 1, 2, … within each participant and block, in the order of the rows."""
    who, where = (np.unique(names, return_inverse=True)[1] for names in (participant, block))
    group = who * (where.max() + 1) + where
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    counted = np.arange(len(group)) - np.repeat(starts, np.diff(starts, append=len(group)))
    numbers = np.empty_like(counted)
    numbers[order] = counted
    return numbers
