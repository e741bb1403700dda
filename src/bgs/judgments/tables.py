"""Trial tables on disk: one comma-separated row a judgment, stimuli by id."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bgs._errors import DataError
from bgs._typing import Float, Int, Shaped
from bgs.judgments.csv_table import Table, number_cells, read_table, write_table
from bgs.judgments.trials import Trials
from bgs.stimuli import StimulusSet

_SLOTS = ("stim1", "stim2", "stim3")
_REQUIRED = ("participant", *_SLOTS, "odd")
_OPTIONAL = ("block", "trial", "rt")


def odd_slots(stimuli: Int[np.ndarray, "n 3"], odd: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """(n,) first slot 0–2 that shows the stimulus chosen as odd; −1 where none does."""
    shows_odd = stimuli == odd[:, None]
    return np.where(shows_odd.any(axis=1), shows_odd.argmax(axis=1), -1)


def read_trials(path: str | Path, stimuli: StimulusSet) -> Trials:
    """Read odd-one-out trials.

    Columns: ``participant``, ``stim1``, ``stim2``, ``stim3`` and ``odd`` (stimulus ids); optional ``block``,
    ``trial`` (a whole number; counted within participant and block if left out) and ``rt`` (seconds, or
    empty). Where the odd one is a clip shown twice, its first slot is taken.

    Raises:
        DataError: what :func:`read_table` raises, an unknown stimulus, an odd one that its trial does not show,
            or a response time that is not a number ≥ 0.
    """
    table = read_table(path, _REQUIRED, _OPTIONAL)
    shown = np.column_stack([_positions(table, slot, stimuli) for slot in _SLOTS])
    odd = odd_slots(shown, _positions(table, "odd", stimuli))
    outside = np.flatnonzero(odd < 0)
    if len(outside):
        raise DataError(
            "the odd one is not in its trial", where=table.where(int(outside[0]), "odd"),
            expected=" or ".join(table[slot][outside[0]] for slot in _SLOTS), got=table["odd"][outside[0]],
        )  # fmt: skip
    participant = table.text("participant")
    block = np.array(table["block"] if "block" in table.columns else [""] * len(table), dtype=np.str_)
    trial = table.integers("trial") if "trial" in table.columns else _count_within(participant, block)
    return Trials(participant, block, trial, shown, odd, _response_times(table), len(stimuli))


def write_trials(path: str | Path, trials: Trials, stimuli: StimulusSet) -> None:
    """Write trials so that :func:`read_trials` gives them back."""
    ids = np.array(stimuli.ids)
    odd = np.take_along_axis(trials.stimuli, trials.odd[:, None], axis=1)[:, 0]
    columns: dict[str, Sequence[object]] = {
        "participant": trials.participant.tolist(),
        "block": trials.block.tolist(),
        "trial": trials.trial.tolist(),
        **{slot: ids[trials.stimuli[:, k]].tolist() for k, slot in enumerate(_SLOTS)},
        "odd": ids[odd].tolist(),
        "rt": number_cells(trials.rt),
    }
    write_table(path, columns)


def _positions(table: Table, column: str, stimuli: StimulusSet) -> Int[np.ndarray, " n"]:
    positions = np.array([stimuli.index.get(name, -1) for name in table[column]], dtype=np.int64)
    unknown = np.flatnonzero(positions < 0)
    if len(unknown):
        raise DataError(
            "unknown stimulus", where=table.where(int(unknown[0]), column),
            expected=f"one of the {len(stimuli)} stimulus ids", got=repr(table[column][unknown[0]]),
        )  # fmt: skip
    return positions


def _response_times(table: Table) -> Float[np.ndarray, " n"]:
    if "rt" not in table.columns:
        return np.full(len(table), np.nan)
    rt = table.floats("rt", blank_is_nan=True)
    negative = np.flatnonzero(rt < 0)
    if len(negative):
        raise DataError(
            "negative response time", where=table.where(int(negative[0]), "rt"),
            expected="seconds ≥ 0", got=table["rt"][negative[0]],
        )  # fmt: skip
    return rt


def _count_within(
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
