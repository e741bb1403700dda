"""jsPsych: the JSON of our plugin ``odd-one-out``.

Fields of a trial: ``trial_type`` ("odd-one-out"), ``stimuli`` (three stimulus ids in the order shown), ``odd`` (slot 0–2 of
the odd one), ``rt`` (milliseconds from the moment when choosing became possible); ``participant``, ``block`` and ``trial``
where the study adds them (``jsPsych.data.addProperties`` adds a field to all trials). A file is what
``jsPsych.data.get().json()`` gives, one such array per line, or one trial per line; arrays may lie in an object under
``trials`` or ``data``, whose other fields then hold for all its trials. An answer that was sent again has the same
``answer_id``, where the study gives one, and counts once. Trials of other plugins are passed over; those with
``practice: true`` or without an answer (``odd: null``) are left out and counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bgs._errors import DataError, listed
from bgs._files import read_text
from bgs.judgments.csv_table import Table
from bgs.judgments.readers.json_documents import documents
from bgs.judgments.readers.reading import ANSWER, ReaderInputs, Reading, name_fault

PLUGIN = "odd-one-out"
#: Fields that name the participant; the first that a trial has counts.
PARTICIPANT = ("participant", "participant_id", "subject", "subject_id", "PROLIFIC_PID", "prolific_pid")
#: Fields that number the trials; the first that all trials of a file have counts.
TRIAL = ("trial", "trial_index")
_NAMES = {**{f"stim{k + 1}": f"stimuli[{k}]" for k in range(3)}}


@dataclass(frozen=True)
class _Trial:
    """A trial with the fields of what encloses it, its place in the file, and who gave it if it does not say."""

    fields: Mapping[str, Any]
    place: str
    somebody: str | None


def read_jspsych(path: Path, inputs: ReaderInputs) -> list[Reading]:
    """Read a file of jsPsych.

    Raises:
        DataError: not JSON, no odd-one-out trial, or a trial that lacks a field or has a wrong one.
    """
    return [trials_in(list(documents(read_text(path), path)), path, path.stem)]


def trials_in(found: list[tuple[int, Any]], path: Path, somebody: str) -> Reading:
    """The odd-one-out trials of documents; ``somebody`` names who gave those that do not name a participant."""
    several = len(found) > 1
    everything = [
        each
        for number, (line, value) in enumerate(found, start=1)
        for each in _walk(value, {}, f"line {line}", f"{somebody}-{number}" if several else somebody)
    ]
    ours = [each for each in everything if each.fields.get("trial_type") == PLUGIN]
    if not ours:
        others = sorted({str(each.fields.get("trial_type")) for each in everything})
        raise DataError(
            f"no trial of the plugin {PLUGIN!r}", where=path, expected=f'"trial_type": "{PLUGIN}"',
            got=f"trials of {listed(others)}" if others else "no trials",
        )  # fmt: skip
    practice = [each for each in ours if each.fields.get("practice") is True]
    unanswered = [each for each in ours if each not in practice and each.fields.get("odd", 0) is None]
    kept = [
        each
        for each in ours
        if each.fields.get("practice") is not True and each.fields.get("odd", 0) is not None
    ]
    if not kept:
        raise DataError(
            "no answered trial", where=path, got=f"{len(practice)} of practice, {len(unanswered)} unanswered"
        )
    table = _table(kept, path)
    for several_of, what in ((practice, "practice trials"), (unanswered, "trials without an answer")):
        if several_of:
            table.assume(f"{len(several_of):,} {what} left out")
    return Reading(table, "ms")


def _walk(
    value: Any, outer: Mapping[str, Any], place: str, somebody: str | None, top: bool = True
) -> Iterator[_Trial]:
    if isinstance(value, list):
        for number, item in enumerate(value, start=1):
            yield from _walk(item, outer, f"{place}, element {number}", somebody, top=False)
    elif isinstance(value, dict):
        inner = [(key, value[key]) for key in ("trials", "data") if isinstance(value.get(key), list)]
        if "trial_type" in value or not inner:
            # a trial on its own line says nothing of whose it is: other lines may be the same person's
            yield _Trial({**outer, **value}, place, None if top else somebody)
            return
        beside = {key: item for key, item in value.items() if not isinstance(item, list | dict)}
        for key, items in inner:
            yield from _walk(items, {**outer, **beside}, f"{place}, {key!r}", somebody, top=False)


def _table(trials: list[_Trial], path: Path) -> Table:
    table = Table(path, {}, [each.place for each in trials], names=dict(_NAMES))
    shown = [_stimuli(each, path) for each in trials]
    columns = {f"stim{k + 1}": [row[k] for row in shown] for k in range(3)}
    columns["odd"] = [row[_slot(each, path)] for row, each in zip(shown, trials, strict=True)]
    columns["participant"] = [_participant(each, path) for each in trials]
    columns["rt"] = [_milliseconds(each, path) for each in trials]
    if any("block" in each.fields for each in trials):
        columns["block"] = [_name(each, "block", path) if "block" in each.fields else "" for each in trials]
    if any("answer_id" in each.fields for each in trials):
        columns[ANSWER] = [
            _name(each, "answer_id", path) if "answer_id" in each.fields else "" for each in trials
        ]
        table.names[ANSWER] = "answer_id"
    counts = next((key for key in TRIAL if all(key in each.fields for each in trials)), None)
    if counts is not None:
        table.names["trial"] = counts
        columns["trial"] = [_whole(each, counts, path) for each in trials]
    table.columns.update(columns)
    unnamed = {
        cell for cell, each in zip(columns["participant"], trials, strict=True) if cell == each.somebody
    }
    if unnamed:
        table.assume(
            f"trials do not name their participant; called {listed(sorted(unnamed))} after their place"
        )
    return table


def _fault(each: _Trial, field: str, path: Path, expected: str, got: Any) -> DataError:
    return DataError(
        "not readable" if field in each.fields else "missing", where=f"{path}, {each.place}, field {field!r}",
        expected=expected, got=repr(got) if field in each.fields else None,
    )  # fmt: skip


def _stimuli(each: _Trial, path: Path) -> tuple[str, ...]:
    found = each.fields.get("stimuli")
    if not isinstance(found, list) or len(found) != 3 or any(_text(item) is None for item in found):
        raise _fault(each, "stimuli", path, "three stimulus ids in the order shown", found)
    return tuple(str(item) for item in found)


def _slot(each: _Trial, path: Path) -> int:
    found = each.fields.get("odd")
    if isinstance(found, bool) or not isinstance(found, int) or found not in (0, 1, 2):
        raise _fault(each, "odd", path, "a slot: 0, 1 or 2", found)
    return found


def _participant(each: _Trial, path: Path) -> str:
    for key in PARTICIPANT:
        if each.fields.get(key) not in (None, ""):
            return _name(each, key, path)
    if each.somebody is None:
        raise _fault(each, "participant", path, f"one of the fields {', '.join(PARTICIPANT)}", None)
    return each.somebody


def _name(each: _Trial, field: str, path: Path) -> str:
    text = _text(each.fields[field])
    if text is None:
        raise _fault(each, field, path, "a name", each.fields[field])
    return text


def _text(value: Any) -> str | None:
    """A name or a whole number as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int) or name_fault(str(value)):
        return None
    return str(value)


def _milliseconds(each: _Trial, path: Path) -> str:
    found = each.fields.get("rt")
    if found is None and "rt" in each.fields:
        return ""
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < math.inf:
        raise _fault(each, "rt", path, "milliseconds ≥ 0, or null", found)
    return repr(found)


def _whole(each: _Trial, field: str, path: Path) -> str:
    found = each.fields[field]
    if isinstance(found, bool) or not isinstance(found, int) or not -(2**63) <= found < 2**63:
        raise _fault(each, field, path, "a whole number", found)
    return str(found)
