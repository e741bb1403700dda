"""Salmon: the CSV of responses (dashboard, or ``/responses``): anchored comparisons, which are not odd-one-out trials.

Columns: ``head``, ``winner`` and ``loser`` (indices of targets, from 0), ``puid`` (participant), ``response_time`` (seconds,
−1 where unknown); others are ignored. ``--ids`` names the targets, one a line. A participant chose which of two items is more
like the head, so that head and winner are closer than head and loser; nothing is known of winner and loser. An odd-one-out
trial would claim that head and winner are also closer than winner and loser. These answers are therefore kept apart, in
``comparisons.csv``, and no measure of odd-one-out choices uses them.
"""

from __future__ import annotations

from pathlib import Path

from bgs._errors import DataError
from bgs.judgments.csv_table import Table, read_table
from bgs.judgments.readers.reading import ReaderInputs, Reading, named

#: The stimuli of an anchored comparison.
ROLES = ("head", "winner", "loser")


def read_salmon(path: Path, inputs: ReaderInputs) -> list[Reading]:
    """Read responses of Salmon.

    Raises:
        DataError: see :func:`bgs.judgments.csv_table.read_table`; a cell is not an index of the ids, or an item is compared
            with itself.
    """
    found = read_table(path, (*ROLES, "puid"), ("response_time",))
    table = Table(path, {role: found[role] for role in ROLES}, found.rows, found.separator, found.assumptions)
    table.names.update(participant="puid", rt="response_time")
    for record, three in enumerate(zip(*(table[role] for role in ROLES), strict=True)):
        if len(set(three)) < 3:
            raise DataError(
                "an item is compared with itself", where=table.where(record, "loser"), expected="three items",
                got=", ".join(three),
            )  # fmt: skip
    named(table, ROLES, inputs.ids)
    table.columns["participant"] = [name or "unknown" for name in found["puid"]]
    if "response_time" in found.columns:
        seconds = found.floats("response_time", blank_is_nan=True)
        table.columns["rt"] = [
            "" if unknown else cell
            for cell, unknown in zip(found["response_time"], (seconds == -1).tolist(), strict=True)
        ]
    return [Reading(table)]
