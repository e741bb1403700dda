"""Schedules on disk: ``schedule.csv``, and ``schedule.json`` with its provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bgs._errors import DataError
from bgs._files import read_json, require_output, sha256_of, write_json
from bgs._typing import Int
from bgs.collection.schedule import Schedule, Shown
from bgs.judgments.csv_table import Table, read_table, write_table

SCHEDULE, ABOUT = "schedule.csv", "schedule.json"
_SLOTS = ("stim1", "stim2", "stim3")
_KINDS = {kind.label: kind for kind in Shown}


def write_schedule(folder: str | Path, schedule: Schedule, about: Mapping[str, Any]) -> None:
    """Write ``schedule.csv`` and ``schedule.json`` to a study folder, atomically.

    Args:
        folder: the study folder.
        schedule: the schedule.
        about: provenance, JSON types; hashes of the stimulus ids and of the trials are added.
    """
    folder = Path(folder)
    require_output(folder / SCHEDULE)
    require_output(folder / ABOUT)
    ids = np.array(schedule.stimulus_ids)
    columns: dict[str, Sequence[object]] = {
        "block": [schedule.names[k] for k in schedule.block.tolist()],
        "trial": schedule.trial.tolist(),
        **{slot: ids[schedule.stimuli[:, k]].tolist() for k, slot in enumerate(_SLOTS)},
        "kind": [Shown(kind).label for kind in schedule.kind.tolist()],
    }
    write_table(folder / SCHEDULE, columns)
    hashes = {"stimulus_ids": hash_of_ids(schedule.stimulus_ids), "trials": schedule.unanswered().hash()}
    write_json(folder / ABOUT, {**about, "hashes": hashes})


def hash_of_ids(stimulus_ids: Sequence[str]) -> str:
    """SHA-256 of the ids in alphabetical order."""
    return sha256_of(*sorted(stimulus_ids))


def read_schedule(folder: str | Path, stimulus_ids: Sequence[str], name: str = SCHEDULE) -> Schedule:
    """Read the schedule of a study folder.

    Args:
        folder: the study folder.
        stimulus_ids: n ids of the study's clips.
        name: of the file; one that is kept from before has another (:mod:`bgs.collection.earlier_schedules`).

    Raises:
        DataError: a file is missing or damaged; the schedule is of other clips; a kind does not fit the clips shown; or
            trials are not numbered 0, 1, … within blocks.
    """
    path = Path(folder) / name
    if not path.is_file():
        raise DataError("no schedule", where=path, hint="`bgs design` writes it")
    table = read_table(path, ("block", "trial", *_SLOTS, "kind"), (), keep_others=False)
    index = {name: position for position, name in enumerate(stimulus_ids)}
    stimuli = np.column_stack([_positions(table, slot, index) for slot in _SLOTS])
    if path.with_suffix(".json").exists():
        _check_clips(path.with_suffix(".json"), stimulus_ids)
    kind = _kinds(table, stimuli)
    names, block = _blocks(table)
    trial = table.integers("trial")
    order = np.lexsort([trial, block])
    block, trial, counted = block[order], trial[order], np.arange(len(block))
    counted = counted - np.searchsorted(block, block)
    wrong = np.flatnonzero(trial != counted)
    if len(wrong):
        raise DataError(
            "trials of a block are not numbered 0, 1, …", where=table.where(int(order[wrong[0]]), "trial"),
            expected=counted[wrong[0]], got=trial[wrong[0]],
        )  # fmt: skip
    return Schedule(tuple(stimulus_ids), names, block, trial, stimuli[order], kind[order])


def _blocks(table: Table) -> tuple[tuple[str, ...], Int[np.ndarray, " t"]]:
    """Names of the blocks in the order of the file, and each row's position among them."""
    position: dict[str, int] = {}
    found = [position.setdefault(name, len(position)) for name in table.text("block").tolist()]
    return tuple(position), np.array(found, dtype=np.int64)


def _positions(table: Table, column: str, index: Mapping[str, int]) -> Int[np.ndarray, " t"]:
    for record, name in enumerate(table[column]):
        if name not in index:
            raise DataError(
                "schedule of other clips", where=table.where(record, column),
                expected=f"one of the {len(index)} stimulus ids", got=repr(name), hint="make it again with `bgs design`",
            )  # fmt: skip
    return np.array([index[name] for name in table[column]], dtype=np.int64)


def _check_clips(path: Path, stimulus_ids: Sequence[str]) -> None:
    found = read_json(path).get("hashes", {})
    if not isinstance(found, dict) or found.get("stimulus_ids") != hash_of_ids(stimulus_ids):
        raise DataError(
            "schedule of other clips", where=path, expected="the clips of stimuli.csv",
            got="a schedule made when there were more, fewer or others", hint="make it again with `bgs design`",
        )  # fmt: skip


def _kinds(table: Table, stimuli: Int[np.ndarray, "t 3"]) -> Int[np.ndarray, " t"]:
    distinct = np.array([len(set(row)) for row in stimuli.tolist()], dtype=np.int64)
    for record, (name, clips) in enumerate(zip(table["kind"], distinct.tolist(), strict=True)):
        wanted = 2 if name == Shown.CHECK.label else 3
        if name not in _KINDS:
            raise DataError(
                "unknown kind", where=table.where(record, "kind"), expected=", ".join(_KINDS), got=repr(name)
            )
        if clips != wanted:
            raise DataError(
                f"not a {name}", where=table.where(record, "kind"), expected=f"{wanted} distinct clips", got=clips
            )  # fmt: skip
    return np.array([_KINDS[name] for name in table["kind"]], dtype=np.int64)
