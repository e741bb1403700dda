"""Judgments in the formats of other programs, turned into a folder of your own data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bgs._errors import DataError
from bgs._files import require_output, sha256, write_json
from bgs.datasets.dataset import COMPARISONS, Dataset
from bgs.datasets.folder import ABOUT, STIMULI, TRIALS, load_folder, read_stimuli, write_stimuli
from bgs.judgments import Trials, find_duplicates
from bgs.judgments.csv_table import Table, number_cells, write_table
from bgs.judgments.readers import (
    ROLES,
    Format,
    ReaderInputs,
    Reading,
    each_once,
    find_format,
    read_ids,
    read_judgments,
)
from bgs.judgments.response_times import read_response_times
from bgs.judgments.tables import SLOTS, trials_of, within_block, write_trials
from bgs.stimuli import StimulusSet

#: Record of an import: its files and their hashes.
IMPORT = "import.json"
_UNSAID: dict[str, Any] = {"licence": "your own data", "citation": "none given", "simulated": False}


def import_judgments(
    files: Sequence[str | Path],
    kind: str,
    out: str | Path,
    *,
    ids: str | Path | None = None,
    mapping: str | Path | None = None,
    licence: str = "your own data",
    citation: str = "none given",
    simulated: bool = False,
) -> Dataset:
    """Turn judgments in the format of another program into a folder of your own data (docs/importing.md).

    In a folder with ``stimuli.csv``, such as a study, ``trials.csv`` is added and every stimulus must be in that file;
    otherwise ``stimuli.csv`` is written from the ids. Anchored comparisons are written to ``comparisons.csv`` instead, since they
    are not odd-one-out trials. ``import.json`` records the files and their hashes.

    Args:
        files: the files, in the order of the rows to be written.
        kind: their format, one of :data:`bgs.judgments.readers.FORMATS`.
        out: the folder, without judgments so far.
        ids: file of stimulus ids, for formats that number stimuli: see :func:`bgs.judgments.readers.read_ids`.
        mapping: file that says what columns mean, for tables: see :mod:`bgs.judgments.readers.mapping`.
        licence: of the data, for a new folder; see :func:`bgs.datasets.folder.load_folder`.
        citation: likewise.
        simulated: likewise.

    Returns:
        The data set in the folder; its notes say how files were interpreted.

    Raises:
        ConfigError: the format is unknown, or an option is of no use to it.
        DataError: a file cannot be read (file, row and column are named), is given twice, or the folder holds judgments.
    """
    form, folder = find_format(kind), Path(out)
    paths = _distinct([Path(path) for path in files])
    inputs = _inputs(form, ids, mapping)
    about = {"licence": licence, "citation": citation, "simulated": simulated}
    _require_room(folder, about)
    readings = each_once([reading for path in paths for reading in read_judgments(path, form, inputs)])
    slots = ROLES if form.anchored else SLOTS
    known, notes = _stimuli(folder, readings, slots, inputs)
    tables: dict[str, Trials | dict[str, Sequence[object]]] = {}
    if form.anchored:
        tables[COMPARISONS] = _comparisons(readings, known)
    else:
        tables[TRIALS], more = _trials(readings, known)
        notes += more
    used = {"ids": ids, "mapping": mapping}
    record = {
        "format": form.name,
        "files": [_named(path) for path in paths],
        **{name: _named(Path(path)) for name, path in used.items() if path is not None},
    }
    loaded = _written(folder, known, about, record, tables)
    notes += tuple(line for reading in readings for line in reading.table.assumptions)
    return replace(loaded, notes=tuple(dict.fromkeys(notes + loaded.notes)))


def _named(path: Path) -> dict[str, str]:
    return {"name": path.name, "sha256": sha256(path)}


def _written(
    folder: Path,
    stimuli: StimulusSet,
    about: dict[str, Any],
    record: dict[str, Any],
    tables: dict[str, Trials | dict[str, Sequence[object]]],
) -> Dataset:
    """Write what is not there, the answers last, and read it back; all or nothing."""
    new = [] if (folder / STIMULI).exists() else [ABOUT, STIMULI]
    new = [name for name in new if not (folder / name).exists()]
    written = [folder / name for name in (*new, IMPORT, *tables)]
    try:
        if ABOUT in new:
            write_json(folder / ABOUT, about)
        if STIMULI in new:
            write_stimuli(folder / STIMULI, stimuli)
        write_json(folder / IMPORT, record)
        for name, table in tables.items():
            if isinstance(table, Trials):
                write_trials(folder / name, table, stimuli)
            else:
                write_table(folder / name, table)
        return load_folder(folder)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise


def _distinct(paths: list[Path]) -> list[Path]:
    """The files, each with other content."""
    if not paths:
        raise DataError("no files to import", expected="at least one")
    seen: dict[str, Path] = {}
    for path in paths:
        if not path.is_file():
            continue  # the reader says so
        first = seen.setdefault(sha256(path), path)
        if first is not path:
            raise DataError("the same answers are given twice", where=path, got=f"the content of {first}")
    return paths


def _inputs(form: Format, ids: str | Path | None, mapping: str | Path | None) -> ReaderInputs:
    for name, given in (("ids", ids), ("mapping", mapping)):
        if given is not None and name not in form.uses:
            raise DataError(f"--{name} is of no use to --from {form.name}", where=given)
    return ReaderInputs(
        ids=None if ids is None else read_ids(ids), mapping=None if mapping is None else Path(mapping)
    )


def _require_room(folder: Path, about: dict[str, Any]) -> None:
    """Refuse a folder that holds judgments, where nothing can be written, or that is described already otherwise than asked."""
    described = [name for name in (STIMULI, ABOUT) if (folder / name).exists()]
    if described and about != _UNSAID:
        raise DataError(
            "licence, citation and simulated are for a new folder", where=folder, got=f"one with {described[0]}",
            hint=f"write them into its {ABOUT}",
        )  # fmt: skip
    require_output(folder / TRIALS)
    for name in (TRIALS, COMPARISONS):
        if (folder / name).exists():
            raise DataError(
                f"the folder holds judgments already: {name}", where=folder,
                expected="a new folder, or a study without judgments", hint="import all files at once",
            )  # fmt: skip


def _stimuli(
    folder: Path, readings: list[Reading], columns: Sequence[str], inputs: ReaderInputs
) -> tuple[StimulusSet, tuple[str, ...]]:
    """The stimuli of the folder; of a new one, the given ids, or those that occur."""
    if (folder / STIMULI).exists():
        return read_stimuli(folder / STIMULI)
    if inputs.ids is not None:
        return StimulusSet(ids=inputs.ids), ()
    names = {name for reading in readings for column in columns for name in reading.table[column]}
    for reading in readings:
        for column in columns:
            reading.table.text(column)  # names an empty cell
    ordered = (
        sorted(names, key=lambda name: (int(name), name)) if all(map(_is_index, names)) else sorted(names)
    )
    return StimulusSet(ids=tuple(ordered)), (
        f"{folder / STIMULI}: the {len(names):,} stimuli that occur in the files",
    )


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit()


def _trials(readings: list[Reading], stimuli: StimulusSet) -> tuple[Trials, tuple[str, ...]]:
    """The trials of all files, and a note if some seem to be answers counted twice."""
    parts = [trials_of(reading.table, stimuli, reading.rt_unit)[0] for reading in readings]
    trials = parts[0]
    for part in parts[1:]:
        trials = trials.followed_by(part)
    numbered = all("trial" in reading.table.columns for reading in readings)
    copies = find_duplicates(trials).copies if numbered else None
    if copies is not None and copies.rows:
        return trials, (f"{copies.in_words()} are copies of others: see `bgs data audit`, --drop-duplicates",)
    return trials, ()


def _comparisons(readings: list[Reading], stimuli: StimulusSet) -> dict[str, Sequence[object]]:
    """The columns of ``comparisons.csv``."""
    found: dict[str, list[object]] = {name: [] for name in ("participant", "trial", *ROLES, "rt")}
    for reading in readings:
        table = reading.table
        _require_known(table, stimuli)
        who = table.text("participant")
        block = np.full(len(who), "")
        trial = within_block(who, block)
        rt = read_response_times(table, who, block, trial, reading.rt_unit)
        rows = {"participant": who.tolist(), "trial": trial.tolist(), "rt": number_cells(rt)}
        for name, cells in (rows | {role: table[role] for role in ROLES}).items():
            found[name] += cells
    return dict(found)


def _require_known(table: Table, stimuli: StimulusSet) -> None:
    for role in ROLES:
        for record, name in enumerate(table[role]):
            if name not in stimuli.index:
                raise DataError(
                    "unknown stimulus", where=table.where(record, role),
                    expected=f"one of the {len(stimuli)} stimulus ids", got=repr(name),
                )  # fmt: skip
